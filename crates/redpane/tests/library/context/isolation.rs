//! Requests at the same time never carry each other's ids.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::get;
use http::Method;
use redpane::RequestContext;
use test_support::client::{self, request};
use test_support::{Observed, Scripted, Step};
use tokio::task::{JoinSet, yield_now};
use tracing::Instrument;

const REQUESTS: u64 = 64;

fn trace_id(number: u64) -> String {
    format!("{:032x}", number + 1)
}

/// Logs its number in every way there is, moving between the worker threads meanwhile.
async fn work(Path(number): Path<u64>, context: RequestContext) -> Body {
    assert_eq!(context.trace_id().to_string(), trace_id(number));
    for step in 0..5 {
        tracing::info!(number, step, "in the handler");
        yield_now().await;
    }
    let mut tasks = JoinSet::new();
    tasks.spawn(redpane::in_current_request(async move {
        yield_now().await;
        tracing::info!(number, "in a task of a set");
    }));
    let spawned = redpane::spawn(
        async move {
            tokio::time::sleep(Duration::from_millis(number % 3)).await;
            tracing::info!(number, "in a spawned task");
        }
        .instrument(tracing::info_span!("job", number)),
    );
    let blocking = redpane::spawn_blocking(move || tracing::info!(number, "on a blocking thread"));
    tasks.join_next().await.unwrap().unwrap();
    spawned.await.unwrap();
    blocking.await.unwrap();
    assert_eq!(redpane::current().unwrap().trace_id(), context.trace_id());
    let log = move || Step::Run(Box::new(move || tracing::info!(number, "in the body")));
    Scripted::body([log(), Step::Data("one"), log(), Step::Data("two"), log()])
}

#[test]
fn concurrent_requests_never_carry_each_others_ids() {
    let observed = Observed::new();
    observed.run(async {
        let address = observed.serve(Router::new().route("/{number}", get(work))).await;
        let mut clients = JoinSet::new();
        for number in 0..REQUESTS {
            clients.spawn(async move {
                let asked = request(Method::GET, &format!("/{number}"))
                    .header("traceparent", format!("00-{}-00000000000000aa-01", trace_id(number)))
                    .header("x-request-id", format!("request-{number}"));
                let answer = client::send(address, asked.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.text(), "onetwo");
                assert_eq!(answer.header("x-trace-id"), trace_id(number));
                assert_eq!(answer.header("x-request-id"), format!("request-{number}"));
            });
        }
        clients.join_all().await;

        let access = observed.access_lines(REQUESTS).await;
        let spans: HashMap<_, _> = access.iter().map(|line| (line.str("trace_id"), line.str("span_id"))).collect();
        assert_eq!(spans.len() as u64, REQUESTS);
        for line in &access {
            let number: u64 = line.str("path")[1..].parse().unwrap();
            assert_eq!(line["trace_id"], trace_id(number));
            assert_eq!(line["request_id"], format!("request-{number}"));
        }
        let lines = observed.lines();
        let events: Vec<_> = lines.iter().filter(|line| !line.is_access()).collect();
        assert_eq!(events.len() as u64, REQUESTS * (5 + 1 + 1 + 1 + 3));
        for event in events {
            assert_eq!(event["trace_id"], trace_id(event["number"].as_u64().unwrap()), "{}", event.text);
            assert_eq!(event["span_id"], spans[event.str("trace_id")], "{}", event.text);
        }
        let counted = observed.samples().requests();
        assert_eq!(counted, [("GET /{number} 200".into(), REQUESTS as f64)]);
    });
}

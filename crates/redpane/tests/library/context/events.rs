//! Events, metrics and panics inside of a request.

use axum::Router;
use axum::routing::get;
use redpane::RequestContext;
use test_support::{Observed, Samples, Scripted, Step, client};

use super::{assert_message_has_ids, assert_same_request};

#[test]
fn an_event_in_a_handler_carries_the_ids() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            tracing::info!(answer = 42, "looked it up");
            tokio::task::yield_now().await;
            tracing::warn!(target: "cache", missing = "everything", "late");
            "done"
        };
        let address = observed.serve(Router::new().route("/", get(handler))).await;
        client::get(address, "/").await;
        let event = assert_message_has_ids(&observed, "looked it up").await;
        assert_eq!((&event["level"], &event["answer"]), (&"INFO".into(), &42.into()));
        assert!(event.str("target").starts_with("library::context"));
        let event = assert_message_has_ids(&observed, "late").await;
        assert_eq!(
            (&event["level"], &event["target"], &event["missing"]),
            (&"WARN".into(), &"cache".into(), &"everything".into())
        );
    });
}

#[test]
fn an_event_outside_of_a_request_has_no_ids() {
    let observed = Observed::new();
    observed.run(async {
        let task = tokio::spawn(async { tracing::info!("nobody asked") });
        task.await.unwrap();
        let line = &observed.messages("nobody asked", 1).await[0];
        assert!(line["trace_id"].is_null() && line["span_id"].is_null());
    });
}

#[test]
fn events_below_the_filter_are_no_lines() {
    let targets = tracing_subscriber::filter::Targets::new()
        .with_default(tracing::Level::WARN)
        .with_target("chatty", tracing::Level::DEBUG);
    let observed = Observed::with(|redpane| redpane.log_filter(targets));
    observed.run(async {
        let handler = || async {
            tracing::info!("too much");
            tracing::debug!(target: "chatty", "just right");
        };
        let address = observed.serve(Router::new().route("/", get(handler))).await;
        client::get(address, "/").await;
        client::get(address, "/nowhere").await;
        observed.finished(2).await;
        let lines = observed.lines();
        let seen: Vec<_> = lines.iter().map(|line| format!("{} {}", line.str("level"), line.str("message"))).collect();
        assert_eq!(seen, ["DEBUG just right", "WARN request"], "access lines obey the filter like all others");
        assert_eq!(observed.samples().sum("http_requests_total", &[]), 2.0, "and the metrics do not");
    });
}

#[test]
fn a_stream_logs_inside_of_its_body() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            let log = |message: &'static str| Step::Run(Box::new(move || tracing::info!("{message}")));
            Scripted::body([log("first frame"), Step::Data("one"), log("second frame"), Step::Data("two"), log("end")])
        };
        let address = observed.serve(Router::new().route("/", get(handler))).await;
        assert_eq!(client::get(address, "/").await.text(), "onetwo");
        for message in ["first frame", "second frame", "end"] {
            assert_message_has_ids(&observed, message).await;
        }
    });
}

#[test]
fn the_body_of_a_streaming_route_logs_with_the_ids_too() {
    let observed = Observed::with(|redpane| redpane.observe_until_headers(["/"]));
    observed.run(async {
        let handler = || async {
            Scripted::body([Step::Data("one"), Step::Run(Box::new(|| tracing::info!("after the headers")))])
        };
        client::get(observed.serve(Router::new().route("/", get(handler))).await, "/").await;
        assert_message_has_ids(&observed, "after the headers").await;
    });
}

#[test]
fn plain_metrics_macros_land_in_the_same_metrics() {
    let observed = Observed::with(|redpane| redpane.histogram_buckets("order_items", [1.0, 10.0]));
    observed.run(async {
        let handler = |context: RequestContext| async move {
            metrics::counter!("orders_total", "result" => "taken").increment(2);
            metrics::gauge!("queue_length").set(7.0);
            metrics::histogram!("order_items").record(3.0);
            let spawned = redpane::spawn(async { metrics::counter!("orders_total", "result" => "taken").increment(3) });
            let blocking = redpane::spawn_blocking(|| metrics::histogram!("order_items").record(30.0));
            spawned.await.unwrap();
            blocking.await.unwrap();
            context.request_id().to_owned()
        };
        let address = observed.serve(Router::new().route("/", get(handler))).await;
        client::get(address, "/").await;
        observed.only_request().await;
        let answer = client::get(address, "/metrics").await;
        let samples = Samples::parse(answer.text());
        assert_eq!(samples.value("orders_total", &[("result", "taken")]), 5.0);
        assert_eq!(samples.value("queue_length", &[]), 7.0);
        assert_eq!(samples.value("order_items_bucket", &[("le", "1")]), 0.0);
        assert_eq!(samples.value("order_items_bucket", &[("le", "10")]), 1.0);
        assert_eq!(samples.value("order_items_count", &[]), 2.0);
        assert_eq!(samples.value("order_items_sum", &[]), 33.0);
    });
}

#[test]
fn a_panic_in_a_spawned_task_is_a_line_of_its_request() {
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            let task = redpane::spawn(async {
                if true {
                    panic!("the task falls over")
                }
            });
            assert!(task.await.is_err());
            "the request does not mind"
        };
        let address = observed.serve(Router::new().route("/", get(handler))).await;
        assert_eq!(client::get(address, "/").await.status, 200);
        let panic = assert_message_has_ids(&observed, "the task falls over").await;
        assert_eq!(panic["target"], "redpane::panic");
        let location = panic.str("location");
        let (file, place) = location.split_once(".rs:").expect("file, line and column");
        assert!(file.ends_with("events"), "{location}");
        assert_eq!(place.split(':').filter(|part| part.parse::<u32>().is_ok()).count(), 2, "{location}");
        assert!(panic.str("backtrace").contains("events"), "{}", panic.text);
        assert!(!panic.str("thread").is_empty());
    });
}

#[test]
fn a_panic_while_an_event_is_formatted_breaks_the_request_and_not_the_log() {
    struct Broken;
    impl std::fmt::Debug for Broken {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("not to be shown")
        }
    }
    let observed = Observed::new();
    observed.run(async {
        let handler = || async {
            tracing::info!(value = ?Broken, "never written");
        };
        let router = Router::new().route("/", get(handler)).route("/fine", get(|| async { tracing::info!("fine") }));
        let address = observed.serve(router).await;
        assert_eq!(client::get(address, "/").await.status, 500);
        assert_eq!(client::get(address, "/fine").await.status, 200);
        let access = observed.access_lines(2).await;
        assert_eq!((&access[0]["outcome"], &access[1]["outcome"]), (&"panic".into(), &"complete".into()));
        assert_same_request(&observed.messages("not to be shown", 1).await[0], &access[0]);
        assert_same_request(&observed.messages("fine", 1).await[0], &access[1]);
    });
}

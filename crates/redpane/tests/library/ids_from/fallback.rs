//! Requests without a span of the SDK's, and functions that do what they should not.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderMap, Request, Response};
use redpane::{RequestContext, TraceParent};
use serde_json::Value;
use test_support::{Line, Observed, Scripted, Step};
use tower::{ServiceExt, service_fn};

use super::{ask, child, current_span, exemplars, inside, parent, span};

/// The trace ids of an answer, its lines and its exemplar are one. Gives it.
async fn only_trace(observed: &Observed, headers: &HeaderMap) -> String {
    let line = observed.only_request().await;
    assert_eq!(headers["x-trace-id"], line.str("trace_id"));
    assert_eq!(exemplars(observed), [line.str("trace_id")]);
    for other in observed.lines() {
        assert_eq!(other["trace_id"], line["trace_id"], "{}", other.text);
    }
    line.str("trace_id").to_owned()
}

async fn outgoing(context: RequestContext) -> String {
    tracing::info!("event");
    let parent = parent(&context.outgoing_headers());
    format!("{} {} {}", parent.trace_id, parent.parent_id, parent.flags)
}

fn log(observed: &Observed) -> tracing::subscriber::DefaultGuard {
    use tracing_subscriber::layer::SubscriberExt;
    tracing::subscriber::set_default(tracing_subscriber::registry().with(observed.telemetry.log_layer()))
}

fn ids(line: &Line) -> (Value, Value) {
    (line["trace_id"].clone(), line["span_id"].clone())
}

#[tokio::test]
async fn without_a_span_the_ids_are_redpanes_own() {
    let observed = Observed::with(|redpane| redpane.ids_from(current_span));
    let _log = log(&observed);
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(outgoing)));
    let sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
    let (_, headers, body) = ask(&app, &[("traceparent", sent)]).await;
    let trace = only_trace(&observed, &headers).await;
    let line = observed.only_request().await;
    assert_eq!((&*trace, &line["parent_span_id"]), (&sent[3..35], &sent[36..52].into()), "the caller's is continued");
    assert_eq!(body, format!("{trace} {} 0", line.str("span_id")));
    assert_eq!(ids(&observed.messages("event", 1).await[0]), ids(&line));
}

#[tokio::test]
async fn a_span_that_is_current_only_while_the_answer_is_made_is_that_of_the_request() {
    let (observed, server) = (Observed::with(|redpane| redpane.ids_from(current_span)), span());
    let quiet = move |request: Request<Body>| {
        inside(child(&server), async move {
            drop(request);
            Ok::<_, Infallible>(Response::new(Body::empty()))
        })
    };
    let app = observed.telemetry.clone().instrument(Router::new().fallback_service(service_fn(quiet)));
    // As `service.call(request).instrument(span)` in a layer: the call is made outside of the span.
    let app = Router::new().fallback_service(service_fn(move |request| inside(server, app.clone().oneshot(request))));
    let (_, headers, _) = ask(&app, &[]).await;
    assert_eq!(only_trace(&observed, &headers).await, server.trace_id.as_str());
    assert_eq!(observed.only_request().await["span_id"], server.parent_id.as_str());
}

#[tokio::test]
async fn where_no_span_is_current_any_more_the_requests_own_stands() {
    let (observed, server) = (Observed::with(|redpane| redpane.ids_from(current_span)), span());
    let handler = move || async move {
        inside(server, async { redpane::current().unwrap().trace_id().to_owned() }).await;
        redpane::spawn(async { outgoing(redpane::current().unwrap()).await }).await.unwrap()
    };
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(handler)));
    let _log = log(&observed);
    let (_, headers, body) = ask(&app, &[]).await;
    assert_eq!(only_trace(&observed, &headers).await, server.trace_id.as_str());
    assert_eq!(body, format!("{} {} 1", server.trace_id, server.parent_id));
}

#[tokio::test]
async fn what_the_answer_says_stays() {
    let observed = Observed::with(|redpane| redpane.ids_from(current_span));
    let _log = log(&observed);
    let handler = || async {
        let step = || super::enter(span(), || tracing::info!("in the body"));
        Scripted::body([Step::Run(Box::new(step)), Step::Data("x")])
    };
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(handler)));
    let (_, headers, _) = ask(&app, &[]).await;
    only_trace(&observed, &headers).await;
}

#[tokio::test]
async fn requests_on_one_thread_keep_their_own() {
    let (observed, wait) =
        (Observed::with(|redpane| redpane.ids_from(current_span)), Arc::new(tokio::sync::Barrier::new(2)));
    let _log = log(&observed);
    let handler = move || {
        let wait = Arc::clone(&wait);
        let server = current_span().unwrap();
        async move {
            wait.wait().await;
            inside(child(&server), outgoing(redpane::current().unwrap())).await
        }
    };
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(handler)));
    let [one, other] = [span(), span()];
    let ((_, _, first), (_, _, second)) = tokio::join!(inside(one, ask(&app, &[])), inside(other, ask(&app, &[])));
    assert!(first.starts_with(one.trace_id.as_str()) && second.starts_with(other.trace_id.as_str()));
    let lines = observed.access_lines(2).await;
    for span in [one, other] {
        let lines: Vec<_> = lines.iter().filter(|line| line["trace_id"] == span.trace_id.as_str()).collect();
        assert_eq!((lines.len(), &lines[0]["span_id"]), (1, &span.parent_id.as_str().into()));
    }
}

#[tokio::test]
async fn a_function_that_panics_takes_no_request_down() {
    let observed = Observed::with(|redpane| redpane.ids_from(|| panic!("the SDK is gone")));
    let _log = log(&observed);
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(outgoing)));
    let (status, headers, _) = ask(&app, &[]).await;
    assert_eq!((status.as_u16(), headers["x-trace-id"].len()), (200, 32));
    let line = observed.only_request().await;
    assert_eq!((&headers["x-trace-id"], line.str("outcome")), (&line.str("trace_id").parse().unwrap(), "complete"));
    assert_eq!(ids(&observed.messages("event", 1).await[0]), ids(&line));
}

#[tokio::test]
async fn a_function_that_panics_later_panics_once_a_request_and_the_ids_stay() {
    let (broken, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (is_broken, count) = (Arc::clone(&broken), Arc::clone(&asked));
    let server = span();
    let source = move || -> Option<TraceParent> {
        count.fetch_add(1, Ordering::Relaxed);
        assert!(!is_broken.load(Ordering::Relaxed), "the SDK is gone");
        Some(server)
    };
    let observed = Observed::with(|redpane| redpane.ids_from(source));
    let _log = log(&observed);
    let before = Arc::clone(&asked);
    let handler = move |context: RequestContext| async move {
        broken.store(true, Ordering::Relaxed);
        before.store(0, Ordering::Relaxed);
        outgoing(context).await
    };
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(handler)));
    let (_, headers, body) = ask(&app, &[]).await;
    assert_eq!(
        (asked.load(Ordering::Relaxed), &headers["x-trace-id"]),
        (1, &server.trace_id.as_str().parse().unwrap())
    );
    assert_eq!(body, format!("{} {} 1", server.trace_id, server.parent_id));
    let panicked = observed.messages("the SDK is gone", 1).await.remove(0);
    assert_eq!(panicked["trace_id"], server.trace_id.as_str());
    assert_eq!(observed.only_request().await.str("outcome"), "complete");
}

#[tokio::test]
async fn a_function_that_logs_is_asked_all_the_same() {
    let source = || {
        tracing::info!("asked");
        current_span()
    };
    let observed = Observed::with(|redpane| redpane.ids_from(source));
    let _log = log(&observed);
    let server = span();
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(outgoing)));
    let (_, headers, _) = inside(server, ask(&app, &[])).await;
    assert_eq!(headers["x-trace-id"], server.trace_id.as_str());
}

#[cfg(feature = "otlp")]
#[test]
fn redpanes_own_spans_beside_the_sdks_make_no_sense() {
    let otlp = redpane::Otlp::new("http://localhost:4318/v1/traces");
    let error = redpane::Redpane::new("test").ids_from(current_span).otlp(otlp).build().unwrap_err();
    let [problem] = error.problems() else { panic!("{error}") };
    assert_eq!(problem.option, "ids_from");
    assert!(problem.problem.contains("`otlp`") && problem.problem.contains("SDK"), "{error}");
}

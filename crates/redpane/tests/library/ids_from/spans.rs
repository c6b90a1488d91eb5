//! With OpenTelemetry's SDK, whose span of the request is opened by a layer outside of redpane, by one inside, or by the
//! handler.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::{HeaderMap, Request, Response, StatusCode};
use opentelemetry_sdk::trace::Sampler;
use redpane::problem::Problem;
use redpane::{RequestContext, Telemetry};
use test_support::Observed;
use tower::{Layer, ServiceExt, service_fn};
use tracing::Instrument;

use super::sdk::{WAYS, start, traced};
use super::{ask, exemplars, parent};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

type Seen = Arc<Mutex<Vec<HeaderMap>>>;

/// Logs and calls, in the span around it and in one of its own. Answers with the ids that it knows.
async fn work(telemetry: Telemetry, seen: Seen) -> String {
    tracing::info!("outer event");
    let keep = |request: Request<Body>| {
        seen.lock().unwrap().push(request.headers().clone());
        async { Ok::<_, Infallible>(Response::new(Body::empty())) }
    };
    let client = telemetry.outgoing_layer("stock").layer(service_fn(keep));
    let calls = async {
        tokio::task::yield_now().await;
        tracing::info!("inner event");
        let context = redpane::current().unwrap();
        seen.lock().unwrap().push(context.outgoing_headers());
        client.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    };
    calls.instrument(tracing::info_span!("child")).await;
    let context = redpane::current().unwrap();
    format!("{} {}", context.trace_id(), context.span_id())
}

/// Every place of the SDK's span, way to ask for it and order of the layers.
fn variants() -> impl Iterator<Item = (bool, usize, bool)> {
    let all = |outside| (0..WAYS.len()).flat_map(move |way| [(outside, way, true), (outside, way, false)]);
    all(true).chain(all(false))
}

#[tokio::test]
async fn lines_exemplars_headers_and_spans_have_the_same_ids() {
    for (outside, way, log_layer_first) in variants() {
        let case = format!("outside {outside}, way {way}, log layer first {log_layer_first}");
        let observed = Observed::with(|redpane| redpane.ids_from(WAYS[way]));
        let (spans, _guard) = start(&observed.telemetry, Sampler::AlwaysOn, log_layer_first);
        let (telemetry, seen) = (observed.telemetry.clone(), Seen::default());
        let kept = Arc::clone(&seen);
        let router = Router::new().route("/", get(move || work(telemetry, kept)));
        let instrument = |router| observed.telemetry.clone().instrument(router);
        let app = if outside { traced(instrument(router), true) } else { instrument(traced(router, true)) };
        let traceparent = format!("00-{TRACE}-{PARENT}-01");
        let sent = [("traceparent", &*traceparent), ("tracestate", "a=1"), ("baggage", "k=v")];
        let (_, headers, body) = ask(&app, &sent).await;

        let spans = spans.ids();
        let ([trace, server, above], [_, child, below]) = (&spans["server"], &spans["child"]);
        assert_eq!((&**trace, &**above, below, spans.len()), (TRACE, PARENT, server, 2), "{case}");
        let line = observed.only_request().await;
        assert_eq!((line.str("trace_id"), line.str("span_id")), (&**trace, &**server), "{case}");
        assert_eq!(line["parent_span_id"], PARENT, "{case}");
        assert_eq!((headers["x-trace-id"].as_bytes(), body), (trace.as_bytes(), format!("{trace} {server}")), "{case}");
        assert_eq!(exemplars(&observed), [&**trace], "{case}");
        for (message, span) in [("outer event", server), ("inner event", child)] {
            let event = observed.messages(message, 1).await.remove(0);
            assert_eq!((event.str("trace_id"), event.str("span_id")), (&**trace, &**span), "{case}: {message}");
        }
        for headers in &*seen.lock().unwrap() {
            let parent = parent(headers);
            assert_eq!((parent.trace_id.as_str(), parent.parent_id.as_str()), (&**trace, &**child), "{case}");
            let lists = [&headers["tracestate"], &headers["baggage"]].map(|list| list.to_str().unwrap());
            assert_eq!((parent.flags, lists), (1, ["a=1", "k=v"]), "{case}");
        }
    }
}

#[tokio::test]
async fn a_trace_of_the_sdks_own_is_not_the_callers() {
    for (outside, way, log_layer_first) in variants() {
        let observed = Observed::with(|redpane| redpane.ids_from(WAYS[way]));
        let (spans, _guard) = start(&observed.telemetry, Sampler::AlwaysOn, log_layer_first);
        let seen = Seen::default();
        let kept = Arc::clone(&seen);
        let handler = async move |context: RequestContext| kept.lock().unwrap().push(context.outgoing_headers());
        let router = Router::new().route("/", get(handler));
        let instrument = |router| observed.telemetry.clone().instrument(router);
        let app = if outside { traced(instrument(router), false) } else { instrument(traced(router, false)) };
        let traceparent = format!("00-{TRACE}-{PARENT}-01");
        ask(&app, &[("traceparent", &traceparent), ("tracestate", "a=1")]).await;
        let [trace, server, _] = &spans.ids()["server"];
        let line = observed.only_request().await;
        assert_ne!(trace, TRACE);
        assert_eq!((line.str("trace_id"), line.str("span_id")), (&**trace, &**server));
        assert_eq!(line.get("parent_span_id"), None, "it is of another trace");
        let seen = seen.lock().unwrap();
        assert_eq!((parent(&seen[0]).trace_id.as_str(), seen[0].get("tracestate")), (&**trace, None));
    }
}

/// Nothing of the request is logged and nobody is called while the span is open.
#[tokio::test]
async fn a_span_inside_is_found_in_a_quiet_request() {
    for (_, way, log_layer_first) in variants().filter(|(outside, ..)| !outside) {
        let case = format!("way {way}, log layer first {log_layer_first}");
        let observed = Observed::with(|redpane| redpane.ids_from(WAYS[way]));
        let (spans, _guard) = start(&observed.telemetry, Sampler::AlwaysOn, log_layer_first);
        // Not seen by the log layer; the request is taken apart in it.
        let app = observed.telemetry.clone().instrument(traced(Router::new().route("/", get(|| async { "x" })), true));
        let (_, layered, _) = ask(&app, &[]).await;
        // Opened when the request is gone; seen by the log layer.
        let handler = || async { "x" }.instrument(tracing::info_span!("handler"));
        let app = observed.telemetry.clone().instrument(Router::new().route("/", get(handler)));
        let (_, handled, _) = ask(&app, &[]).await;
        let (spans, lines) = (spans.ids(), observed.access_lines(2).await);
        for (line, headers, span) in [(&lines[0], layered, "server"), (&lines[1], handled, "handler")] {
            let [trace, span, _] = &spans[span];
            assert_eq!((line.str("trace_id"), line.str("span_id")), (&**trace, &**span), "{case}");
            assert_eq!(headers["x-trace-id"], **trace, "{case}");
        }
    }
}

#[tokio::test]
async fn a_request_that_the_sdk_does_not_sample_is_passed_on_so_and_is_no_exemplar() {
    for way in WAYS {
        let observed = Observed::with(|redpane| redpane.ids_from(way));
        let (spans, _guard) = start(&observed.telemetry, Sampler::AlwaysOff, false);
        let (telemetry, seen) = (observed.telemetry.clone(), Seen::default());
        let kept = Arc::clone(&seen);
        let router = Router::new().route("/", get(move || work(telemetry, kept)));
        let app = traced(observed.telemetry.clone().instrument(router), true);
        let (_, headers, _) = ask(&app, &[]).await;
        assert_eq!((spans.ids().len(), exemplars(&observed).len()), (0, 0));
        let line = observed.only_request().await;
        assert_eq!(headers["x-trace-id"], line.str("trace_id"));
        for headers in &*seen.lock().unwrap() {
            assert_eq!((parent(headers).trace_id.as_str(), parent(headers).flags), (line.str("trace_id"), 0));
        }
    }
}

#[tokio::test]
async fn error_answers_and_lines_of_panics_have_the_ids_too() {
    for outside in [true, false] {
        let observed = Observed::with(|redpane| redpane.ids_from(WAYS[0]));
        let (spans, _guard) = start(&observed.telemetry, Sampler::AlwaysOn, false);
        let refuse = || async { Problem::new(StatusCode::GONE) };
        let fall = || async {
            if true {
                panic!("falls over")
            }
        };
        for (name, router) in
            [("410", Router::new().route("/", get(refuse))), ("500", Router::new().route("/", get(fall)))]
        {
            let instrument = |router| observed.telemetry.clone().instrument(router);
            let app = if outside { traced(instrument(router), true) } else { instrument(traced(router, true)) };
            let (status, headers, body) = ask(&app, &[]).await;
            assert_eq!(status.as_str(), name);
            let trace = headers["x-trace-id"].to_str().unwrap().to_owned();
            assert!(body.contains(&format!("\"trace_id\":\"{trace}\"")), "{body}");
            let [of_span, ..] = spans.take("server");
            assert_eq!(of_span, trace, "outside {outside}, {name}");
        }
        let [refused, fallen] = &observed.access_lines(2).await[..] else { panic!("two lines") };
        let panicked = observed.messages("falls over", 1).await.remove(0);
        assert_eq!((&panicked["trace_id"], &panicked["span_id"]), (&fallen["trace_id"], &fallen["span_id"]));
        assert_ne!(refused["trace_id"], fallen["trace_id"]);
    }
}

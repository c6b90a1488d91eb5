//! INTERNAL spans: `tracing` spans inside of a request.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use redpane::{Sampler, TraceKeep};
use test_support::otlp::{Receiver, Span, SpanKind};
use tower::ServiceExt;
use tracing::Instrument;
use tracing::subscriber::set_default;
use tracing_subscriber::layer::SubscriberExt;

use super::{attribute, exported, flush, observed, text};

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
    assert_eq!(found.len(), 1, "{name} is there once: {spans:?}");
    found[0]
}

async fn work() -> &'static str {
    let outer = tracing::info_span!("outer", items = 3, note = "ä", late = tracing::field::Empty);
    outer.record("items", 4);
    outer.record("late", true);
    async { tracing::info_span!("inner").in_scope(|| ()) }.instrument(outer).await;
    tracing::debug_span!("not of this level").in_scope(|| ());
    "done"
}

#[tokio::test]
async fn spans_of_a_request_are_its_children() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    let _subscriber = set_default(tracing_subscriber::registry().with(observed.telemetry.log_layer()));
    tracing::info_span!("outside").in_scope(|| ());
    let app = observed.telemetry.clone().instrument(Router::new().route("/", get(work)));
    app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
    flush(&observed).await;
    let spans = receiver.spans();
    assert_eq!((spans.len(), exported(&observed)), (3, 3), "{spans:?}");
    let (server, outer, inner) = (named(&spans, "GET /"), named(&spans, "outer"), named(&spans, "inner"));
    assert_eq!((&outer.parent_span_id, &inner.parent_span_id), (&server.span_id, &outer.span_id));
    for span in [outer, inner] {
        assert_eq!((&span.trace_id, span.kind, span.flags), (&server.trace_id, SpanKind::Internal as i32, 0x101));
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
    }
    assert_eq!(text(outer, "note"), "ä");
    use test_support::otlp::Value;
    assert_eq!(attribute(&outer.attributes, "items"), Some(&Value::IntValue(4)));
    assert_eq!(attribute(&outer.attributes, "late"), Some(&Value::BoolValue(true)));
}

#[tokio::test]
async fn they_go_the_way_of_their_request_also_after_its_end() {
    let receiver = Receiver::start().await;
    let off = Sampler::by_name("always_off", 1.0).unwrap();
    let observed = observed(&receiver, |otlp| otlp.sampler(off).keep(TraceKeep::default()));
    let _subscriber = set_default(tracing_subscriber::registry().with(observed.telemetry.log_layer()));
    for status in [200, 500] {
        let (send, take) = std::sync::mpsc::channel();
        let handler = move || async move {
            work().await;
            send.send(tracing::info_span!("late")).unwrap();
            http::StatusCode::from_u16(status).unwrap()
        };
        let app = observed.telemetry.clone().instrument(Router::new().route("/", get(handler)));
        app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        drop(take.recv().unwrap());
    }
    flush(&observed).await;
    let spans = receiver.spans();
    assert_eq!((spans.len(), exported(&observed)), (4, 4), "{spans:?}");
    let server = named(&spans, "GET /");
    for name in ["outer", "inner", "late"] {
        assert_eq!(named(&spans, name).trace_id, server.trace_id, "{name}");
    }
}

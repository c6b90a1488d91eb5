//! Bounds, reserved names, kinds of values, the log filter, and where else the fields are.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::get;
use redpane::{FinishedRequest, RequestObserver};
use serde_json::json;
use test_support::Observed;
use tracing::field::Empty;
use tracing::{debug_span, info_span, trace_span};
use tracing_subscriber::filter::Targets;

use super::{ask, fields, line_of, own, subscribed};

fn promoting(names: &[&str]) -> Observed {
    Observed::with(|redpane| redpane.promote_span_fields(names.iter().copied()))
}

#[tokio::test]
async fn the_bounds_are_those_of_recorded_fields() {
    let (observed, _subscriber) = subscribed(promoting(&["big", "shown", "small"]));
    let handler = || async {
        let span =
            info_span!("work", small = 1, big = "x".repeat(5000), shown = tracing::field::debug("y".repeat(100_000)));
        for number in 0..20 {
            redpane::record(format!("f{number}"), number);
        }
        span.record("small", "z".repeat(5000));
    };
    let line = line_of(&observed, handler).await;
    // Two of the span, five of the numbers, and the last one: it leaves the earlier value.
    assert_eq!((&line["small"], &line["fields_dropped"]), (&json!(1), &json!(8)), "{}", line.text);
    assert_eq!((line.get("big"), line.get("shown"), line.get("f15")), (None, None, None));
}

#[tokio::test]
async fn reserved_names_get_a_prefix() {
    let (observed, _subscriber) = subscribed(promoting(&["status", "trace_id", "message"]));
    let handler = || async { info_span!("work", status = "open", trace_id = 1, message = "m").in_scope(|| ()) };
    let line = line_of(&observed, handler).await;
    let expected = [("field.message", json!("m")), ("field.status", json!("open")), ("field.trace_id", json!(1))];
    let mut own = own(&line);
    own.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!((own, &line["status"]), (fields(expected), &json!(200)), "{}", line.text);
}

#[tokio::test]
async fn every_kind_of_value() {
    let names = ["text", "flag", "signed", "unsigned", "wide", "wider", "ratio", "failure", "shown", "empty"];
    let (observed, _subscriber) = subscribed(promoting(&names));
    let handler = || async {
        let failure = std::io::Error::other("refused");
        let failure: &(dyn std::error::Error + 'static) = &failure;
        let span = info_span!("work", text = "ä", flag = true, signed = -1, unsigned = u64::MAX, wide = 7_i128);
        drop(span);
        drop(info_span!("more", wider = u128::MAX, ratio = 0.5, failure, shown = ?Some(1), empty = Empty));
    };
    let line = line_of(&observed, handler).await;
    let expected = [
        ("text", json!("ä")),
        ("flag", json!(true)),
        ("signed", json!(-1)),
        ("unsigned", json!(u64::MAX)),
        ("wide", json!(7)),
        ("wider", json!(u128::MAX.to_string())),
        ("ratio", json!(0.5)),
        ("failure", json!("refused")),
        ("shown", json!("Some(1)")),
    ];
    assert_eq!(own(&line), fields(expected), "{}", line.text);
}

/// Access lines are what is left of a log that is set to `warn`, and the tenant belongs there.
#[tokio::test]
async fn the_log_filter_does_not_hide_them() {
    let filter: Targets = "warn,redpane::access=info".parse().unwrap();
    let observed = Observed::with(|redpane| redpane.log_filter(filter).promote_span_fields(["tenant", "items"]));
    let (observed, _subscriber) = subscribed(observed);
    let handler = || async {
        debug_span!("order", tenant = "acme").in_scope(|| tracing::info!("not written"));
        trace_span!("deep", items = 3).in_scope(|| tracing::trace!("not written"));
        info_span!("nothing promoted", color = "red").in_scope(|| tracing::warn!("written"));
    };
    let line = line_of(&observed, handler).await;
    assert_eq!(own(&line), fields([("tenant", json!("acme")), ("items", json!(3))]), "{}", line.text);
    let messages: Vec<_> = observed.lines().iter().map(|line| line.str("message").to_owned()).collect();
    assert_eq!(messages, ["written", "request"]);
}

/// Keeps the fields that it is shown.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl RequestObserver for Seen {
    fn finished(&self, request: &FinishedRequest<'_>) {
        self.0.lock().unwrap().extend(request.fields().map(|(name, value)| format!("{name}={value:?}")));
    }
}

#[tokio::test]
async fn observers_see_them() {
    let seen = Seen::default();
    let observed = Observed::with(|redpane| redpane.observer(seen.clone()).promote_span_fields(["tenant"]));
    let (observed, _subscriber) = subscribed(observed);
    line_of(&observed, || async { info_span!("order", tenant = "acme").in_scope(|| ()) }).await;
    assert_eq!(*seen.0.lock().unwrap(), ["tenant=Text(\"acme\")"]);
}

#[cfg(feature = "otlp")]
#[tokio::test]
async fn the_span_of_the_request_has_them() {
    use test_support::otlp::{Receiver, SpanKind};
    let receiver = Receiver::start().await;
    let otlp = redpane::Otlp::new(receiver.endpoint());
    let observed = Observed::by(redpane::Redpane::new("test").otlp(otlp).promote_span_fields(["tenant"]));
    let (observed, _subscriber) = subscribed(observed);
    let handler = || async { debug_span!("order", tenant = "acme").in_scope(|| ()) };
    ask(observed.telemetry.clone().instrument(Router::new().route("/", get(handler)))).await;
    let telemetry = observed.telemetry.clone();
    let flush = move || telemetry.flush(std::time::Duration::from_secs(30)).unwrap();
    tokio::task::spawn_blocking(flush).await.unwrap();
    let spans = receiver.spans();
    let server = spans.iter().find(|span| span.kind == SpanKind::Server as i32).unwrap();
    let tenant = server.attributes.iter().find(|attribute| attribute.key == "tenant").unwrap();
    let text = test_support::otlp::Value::StringValue("acme".into());
    assert_eq!(tenant.value.as_ref().unwrap().value, Some(text));
    assert_eq!(spans.len(), 2, "a span that the log filter leaves out otherwise is exported too: {spans:?}");
}

//! Spans of the service: where they go, what they say, and that nobody waits for them.

use std::collections::BTreeMap;

use serde_json::json;
use test_support::otlp::{Behaviour, ExportTraceServiceRequest, Receiver, Span, SpanKind, Value, hex};
use test_support::process::{Process, Reading, listening};
use test_support::{Line, client, eventually};

use super::redpane;

/// The service of each span, by the span's id.
fn services(receiver: &Receiver) -> BTreeMap<String, String> {
    let of_batch = |batch: ExportTraceServiceRequest| {
        batch.resource_spans.into_iter().flat_map(|of| {
            let attributes = of.resource.unwrap_or_default().attributes;
            let name = attributes.into_iter().find(|attribute| attribute.key == "service.name");
            let Some(Value::StringValue(name)) = name.and_then(|name| name.value).and_then(|value| value.value) else {
                panic!("no service.name")
            };
            let spans = of.scope_spans.into_iter().flat_map(|of| of.spans);
            spans.map(|span| (hex(&span.span_id), name.clone())).collect::<Vec<_>>()
        })
    };
    receiver.batches().into_iter().flat_map(of_batch).collect()
}

/// Ends a service as an operator would; gives its last lines.
async fn ended(mut process: Process) -> Vec<Line> {
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
    process.lines()
}

#[tokio::test]
async fn one_request_through_four_services_is_one_trace() {
    let receiver = Receiver::start().await;
    let mut processes = Vec::new();
    let mut next = String::new();
    for app in ["payment", "stock", "orders", "api"] {
        let endpoint = receiver.endpoint();
        let variables =
            [("REDPANE_APP", app), ("REDPANE_UPSTREAM", &next), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint)];
        let (process, address) = listening(redpane(&[], &variables), Reading::AsItComes).await;
        next = format!("http://{address}");
        processes.push((app, process, address));
    }
    let answer = client::get(processes[3].2, "/checkout").await;
    let trace_id = answer.header("x-trace-id").to_owned();
    let mut lines = BTreeMap::new();
    for (app, process, _) in processes {
        let line = process.line("request").await;
        lines.insert(app, line.str("span_id").to_owned());
        let last = ended(process).await.pop().unwrap();
        assert_eq!(last.str("message"), "every span was exported");
        assert_eq!(last["exported"], if app == "payment" { 3 } else { 4 }, "{app}");
    }
    let spans = receiver.spans();
    let services = services(&receiver);
    assert!(spans.iter().all(|span| hex(&span.trace_id) == trace_id), "{spans:#?}");
    let of = |app: &str, kind: SpanKind| -> Vec<&Span> {
        let is_its = |span: &&Span| span.kind == kind as i32 && services[&hex(&span.span_id)] == app;
        spans.iter().filter(is_its).collect()
    };
    let chain = ["api", "orders", "stock", "payment"];
    for (index, app) in chain.iter().enumerate() {
        let [server] = of(app, SpanKind::Server)[..] else { panic!("{app}: {spans:#?}") };
        assert_eq!((server.name.as_str(), hex(&server.span_id)), ("GET /checkout", lines[app].clone()));
        let inner = of(app, SpanKind::Internal);
        let names: Vec<_> = inner.iter().map(|span| span.name.as_str()).collect();
        assert_eq!(names, ["reserve", "price"], "{app}");
        assert!(inner.iter().all(|span| span.parent_span_id == server.span_id), "{app}: {inner:#?}");
        if let Some(next) = chain.get(index + 1) {
            let [call] = of(app, SpanKind::Client)[..] else { panic!("{app}: {spans:#?}") };
            assert_eq!(call.parent_span_id, server.span_id);
            assert_eq!(of(next, SpanKind::Server)[0].parent_span_id, call.span_id, "{next} is called by {app}");
        }
    }
    assert_eq!(spans.len(), 15);
}

#[tokio::test]
async fn requests_that_end_badly_are_kept_though_nobody_samples() {
    let receiver = Receiver::start().await;
    let endpoint = receiver.endpoint();
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()),
        ("OTEL_TRACES_SAMPLER", "always_off"),
        ("REDPANE_FAULTS", "1"),
    ];
    for (keep, expected) in [("", vec!["GET /faults/status/{code}"]), ("none", vec![]), ("slow", vec![])] {
        let variables: Vec<_> = variables.into_iter().chain([("REDPANE_TRACE_KEEP", keep)]).collect();
        let before = receiver.spans().len();
        let (process, address) = listening(redpane(&[], &variables), Reading::AsItComes).await;
        client::get(address, "/hello/a").await;
        client::get(address, "/faults/status/503").await;
        ended(process).await;
        let names: Vec<_> = receiver.spans().split_off(before).into_iter().map(|span| span.name).collect();
        assert_eq!(names, expected, "REDPANE_TRACE_KEEP={keep:?}");
    }
}

#[tokio::test]
async fn no_request_and_no_end_waits_for_a_receiver_that_does_not_answer() {
    let receiver = Receiver::start().await;
    receiver.behave(Behaviour::Hang);
    let endpoint = receiver.endpoint();
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "1")];
    let (process, address) = listening(redpane(&[], &variables), Reading::AsItComes).await;
    client::get(address, "/hello/a").await;
    eventually("it is asked", async || (!receiver.attempts().is_empty()).then_some(())).await;
    assert_eq!(client::get(address, "/hello/b").await.status, 200);
    let lines = ended(process).await;
    let last = lines.last().unwrap();
    assert_eq!((last.str("level"), &last["exported"], &last["dropped"]), ("WARN", &json!(0), &json!(2)), "{lines:#?}");
    assert_eq!((last.str("message"), last.str("reasons")), ("2 spans were lost", "shutdown 2"));
}

#[tokio::test]
async fn the_start_says_where_spans_go_and_what_is_not_supported() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1/"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ];
    let (process, address) = listening(redpane(&[], &variables), Reading::AsItComes).await;
    assert_eq!(process.line("listening").await.str("spans_to"), "http://127.0.0.1:1/v1/traces");
    let line = process.line("a setting of traces is not supported").await;
    assert!(line.text.contains("OTEL_EXPORTER_OTLP_PROTOCOL=grpc"), "{}", line.text);
    let answer = client::get(address, "/hello/a").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(process.lines().iter().all(|line| !line.text.contains("s3cret")));
}

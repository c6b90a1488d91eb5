//! What a span says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::response::IntoResponse;
use axum::routing::get;
use http::Request;
use http_body_util::BodyExt;
use redpane::{ExpositionFormat, Otlp, Redpane, Sampler, TraceKeep};
use test_support::otlp::{Receiver, Span, SpanKind, StatusCode, Value, hex};
use test_support::{Observed, client};

use super::{ask, ask_for, attribute, exported, flush, observed, text};

fn nanoseconds(time: SystemTime) -> u64 {
    u64::try_from(time.duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

async fn only_span(receiver: &Receiver, observed: &Observed) -> Span {
    flush(observed).await;
    let spans = receiver.spans();
    assert_eq!(spans.len(), 1, "{spans:?}");
    spans.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_span_says_what_the_line_says() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| {
        let otlp = otlp.header("x-tenant", "a").resource("deployment.environment", "test");
        otlp.resource("service.name", "the app is the only name")
    });
    let before = nanoseconds(SystemTime::now());
    let request = Request::get("/hello/ada?token=secret")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .header("tracestate", "vendor=1")
        .header("user-agent", "curl/8.5.0");
    ask(&observed, request.body(Body::empty()).unwrap()).await;
    let span = only_span(&receiver, &observed).await;
    let line = observed.only_request().await;
    assert_eq!((span.name.as_str(), span.kind), ("GET /hello/{name}", SpanKind::Server as i32));
    assert_eq!((hex(&span.trace_id), hex(&span.span_id)), (line.str("trace_id").into(), line.str("span_id").into()));
    assert_eq!(hex(&span.parent_span_id), "00f067aa0ba902b7");
    assert_eq!((span.trace_state.as_str(), span.flags), ("vendor=1", 0x301));
    assert!(before <= span.start_time_unix_nano && span.end_time_unix_nano <= nanoseconds(SystemTime::now()));
    let seconds = (span.end_time_unix_nano - span.start_time_unix_nano) as f64 / 1e9;
    assert_eq!(Some(seconds), line["duration_seconds"].as_f64());
    assert_eq!(span.status, None);
    let texts = [
        ("http.request.method", "GET"),
        ("http.route", "/hello/{name}"),
        ("url.path", "/hello/ada"),
        ("url.scheme", "http"),
        ("user_agent.original", "curl/8.5.0"),
        ("network.protocol.version", "1.1"),
        ("redpane.outcome", "complete"),
    ];
    texts.iter().for_each(|(key, value)| assert_eq!(text(&span, key), *value, "{key}"));
    assert_eq!(attribute(&span.attributes, "http.response.status_code"), Some(&Value::IntValue(200)));
    assert_eq!(attribute(&span.attributes, "error.type"), None);

    let batch = receiver.batches().remove(0).resource_spans.remove(0);
    let resource = batch.resource.unwrap().attributes;
    let has = |key: &str, value: &str| {
        assert_eq!(attribute(&resource, key), Some(&Value::StringValue(value.into())), "{key}");
    };
    has("service.name", "test");
    has("deployment.environment", "test");
    assert!(attribute(&resource, "service.instance.id").is_some() && attribute(&resource, "service.version").is_some());
    let headers = &receiver.attempts()[0];
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert_eq!(headers["x-tenant"], "a");
    assert!(!headers.contains_key("content-encoding"), "gzip only where it was asked for");
    assert_eq!(exported(&observed), 1);
    let lines = observed.lines();
    let note = lines.iter().find(|line| line["target"] == "redpane::traces").expect("the second name is told");
    assert!(note.str("reason").contains("service.name"), "{}", note.text);
}

#[tokio::test]
async fn failures_and_recorded_fields() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp.gzip(true));
    let handler = || async {
        redpane::record("tenant", "ä\u{0}\"\n");
        redpane::record("items", u64::MAX);
        redpane::record("http.route", "mine");
        redpane::record_error(&std::io::Error::other("the disk is gone"));
        http::StatusCode::SERVICE_UNAVAILABLE
    };
    let panics = || async {
        if true {
            panic!("over")
        }
    };
    let router = Router::new().route("/fails", get(handler)).route("/panics", get(panics));
    let address = observed.serve(router).await;
    client::get(address, "/fails").await;
    client::get(address, "/panics").await;
    client::get(address, "/nowhere").await;
    observed.finished(3).await;
    flush(&observed).await;
    let spans = receiver.spans();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("{name}: {spans:?}"));
    let failed = named("GET /fails");
    assert_eq!((text(failed, "tenant"), text(failed, "items")), ("ä\u{0}\"\n".into(), u64::MAX.to_string()));
    assert_eq!((text(failed, "http.route"), text(failed, "field.http.route")), ("/fails".into(), "mine".into()));
    assert_eq!(text(failed, "error.type"), "std::io::error::Error");
    assert_eq!(text(failed, "client.address"), "127.0.0.1");
    let status = failed.status.as_ref().unwrap();
    assert_eq!((status.code, status.message.as_str()), (StatusCode::Error as i32, "the disk is gone"));
    let panicked = named("GET /panics");
    assert_eq!((text(panicked, "error.type"), panicked.status.as_ref().unwrap().code), ("panic".into(), 2));
    let unmatched = named("GET unmatched");
    assert_eq!((&unmatched.status, attribute(&unmatched.attributes, "http.route")), (&None, None));
    assert_eq!(receiver.attempts()[0]["content-encoding"], "gzip");
}

/// Its HTTP status is 200 whatever happens.
#[tokio::test]
async fn a_grpc_call_has_its_code() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    for code in ["0", "14", "5"] {
        let answer = move |_: Request<Body>| {
            let headers = [("content-type", "application/grpc"), ("grpc-status", code)];
            std::future::ready(Ok::<_, std::convert::Infallible>((headers, ()).into_response()))
        };
        let service = tower::Layer::layer(&observed.telemetry.layer(), tower::service_fn(answer));
        let call = Request::post("/shop.Orders/Take").header("content-type", "application/grpc");
        let answer = tower::ServiceExt::oneshot(service, call.body(Body::empty()).unwrap()).await.unwrap();
        answer.into_body().collect().await.unwrap();
    }
    flush(&observed).await;
    let spans = receiver.spans();
    let said = |code: &str| spans.iter().find(|span| text(span, "rpc.status_code") == code).unwrap();
    let failed = said("UNAVAILABLE");
    assert_eq!((text(failed, "error.type"), failed.status.as_ref().unwrap().code), ("UNAVAILABLE".into(), 2));
    for code in ["UNAVAILABLE", "NOT_FOUND", "OK"] {
        let span = said(code);
        assert_eq!([text(span, "rpc.system.name"), text(span, "rpc.method")], ["grpc", "shop.Orders/Take"]);
        assert_eq!(attribute(&span.attributes, "http.response.status_code"), Some(&Value::IntValue(200)));
    }
    // The conventions before 1.45 have other names.
    let scope = receiver.batches().remove(0).resource_spans.remove(0).scope_spans.remove(0);
    assert_eq!(scope.schema_url, "https://opentelemetry.io/schemas/1.45.0");
    for code in ["NOT_FOUND", "OK"] {
        assert_eq!((&said(code).status, attribute(&said(code).attributes, "error.type")), (&None, None), "{code}");
    }
}

#[tokio::test]
async fn a_method_of_nobodys_is_in_an_attribute_and_not_in_the_name() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    ask(&observed, Request::builder().method("BREW").uri("/hello/ada").body(Body::empty()).unwrap()).await;
    let span = only_span(&receiver, &observed).await;
    assert_eq!(span.name, "HTTP /hello/{name}");
    let methods = ["http.request.method", "http.request.method_original"].map(|key| text(&span, key));
    assert_eq!(methods, ["_OTHER", "BREW"]);
}

#[tokio::test]
async fn a_method_that_has_a_name_is_not_told_twice() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    ask(&observed, Request::builder().method("QUERY").uri("/hello/ada").body(Body::empty()).unwrap()).await;
    let span = only_span(&receiver, &observed).await;
    assert_eq!(text(&span, "http.request.method"), "QUERY");
    assert_eq!(attribute(&span.attributes, "http.request.method_original"), None);
}

#[tokio::test]
async fn a_client_that_leaves_has_a_span_without_a_status_code() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    let router = Router::new().route("/", get(std::future::pending::<()>));
    let app = observed.telemetry.clone().instrument(router);
    let call = tower::ServiceExt::oneshot(app, Request::get("/").body(Body::empty()).unwrap());
    assert!(tokio::time::timeout(Duration::from_millis(10), call).await.is_err());
    let span = only_span(&receiver, &observed).await;
    assert_eq!((text(&span, "redpane.outcome"), &span.status), ("aborted".into(), &None));
    assert_eq!(attribute(&span.attributes, "http.response.status_code"), None);
}

#[tokio::test]
async fn health_checks_have_no_span_unless_they_fail() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp);
    ask_for(&observed, "/healthz").await;
    ask_for(&observed, "/metrics").await;
    ask_for(&observed, "/hello/ada").await;
    assert_eq!(only_span(&receiver, &observed).await.name, "GET /hello/{name}");
}

#[tokio::test]
async fn what_was_not_sampled_is_kept_where_it_fails_and_downstream_does_not_know() {
    let receiver = Receiver::start().await;
    let observed = observed(&receiver, |otlp| otlp.sampler(Sampler::by_name("always_off", 1.0).unwrap()));
    let handler = || async {
        let sent = redpane::current().unwrap().outgoing_headers();
        assert!(sent["traceparent"].to_str().unwrap().ends_with("-00"));
        http::StatusCode::INTERNAL_SERVER_ERROR
    };
    let router = Router::new().route("/fails", get(handler)).route("/", get(|| async { "fine" }));
    let address = observed.serve(router).await;
    client::get(address, "/").await;
    client::get(address, "/fails").await;
    observed.finished(2).await;
    let span = only_span(&receiver, &observed).await;
    assert_eq!((span.name.as_str(), span.flags), ("GET /fails", 0x100));
}

#[tokio::test]
async fn slow_requests_are_kept_and_others_are_no_exemplars() {
    let receiver = Receiver::start().await;
    let slow = TraceKeep::default().slow_from(Duration::from_millis(30));
    let observed =
        observed(&receiver, |otlp| otlp.sampler(Sampler::by_name("parentbased_always_off", 1.0).unwrap()).keep(slow));
    let sleeping = || tokio::time::sleep(Duration::from_millis(40));
    let router = Router::new().route("/slow", get(sleeping)).route("/", get(|| async { "fast" }));
    let address = observed.serve(router).await;
    let fast = client::get(address, "/").await;
    let slow = client::get(address, "/slow").await;
    observed.finished(2).await;
    assert_eq!(only_span(&receiver, &observed).await.name, "GET /slow");
    let scraped = observed.telemetry.render(ExpositionFormat::OpenMetrics);
    assert!(scraped.contains(slow.header("x-trace-id")), "{scraped}");
    assert!(!scraped.contains(fast.header("x-trace-id")), "{scraped}");
}

#[tokio::test]
async fn where_other_exporters_are_wanted_nothing_is_exported_and_a_line_says_so() {
    let receiver = Receiver::start().await;
    let variables =
        [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver.endpoint()), ("OTEL_TRACES_EXPORTER", "console".into())];
    let find = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
    let observed = Observed::by(Redpane::new("test").otlp(Otlp::from_variables(find).unwrap().unwrap()));
    ask_for(&observed, "/hello/ada").await;
    flush(&observed).await;
    assert!(receiver.attempts().is_empty());
    let lines = observed.lines();
    let note = lines.iter().find(|line| line["target"] == "redpane::traces").expect("it is told");
    assert!(note.str("reason").contains("OTEL_TRACES_EXPORTER=console"), "{}", note.text);
    let counts = observed.telemetry.end_spans(Duration::ZERO);
    assert_eq!((counts.exported, counts.dropped), (0, 0));
}

#[test]
fn what_cannot_be_used_is_named() {
    let bad = |otlp: Otlp| Redpane::new("api").otlp(otlp).build().unwrap_err().to_string();
    assert!(bad(Otlp::new("no url")).contains("otlp(no url): a URL with a host is right"));
    assert!(bad(Otlp::new("ftp://host/")).contains("http://localhost:4318"));
    let error = bad(Otlp::new("http://host").header("a", "b").header("Bearer secret", "x").batch_spans(0));
    assert!(error.contains("otlp(header 2): a header") && error.contains("1 span or more"), "{error}");
    assert!(!error.contains("secret"));
    assert!(bad(Otlp::new("http://host").header("api-key", "\n")).contains("otlp(api-key): a header"));
    #[cfg(not(feature = "otlp-tls"))]
    assert!(bad(Otlp::new("https://host")).contains("otlp-tls"));
    assert!(!format!("{:?}", Otlp::new("http://host").header("key", "secret")).contains("secret"));
}

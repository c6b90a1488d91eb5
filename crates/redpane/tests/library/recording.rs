//! Fields that an application records, and observers.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use redpane::problem::Problem;
use redpane::{FinishedRequest, Outcome, RequestContext, RequestObserver};
use serde_json::{Value, json};
use test_support::{Line, Observed, client};

/// The line of one request to a handler.
async fn line_of(router: Router) -> Line {
    let observed = Observed::new();
    client::get(observed.serve(router).await, "/").await;
    observed.only_request().await
}

#[tokio::test]
async fn recorded_fields_are_on_the_access_line() {
    let handler = |context: RequestContext| async move {
        redpane::record("tenant", "acme");
        redpane::record("items", 3);
        redpane::record("items", 4_u64);
        tokio::task::yield_now().await;
        redpane::record("ratio", 0.5);
        redpane::record(String::from("paid"), true);
        redpane::spawn(async { redpane::record("in_a_task", -1) }).await.unwrap();
        tokio::spawn(async move { context.record("by_the_context", "yes") }).await.unwrap();
        tokio::spawn(async { redpane::record("elsewhere", "never") }).await.unwrap();
    };
    let line = line_of(Router::new().route("/", get(handler))).await;
    let own: Vec<_> = line.fields().iter().rev().take(6).rev().cloned().collect();
    let expected = [
        ("tenant", json!("acme")),
        ("items", json!(4)),
        ("ratio", json!(0.5)),
        ("paid", json!(true)),
        ("in_a_task", json!(-1)),
        ("by_the_context", json!("yes")),
    ];
    assert_eq!(own, expected.map(|(name, value)| (name.to_owned(), value)));
}

#[tokio::test]
async fn names_that_the_line_has_get_a_prefix_and_hostile_ones_stay_one_line() {
    let handler = || async {
        for name in ["status", "route", "request_id", "trace_id", "message", "field.status", "a\"\n\u{1}", ""] {
            redpane::record(name, "mine");
        }
    };
    let line = line_of(Router::new().route("/", get(handler))).await;
    assert_eq!((&line["status"], line.str("route")), (&200.into(), "/"));
    for name in [
        "field.status",
        "field.route",
        "field.request_id",
        "field.trace_id",
        "field.message",
        "field.field.status",
        "a\"\n\u{1}",
        "",
    ] {
        assert_eq!(line[name], "mine", "{name:?} in {}", line.text);
    }
}

#[tokio::test]
async fn what_is_past_the_bounds_is_counted() {
    let handler = || async {
        (0..20).for_each(|number| redpane::record(format!("f{number}"), number));
    };
    let line = line_of(Router::new().route("/", get(handler))).await;
    assert_eq!((&line["f15"], line.get("f16"), &line["fields_dropped"]), (&15.into(), None, &4.into()));
    let handler = || async { redpane::record("large", "x".repeat(5000)) };
    let line = line_of(Router::new().route("/", get(handler))).await;
    assert_eq!((line.get("large"), &line["fields_dropped"]), (None, &1.into()));
    let line = line_of(Router::new().route("/", get(|| async {}))).await;
    assert_eq!(line.get("fields_dropped"), None);
}

#[derive(Debug)]
struct PaymentFailed(std::io::Error);

impl fmt::Display for PaymentFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot pay")
    }
}

impl std::error::Error for PaymentFailed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[tokio::test]
async fn an_error_is_recorded_with_its_causes_and_its_type() {
    let failed = || PaymentFailed(std::io::Error::other("refused"));
    let handler = move || async move {
        redpane::record_error(&failed());
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let line = line_of(Router::new().route("/", get(handler))).await;
    assert_eq!((line.str("error"), line.str("level")), ("cannot pay: refused", "ERROR"));
    assert!(line.str("error_type").ends_with("::PaymentFailed"), "{}", line.text);

    let handler = move || async move {
        let boxed: Box<dyn std::error::Error + Send + Sync> = Box::new(failed());
        redpane::record_error(&*boxed);
    };
    let line = line_of(Router::new().route("/", get(handler))).await;
    assert_eq!((line.str("error"), line.get("error_type")), ("cannot pay: refused", None));
}

/// A type that stands beside another error's text would be worse than none.
#[tokio::test]
async fn a_later_error_without_a_type_takes_the_type_of_the_earlier_one_away() {
    let handler = || async {
        redpane::record_error(&std::io::Error::other("refused"));
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR).source(anyhow::anyhow!("cannot pay"))
    };
    let line = line_of(Router::new().route("/", get(handler))).await;
    assert_eq!((line.str("error"), line.get("error_type")), ("cannot pay", None), "{}", line.text);
}

#[tokio::test]
async fn an_error_has_room_beside_many_fields() {
    let handler = || async {
        (0..16).for_each(|number| redpane::record(format!("f{number}"), "x".repeat(250)));
        redpane::record_error(&std::io::Error::other("e".repeat(1000)));
    };
    let line = line_of(Router::new().route("/", get(handler))).await;
    assert_eq!(
        (line.str("error_type"), &line["fields_dropped"]),
        ("std::io::error::Error", &2.into()),
        "{}",
        line.text
    );
    let error = line.str("error");
    assert!(error.starts_with("eee") && error.ends_with("…[cut]") && error.len() >= 500, "{error}");
    assert_eq!((line.get("f13").is_some(), line.get("f14")), (true, None));
}

/// An extractor that refuses, a middleware inside, and a task: all of them are in the request.
#[tokio::test]
async fn from_an_extractor_a_middleware_inside_and_a_task() {
    struct Tenant;
    impl<S: Sync> axum::extract::FromRequestParts<S> for Tenant {
        type Rejection = Problem;
        async fn from_request_parts(parts: &mut http::request::Parts, _: &S) -> Result<Self, Problem> {
            redpane::record("tenant", "acme");
            match parts.uri.query() {
                None => Ok(Self),
                Some(_) => {
                    Err(Problem::new(StatusCode::FORBIDDEN).source(PaymentFailed(std::io::Error::other("refused"))))
                }
            }
        }
    }
    let inside = |request: axum::extract::Request, next: axum::middleware::Next| async move {
        redpane::record("inside", true);
        next.run(request).await
    };
    let handler = |_: Tenant| async {
        redpane::spawn(async { redpane::record_error(&std::io::Error::other("in a task")) }).await.unwrap();
    };
    let router = Router::new().route("/", get(handler)).layer(axum::middleware::from_fn(inside));
    let observed = Observed::new();
    let address = observed.serve(router).await;
    let refused = client::get(address, "/?x").await;
    assert!(!refused.text().contains("refused"), "the client is not told: {}", refused.text());
    client::get(address, "/").await;
    let lines = observed.access_lines(2).await;
    assert_eq!((lines[0].str("tenant"), lines[0].str("error")), ("acme", "cannot pay: refused"));
    assert!(lines[0].str("error_type").ends_with("::PaymentFailed"), "{}", lines[0].text);
    assert_eq!((&lines[1]["inside"], lines[1].str("error")), (&true.into(), "in a task"));
}

#[test]
fn outside_of_a_request_nothing_happens() {
    redpane::record("tenant", "acme");
    redpane::record_error(&std::io::Error::other("nobody listens"));
}

/// Keeps what it is shown.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Value>>>);

impl RequestObserver for Seen {
    fn finished(&self, request: &FinishedRequest<'_>) {
        assert!(request.started() <= SystemTime::now() && request.duration() < Duration::from_secs(60));
        let fields: Vec<_> = request.fields().map(|(name, value)| format!("{name}={value:?}")).collect();
        self.0.lock().unwrap().push(json!({
            "method": request.method(), "route": request.route(), "path": request.path(), "status": request.status(),
            "outcome": request.outcome().as_str(), "level": request.level().as_str(),
            "trace_id": request.trace_id().to_string(), "span_id": request.span_id().to_string(),
            "request_id": request.request_id(), "request_bytes": request.request_bytes(),
            "response_bytes": request.response_bytes(), "client": request.client().map(|client| client.to_string()),
            "fields": fields,
        }));
    }
}

/// Does what no observer should.
struct Panics;

impl RequestObserver for Panics {
    fn finished(&self, request: &FinishedRequest<'_>) {
        assert!(request.outcome() == Outcome::Error, "an observer falls over");
    }
}

#[tokio::test]
async fn observers_see_every_request_once_as_its_line_shows_it() {
    let seen = Seen::default();
    let observed = Observed::with(|redpane| redpane.observer(Panics).observer(seen.clone()));
    let handler = || async {
        redpane::record("tenant", "acme");
        "hello"
    };
    let router =
        Router::new().route("/hello/{name}", get(handler)).route("/panic", get(|| async { panic!("broken") as &str }));
    let address = observed.serve(router).await;
    for path in ["/hello/ada", "/panic", "/nowhere"] {
        client::get(address, path).await;
    }
    let lines = observed.access_lines(3).await;
    let seen = seen.0.lock().unwrap();
    assert_eq!(seen.len(), 3);
    for (seen, line) in seen.iter().zip(&lines) {
        for key in [
            "method",
            "route",
            "path",
            "status",
            "outcome",
            "level",
            "trace_id",
            "span_id",
            "request_id",
            "request_bytes",
            "response_bytes",
            "client",
        ] {
            assert_eq!(seen[key], line[key], "{key} in {}", line.text);
        }
    }
    assert_eq!(seen[0]["fields"], json!(["tenant=Text(\"acme\")"]));
    assert_eq!(seen[1]["outcome"], "panic");
}

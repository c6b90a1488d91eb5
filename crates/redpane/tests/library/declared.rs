//! Labels of the application's own, whose values are declared.

use std::borrow::Cow;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::routing::any;
use http::{HeaderMap, Method, StatusCode, request::Parts};
use redpane::Redpane;
use test_support::Observed;
use tower::ServiceExt;

/// Put there by a layer outside of redpane's.
#[derive(Clone)]
struct Region(String);

fn tier(parts: &Parts) -> Option<Cow<'_, str>> {
    Some(parts.headers.get("x-tier")?.to_str().ok()?.into())
}

fn none(_: &Parts) -> Option<Cow<'_, str>> {
    None
}

fn with_tier(redpane: Redpane) -> Redpane {
    redpane.label("tier", ["free", "paid"], tier)
}

/// What is sent: the tier, and the path.
async fn ask(router: &Router, tier: Option<&str>, path: &str) {
    let mut request = Request::builder().method("PATCH").uri(path).extension(Region("eu".into()));
    if let Some(tier) = tier {
        request = request.header("x-tier", tier);
    }
    let response = router.clone().oneshot(request.body(Body::from("sent")).unwrap()).await.unwrap();
    to_bytes(response.into_body(), usize::MAX).await.unwrap();
}

fn instrumented(observed: &Observed) -> Router {
    let intact = |method: Method, headers: HeaderMap, request: Request| async move {
        let region = request.extensions().get::<Region>().map(|region| region.0.clone());
        assert_eq!((method, request.uri().path(), region.as_deref()), (Method::PATCH, "/hello/ada", Some("eu")));
        assert!(headers.contains_key("x-request-id"));
        "hello"
    };
    let failing = || async { StatusCode::BAD_GATEWAY };
    let router = Router::new().route("/hello/{name}", any(intact)).route("/failing", any(failing));
    observed.telemetry.clone().instrument(router)
}

#[tokio::test]
async fn the_label_is_part_of_every_series_and_what_is_not_declared_is_other() {
    let observed = Observed::with(with_tier);
    let router = instrumented(&observed);
    for tier in [Some("free"), Some("free"), Some("paid"), None, Some("gold"), Some("")] {
        ask(&router, tier, "/hello/ada").await;
    }
    for number in 0..50 {
        ask(&router, Some(&format!("scanner-{number}")), "/hello/ada").await;
    }
    let samples = observed.samples();
    for name in [
        "http_requests_total",
        "http_request_duration_seconds_count",
        "http_request_size_bytes_count",
        "http_response_size_bytes_count",
    ] {
        let count = |tier| samples.sum(name, &[("route", "/hello/{name}"), ("tier", tier)]);
        assert_eq!(
            [count("free"), count("paid"), count("_other"), samples.sum(name, &[])],
            [2.0, 1.0, 53.0, 56.0],
            "{name}"
        );
    }
    let tiers = samples.of("http_requests_total", &[("route", "/hello/{name}"), ("status", "500")]).count();
    assert_eq!(tiers, 3, "the first error of each tier is seen by rate()");
    assert_eq!(samples.value("redpane_series", &[]), 6.0);
}

#[tokio::test]
async fn several_labels_and_extensions() {
    let observed = Observed::with(|redpane| {
        with_tier(redpane)
            .label("region", [String::from("eu")], |parts| Some(parts.extensions.get::<Region>()?.0.as_str().into()))
    });
    ask(&instrumented(&observed), Some("paid"), "/failing").await;
    let labels = [("tier", "paid"), ("region", "eu"), ("method", "PATCH"), ("route", "/failing"), ("status", "502")];
    assert_eq!(observed.samples().value("http_requests_total", &labels), 1.0);
}

#[tokio::test]
async fn preregistered_routes_have_all_values_at_zero() {
    let observed = Observed::with(|redpane| with_tier(redpane).preregister(Method::GET, "/orders"));
    let samples = observed.samples();
    for status in ["200", "500"] {
        for tier in ["free", "paid", "_other"] {
            let labels = [("route", "/orders"), ("status", status), ("tier", tier)];
            assert_eq!(samples.value("http_requests_total", &labels), 0.0);
        }
    }
}

#[tokio::test]
async fn past_the_limit_the_label_stays() {
    let observed = Observed::with(|redpane| with_tier(redpane).series_limit(2));
    let router = instrumented(&observed);
    for tier in ["free", "paid"] {
        ask(&router, Some(tier), "/hello/ada").await;
    }
    let samples = observed.samples();
    let count = |route, tier| samples.sum("http_requests_total", &[("route", route), ("tier", tier)]);
    assert_eq!([count("/hello/{name}", "free"), count("_overflow", "paid")], [1.0, 1.0]);
}

/// What a look-up finds may be a text that it has made.
#[tokio::test]
async fn a_value_may_be_owned() {
    let observed = Observed::with(|redpane| {
        redpane.label("tier", ["free", "paid"], |parts| {
            Some(parts.headers.get("x-tier")?.to_str().ok()?.to_ascii_lowercase().into())
        })
    });
    ask(&instrumented(&observed), Some("FREE"), "/hello/ada").await;
    assert_eq!(observed.samples().sum("http_requests_total", &[("tier", "free"), ("status", "200")]), 1.0);
}

/// A thousand values, ten methods and every status would be more than any limit.
#[tokio::test]
async fn past_the_limit_once_more_the_label_is_other() {
    let observed = Observed::with(|redpane| {
        let values = (0..100).map(|number| number.to_string());
        redpane.label("tier", values, tier).series_limit(10)
    });
    let router = instrumented(&observed);
    for number in 0..100 {
        ask(&router, Some(&number.to_string()), "/hello/ada").await;
        ask(&router, Some(&number.to_string()), "/failing").await;
    }
    let samples = observed.samples();
    assert_eq!(samples.sum("http_requests_total", &[]), 200.0);
    let label_sets = samples.value("redpane_series", &[]);
    assert!(label_sets <= 10.0 + 12.0 + 4.0, "the limit twice, and those that are `_other`: {label_sets}");
    assert!(samples.sum("http_requests_total", &[("route", "_overflow"), ("tier", "_other")]) > 150.0);
    let kept =
        samples.of("http_requests_total", &[("route", "_overflow")]).filter(|one| one.labels["tier"] != "_other");
    assert!(kept.count() >= 8, "the first ones keep the label");
}

/// The application's function must not take the request with it.
#[tokio::test]
async fn a_function_that_panics_has_found_nothing() {
    let observed = Observed::with(|redpane| redpane.label("tier", ["free"], |_| panic!("the label falls over")));
    ask(&instrumented(&observed), None, "/hello/ada").await;
    assert_eq!(observed.samples().sum("http_requests_total", &[("tier", "_other"), ("status", "200")]), 1.0);
}

#[test]
fn labels_that_cannot_be_are_named() {
    let many: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let cases = [
        (Redpane::new("test").label("status", ["a"], none), "label(\"status\", [\"a\"]): redpane's own series"),
        (Redpane::new("test").label("instance", ["a"], none), "label(\"instance\", [\"a\"]): redpane's own series"),
        (Redpane::new("test").label("a-b", ["a"], none), "label(\"a-b\", [\"a\"]): a name is letters, digits and _"),
        (Redpane::new("test").label("__a", ["a"], none), "a name is letters, digits and _"),
        (Redpane::new("test").label("a", [""; 0], none), "label(\"a\", []): no values are declared"),
        (Redpane::new("test").label("a", [""], none), "the value \"\" cannot be declared"),
        (Redpane::new("test").label("a", ["_other"], none), "the value \"_other\" cannot be declared"),
        (Redpane::new("test").label("a", ["x", "x"], none), "the value \"x\" is declared twice"),
        (Redpane::new("test").label("a", ["x"], none).label("a", ["y"], none), "this label is declared already"),
        (Redpane::new("test").label("a", many, none), "label(a): 1001 combinations of values"),
    ];
    for (redpane, expected) in cases {
        let error = redpane.build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

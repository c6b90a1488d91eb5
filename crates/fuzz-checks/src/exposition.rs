//! The exposition, after whatever an application named, labelled, described and recorded, and whatever it was asked.
//!
//! Operations (see [`input`](super::input)): `c`, `g` and `h` with an amount, a name, and labels: a counter, gauge or
//! histogram. `d` with one of those letters, a name, a text: a description. `b` with a name and bounds: buckets.
//! `v` with two texts: version and revision. `l` with a number: the series limit. `a` with a method and a route: announced.
//! `r` with a method and a path: a request.

mod expected;

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Path};
use axum::routing::any;
use http::{Method, Request, StatusCode, Uri};
use metrics::{KeyName, Recorder};
use redpane::{ExpositionFormat, Redpane};
use test_support::exposition::{Act, Exposition, Operation};

use self::expected::{check_application, check_requests};
use super::input::{self, number, operations};
use super::service::Service;

const STANDARD: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// Method, route and status, and how many requests had them.
type Requests = BTreeMap<[String; 3], u64>;

/// The families of a telemetry that nobody used.
static OWN: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let unused = Service::new(Redpane::new("fuzz"), Router::new());
    render(&unused, ExpositionFormat::Text).families.into_iter().map(|family| family.name).collect()
});

/// A valid text in both formats, no series twice, and every value what was added up.
pub fn check(input: &[u8]) {
    let service = Service::new(options(input), router());
    let (mut recorded, mut helps, mut requests) = (Vec::new(), HashSet::new(), Requests::new());
    for operation in operations(input) {
        match operation.kind {
            b'c' | b'g' | b'h' => {
                let done = application(&operation);
                done.perform(&service.telemetry.recorder());
                recorded.push(done);
            }
            b'd' => {
                describe(&service.telemetry.recorder(), &operation);
                helps.insert(operation.text(1));
            }
            b'r' => request(&service, &operation, &mut requests),
            _ => {}
        }
    }
    let seen = [ExpositionFormat::Text, ExpositionFormat::OpenMetrics].map(|format| render(&service, format));
    for seen in &seen {
        check_requests(seen, &requests);
    }
    check_application(&seen, &recorded, &OWN, &helps);
}

fn options(input: &[u8]) -> Redpane {
    // Two bounds show as much as thirteen, and read back faster.
    let few_buckets = Redpane::new("fuzz").duration_buckets([0.01, 1.0]);
    operations(input).fold(few_buckets, |options, operation| match operation.kind {
        b'l' => options.series_limit(number::<usize>(operation.detail).unwrap_or(3).clamp(1, 1000)),
        b'v' => options.build_info(operation.text(0), operation.text(1)),
        b'a' => match Method::from_bytes(operation.detail) {
            Ok(method) => options.preregister(method, operation.text(0)),
            Err(_) => options,
        },
        b'b' => {
            let bounds: Vec<_> = operation.parts.iter().skip(1).filter_map(|part| number::<f64>(part)).collect();
            let valid = bounds.iter().all(|bound| bound.is_finite()) && bounds.is_sorted_by(|one, other| one < other);
            if valid && !bounds.is_empty() { options.histogram_buckets(operation.text(0), bounds) } else { options }
        }
        _ => options,
    })
}

/// Every answer says in a header which label its request should have.
fn router() -> Router {
    let labelled = |label: &str| [("route", label.to_owned())];
    let status = move |Path(code): Path<String>| async move {
        (StatusCode::from_bytes(code.as_bytes()).unwrap_or_default(), labelled("/status/{code}"))
    };
    let plain = move |path: MatchedPath| async move { labelled(path.as_str()) };
    let unmatched = move || async move { (StatusCode::GONE, labelled("unmatched")) };
    Router::new().route("/status/{code}", any(status)).route("/a\"b\\c", any(plain)).fallback(unmatched)
}

fn render(service: &Service, format: ExpositionFormat) -> Exposition {
    Exposition::of(&service.telemetry.render(format), format)
}

fn application(operation: &input::Operation<'_>) -> Operation {
    let float = || number(operation.detail).unwrap_or(0.5);
    let act = match operation.kind {
        b'c' => Act::Increment(number(operation.detail).unwrap_or(1)),
        b'g' => Act::Set(float()),
        _ => Act::Record(float()),
    };
    let labels = operation.pairs(1).map(|(name, value)| (name, input::text(value))).collect();
    Operation { name: operation.text(0), labels, act }
}

fn describe(recorder: &impl Recorder, operation: &input::Operation<'_>) {
    let (name, help) = (KeyName::from(operation.text(0)), operation.text(1).into());
    match operation.detail {
        b"c" => recorder.describe_counter(name, None, help),
        b"g" => recorder.describe_gauge(name, None, help),
        _ => recorder.describe_histogram(name, None, help),
    }
}

fn request(service: &Service, operation: &input::Operation<'_>, requests: &mut Requests) {
    let (Ok(method), Ok(uri)) = (Method::from_bytes(operation.detail), Uri::try_from(operation.part(0))) else {
        return;
    };
    if uri.path() == "/metrics" {
        // A scrape renders on a thread of the runtime: `render` does the same without one.
        return;
    }
    let label = STANDARD.iter().find(|known| **known == method.as_str()).copied().unwrap_or("_OTHER");
    let mut request = Request::new(Body::empty());
    (*request.method_mut(), *request.uri_mut()) = (method, uri.clone());
    let answer = service.send(request);
    // axum itself refuses a path whose parameter is not UTF-8, without a header.
    let route = answer.headers().get("route").map_or("/status/{code}", |label| label.to_str().unwrap());
    *requests.entry([label, route, answer.status().as_str()].map(String::from)).or_default() += 1;
}

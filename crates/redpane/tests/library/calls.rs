//! Calls to other services: what they carry, and what is counted of them.

mod counted;
mod headers;
mod labels;

use std::convert::Infallible;
use std::future::Future;

use axum::body::Body;
use http::{Request, Response};
use redpane::client::{OutgoingLayer, OutgoingService};
use test_support::{Observed, Samples};
use tower::Layer;
use tower::util::{ServiceFn, service_fn};

/// The label `peer` of most calls here.
const PEER: &str = "stock";

/// A client whose answers `answer` makes.
fn client<F, E, T>(layer: OutgoingLayer, answer: T) -> OutgoingService<ServiceFn<T>>
where
    F: Future<Output = Result<Response<Body>, E>>,
    T: FnMut(Request<Body>) -> F,
{
    layer.layer(service_fn(answer))
}

/// One that answers every call with this status.
async fn with(status: u16) -> Result<Response<Body>, Infallible> {
    Ok(Response::builder().status(status).body(Body::from("some text")).unwrap())
}

fn get(target: &str) -> Request<Body> {
    Request::get(target).body(Body::empty()).unwrap()
}

/// The series of calls that are not at zero: method, peer, status or error. In each, counter, `_count` and `+Inf` agree.
fn counted(observed: &Observed) -> Vec<(String, f64)> {
    counted_in(&observed.samples())
}

fn counted_in(samples: &Samples) -> Vec<(String, f64)> {
    let mut counted = Vec::new();
    for sample in samples.of("http_client_requests_total", &[]) {
        let labels: Vec<(&str, &str)> = sample.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        let duration = |suffix: &str, labels: &[(&str, &str)]| {
            samples.value(&format!("http_client_request_duration_seconds{suffix}"), labels)
        };
        assert_eq!(duration("_count", &labels), sample.value, "{labels:?}");
        assert_eq!(duration("_bucket", &[&labels[..], &[("le", "+Inf")]].concat()), sample.value, "{labels:?}");
        if sample.value > 0.0 {
            let value = |name| sample.labels.get(name).map_or("", String::as_str);
            let end = format!("{}{}", value("status"), value("error"));
            counted.push((format!("{} {} {end}", value("method"), value("peer")), sample.value));
        }
    }
    counted.sort_by(|one, other| one.0.cmp(&other.0));
    counted
}

#[track_caller]
fn assert_counted<const N: usize>(observed: &Observed, expected: [(&str, f64); N]) {
    assert_eq!(counted(observed), expected.map(|(series, count)| (series.to_owned(), count)));
}

//! The labels of calls: declared, and bounded in number.

use std::io;

use axum::body::Body;
use http::{Method, Response};
use test_support::Observed;
use tower::{Service, ServiceExt};

use super::{PEER, assert_counted, client, counted, get, with};

#[tokio::test]
async fn one_client_for_several_peers() {
    let observed = Observed::new();
    let layer = observed.telemetry.outgoing_layer("others").peers_by(["stock", "payment"], |uri| uri.host());
    let mut answer = client(layer.preregister(Method::GET), |_| with(200));
    for target in ["http://stock:8000/a", "http://payment/b", "http://payment/c", "http://bad.example/", "/no-host"] {
        drop(answer.call(get(target)).await.unwrap());
    }
    assert_counted(&observed, [("GET others 200", 2.0), ("GET payment 200", 2.0), ("GET stock 200", 1.0)]);
}

#[tokio::test]
async fn kinds_of_errors_are_those_that_are_declared() {
    let observed = Observed::new();
    let kind = |error: &io::Error| match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused",
        io::ErrorKind::TimedOut => "not declared",
        _ => "error",
    };
    let layer = observed.telemetry.outgoing_layer(PEER).errors_by(["refused"], kind);
    for error in [io::ErrorKind::ConnectionRefused, io::ErrorKind::TimedOut, io::ErrorKind::Other] {
        let refused = move |_| async move { Err::<Response<Body>, _>(io::Error::from(error)) };
        assert!(client(layer.clone(), refused).oneshot(get("/")).await.is_err());
    }
    let other = async |_| Err::<Response<Body>, _>("an error of another type");
    assert!(client(layer, other).oneshot(get("/")).await.is_err());
    assert_counted(&observed, [("GET stock error", 3.0), ("GET stock refused", 1.0)]);
}

#[tokio::test]
async fn methods_are_the_standard_ones_or_other() {
    let observed = Observed::new();
    let mut answer = client(observed.telemetry.outgoing_layer(PEER), |_| with(200));
    for method in ["PATCH", "BREW", "get"] {
        let mut request = get("/");
        *request.method_mut() = method.parse().unwrap();
        drop(answer.call(request).await.unwrap());
    }
    assert_counted(&observed, [("PATCH stock 200", 1.0), ("_OTHER stock 200", 2.0)]);
}

/// Whatever a peer answers, and however many layers are made.
#[tokio::test]
async fn past_the_series_limit_calls_are_counted_together() {
    let observed = Observed::with(|redpane| redpane.series_limit(20));
    for number in 0..200_u16 {
        let layer = observed.telemetry.outgoing_layer(format!("peer-{}", number % 50));
        drop(client(layer, move |_| with(200 + number % 4)).oneshot(get("/")).await.unwrap());
    }
    let series = counted(&observed);
    assert_eq!(series.iter().map(|(_, count)| count).sum::<f64>(), 200.0, "none is lost");
    let overflowed: f64 = series.iter().filter(|(name, _)| name.contains(" _overflow ")).map(|(_, count)| count).sum();
    assert!(overflowed > 100.0, "{series:?}");
    let samples = observed.samples();
    assert_eq!(samples.value("redpane_series_overflow_total", &[]), overflowed);
    assert!(samples.of("http_client_requests_total", &[]).count() <= 24, "20 and those of _overflow");
    assert_eq!(samples.value("redpane_series", &[]), 0.0, "those of requests have a limit of their own");
}

/// Peers are names of the application, and may be any text.
#[tokio::test]
async fn any_text_can_be_a_peer() {
    let observed = Observed::new();
    let peer = "a\\b \"c\"\nd, é";
    drop(client(observed.telemetry.outgoing_layer(peer), |_| with(200)).oneshot(get("/")).await.unwrap());
    let labels = [("peer", peer), ("status", "200")];
    assert_eq!(observed.samples().value("http_client_requests_total", &labels), 1.0);
}

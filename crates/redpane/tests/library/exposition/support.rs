//! Requests to a router in process, and what came back.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use http::{HeaderMap, Method, Request, StatusCode};
use redpane::{ExpositionFormat, Redpane, Telemetry};
use test_support::exposition::Exposition;
use test_support::{Line, Log};
use tower::ServiceExt;

pub(crate) const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("an answer in UTF-8")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn send(app: &Router, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a whole body");
    Answer { status: parts.status, headers: parts.headers, body }
}

pub(crate) async fn get(app: &Router, path: &str) -> Answer {
    send(app, Method::GET, path, &[]).await
}

/// A scrape in both formats; panics unless both are valid. What is shown in between may differ by the first scrape.
pub(crate) async fn scrape(app: &Router) -> Exposition {
    let open_metrics = send(app, Method::GET, "/metrics", &[("accept", OPEN_METRICS)]).await;
    Exposition::of(open_metrics.text(), ExpositionFormat::OpenMetrics);
    Exposition::of(get(app, "/metrics").await.text(), ExpositionFormat::Text)
}

/// Every line that is written when this is called.
pub(crate) fn lines(log: &Log, telemetry: &Telemetry) -> Vec<Line> {
    telemetry.flush(Duration::from_secs(20)).unwrap();
    log.lines()
}

/// A telemetry whose log nobody reads.
pub(crate) fn quiet_log(redpane: Redpane) -> Telemetry {
    redpane.log_writer(std::io::sink()).build().unwrap()
}

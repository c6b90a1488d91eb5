//! An instrumented router in process: requests in, answers and log lines out.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use http::Request;
use redpane::{Redpane, Telemetry};
use test_support::{Line, Log};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

pub(crate) struct Service {
    pub(crate) telemetry: Telemetry,
    router: Router,
    log: Log,
    runtime: Runtime,
}

impl Service {
    pub(crate) fn new(redpane: Redpane, router: Router) -> Self {
        let log = Log::default();
        let telemetry = redpane.log_writer(log.clone()).build().unwrap();
        let router = telemetry.clone().instrument(router);
        Self { telemetry, router, log, runtime: Builder::new_current_thread().build().unwrap() }
    }

    pub(crate) fn send(&self, request: Request<Body>) -> Response<Bytes> {
        self.runtime.block_on(async {
            let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
            Response::from_parts(parts, to_bytes(body, usize::MAX).await.unwrap())
        })
    }

    /// The lines since the last look, each of which must be valid.
    pub(crate) fn lines(&self) -> Vec<Line> {
        self.telemetry.flush(Duration::from_secs(60)).unwrap();
        self.log.take_lines()
    }

    /// The one line since the last look.
    pub(crate) fn line(&self) -> Line {
        let mut lines = self.lines();
        assert_eq!(lines.len(), 1, "not one line");
        lines.remove(0)
    }
}

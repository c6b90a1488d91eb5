//! An application under observation.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use redpane::{ExpositionFormat, Redpane, Telemetry};
use tokio::net::TcpListener;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

use crate::{Line, Log, Samples, until};

/// A telemetry and the log it writes. Serves routers on a port of their own for as long as the test's runtime lives.
#[derive(Debug)]
pub struct Observed {
    /// What instruments the routers.
    pub telemetry: Telemetry,
    log: Log,
}

impl Observed {
    /// Without options.
    #[expect(clippy::new_without_default, reason = "the options are what matters, and there are none")]
    pub fn new() -> Self {
        Self::with(|redpane| redpane)
    }

    /// The same with options.
    pub fn with(options: impl FnOnce(Redpane) -> Redpane) -> Self {
        Self::by(options(Redpane::new("test")))
    }

    /// The same with options that somebody else made.
    pub fn by(redpane: Redpane) -> Self {
        let log = Log::default();
        let telemetry = redpane.log_writer(log.clone()).build().expect("the options are right");
        Self { telemetry, log }
    }

    /// Instruments a router and serves it, HTTP/1 and HTTP/2.
    pub async fn serve(&self, router: Router) -> SocketAddr {
        serve(self.telemetry.clone().instrument(router)).await
    }

    /// Runs a test on four worker threads whose `tracing` events go to this telemetry, as they would if it were
    /// installed; the blocking threads of the runtime included.
    pub fn run<F: Future>(&self, test: F) -> F::Output {
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(self.telemetry.log_layer()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .enable_all()
            // Forgetting the guard leaves the dispatcher in place until the thread ends.
            .on_thread_start(move || std::mem::forget(tracing::dispatcher::set_default(&dispatch)))
            .build()
            .unwrap();
        runtime.block_on(test)
    }

    /// A scrape.
    pub fn samples(&self) -> Samples {
        Samples::parse(&self.telemetry.render(ExpositionFormat::Text))
    }

    /// Every line that is written when this is called.
    pub fn lines(&self) -> Vec<Line> {
        self.telemetry.flush(Duration::from_secs(10)).expect("the log is kept in memory");
        self.log.lines()
    }

    /// Waits until this many requests are over, and none is being served.
    pub async fn finished(&self, requests: u64) {
        until(&format!("{requests} requests are over"), || {
            let idle = self.telemetry.in_flight() == 0;
            let counted = self.samples().sum("http_requests_total", &[]) as u64;
            assert!(counted <= requests, "{counted} requests were counted, {requests} were made");
            (idle && counted == requests).then_some(())
        })
        .await;
    }

    /// Waits like [`finished`](Self::finished), then gives the access lines, of which there must be one for each.
    pub async fn access_lines(&self, requests: u64) -> Vec<Line> {
        self.finished(requests).await;
        let lines: Vec<_> = self.lines().into_iter().filter(Line::is_access).collect();
        assert_eq!(lines.len() as u64, requests, "one access line for each request: {lines:#?}");
        lines
    }

    /// The lines, once there is one with this message and this many lines have it.
    pub async fn messages(&self, message: &str, count: usize) -> Vec<Line> {
        until(&format!("{count} lines say {message:?}"), || {
            let found: Vec<_> = self.lines().into_iter().filter(|line| line["message"] == message).collect();
            assert!(found.len() <= count, "too many lines: {found:#?}");
            (found.len() == count).then_some(found)
        })
        .await
    }
}

/// Serves a router that is complete.
pub async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

//! The order in which a server ends.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use redpane::Telemetry;
use tokio::time::{Instant, sleep, timeout};

use super::accept::ListenerHandle;
use super::clients::Clients;
use super::ended::{Cause, Ended};
use super::last_scrape::Scrapes;
use super::limits::Limits;
use crate::log_targets::SERVER;

/// How long the access lines of the last requests may take to reach the log's buffer.
const SETTLE: Duration = Duration::from_secs(1);
/// How long the last scrape may be on its way to its client.
const DELIVERED: Duration = Duration::from_secs(2);

/// What has to end. `reopen` opens the port of the API again for `/metrics`, where that has none of its own.
pub(super) struct Drain<'a, R> {
    pub(super) api: ListenerHandle,
    pub(super) metrics: Option<ListenerHandle>,
    pub(super) reopen: R,
    pub(super) scrapes: Scrapes,
    pub(super) clients: &'a Arc<Clients>,
    pub(super) limits: Limits,
    pub(super) telemetry: &'a Telemetry,
}

impl<R: FnMut() -> Option<ListenerHandle>> Drain<'_, R> {
    /// Waits for requests, at most for the grace and until `cut`; then for the last scrape.
    pub(super) async fn run(mut self, cut: impl Future<Output = ()>) -> Ended {
        let mut cut = pin!(cut);
        let cut_before = self.clients.answers_cut();
        let grace = self.limits.shutdown_grace;
        let cause = tokio::select! {
            biased;
            () = self.requests() => Cause::Drained,
            () = &mut cut => Cause::SecondSignal,
            () = sleep(grace) => Cause::Deadline,
        };
        // Clients that took nothing of their answers have been cut off since the signal: those are not answered either.
        let mut lost = self.clients.answers_cut() - cut_before;
        let waits = self.limits.waits_for_scrape() && cause != Cause::SecondSignal;
        if cause != Cause::Drained {
            lost += self.telemetry.in_flight();
            self.api.cut();
            if let (false, Some(metrics)) = (waits, &self.metrics) {
                metrics.cut();
            }
        }
        self.settle().await;
        if waits {
            self.open_metrics();
            lost += self.last_scrape(cut).await;
        }
        Ended { cause, cut: lost }
    }

    async fn requests(&mut self) {
        self.api.finish(self.limits.shutdown_grace / 2).await;
        self.api.stop_accepting().await;
        if self.limits.waits_for_scrape() {
            self.open_metrics();
        }
        self.api.close().await;
        if let (false, Some(metrics)) = (self.limits.waits_for_scrape(), &self.metrics) {
            end(metrics).await;
        }
    }

    fn open_metrics(&mut self) {
        if self.metrics.is_none() {
            self.metrics = (self.reopen)();
        }
    }

    /// The tasks of a connection may end after it. Each request writes its own access line, which belongs before the last line.
    async fn settle(&self) {
        let settled = async {
            while self.telemetry.in_flight() > 0 {
                sleep(Duration::from_millis(5)).await;
            }
        };
        drop(timeout(SETTLE, settled).await);
    }

    /// Gives how many scrapes were cut.
    async fn last_scrape(&self, cut: Pin<&mut impl Future<Output = ()>>) -> u64 {
        let Some(metrics) = &self.metrics else { return 0 };
        let may_end = tokio::select! {
            biased;
            () = self.wait_for_scrape() => true,
            () = cut => false,
        };
        if may_end && timeout(DELIVERED, end(metrics)).await.is_ok() {
            return 0;
        }
        let lost = self.telemetry.in_flight();
        metrics.cut();
        self.settle().await;
        lost
    }

    async fn wait_for_scrape(&self) {
        let since = Instant::now();
        let Some(expected) = self.scrapes.expected(since) else {
            return tracing::info!(target: SERVER, "nobody reads /metrics: not waiting for a last scrape");
        };
        let at_most = self.limits.last_scrape;
        let at_most_seconds = at_most.as_secs_f64();
        tracing::info!(target: SERVER, at_most_seconds, "every request has ended: /metrics waits for its last scrape");
        if timeout(at_most, self.scrapes.read_by(&expected, since)).await.is_err() {
            let missing: Vec<_> = self.scrapes.missing(&expected, since).iter().map(ToString::to_string).collect();
            let missing = (!missing.is_empty()).then(|| missing.join(","));
            tracing::warn!(
                target: SERVER,
                at_most_seconds,
                missing,
                "the last scrape did not come: no scraper knows what was counted since the one before; \
                 REDPANE_LAST_SCRAPE must be longer than their interval"
            );
        }
    }
}

/// Ends each connection after the answer it is giving.
async fn end(listener: &ListenerHandle) {
    listener.finish(Duration::ZERO).await;
    listener.close().await;
}

//! Whether a connection has sent a request.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// Set by the first request of a connection.
#[derive(Default)]
pub(super) struct FirstRequest {
    has_arrived: AtomicBool,
    changed: Notify,
}

impl FirstRequest {
    /// Called at every request; only the first has an effect.
    pub(super) fn arrived(&self) {
        if !self.has_arrived.load(Ordering::Relaxed) {
            self.has_arrived.store(true, Ordering::Release);
            self.changed.notify_waiters();
        }
    }

    /// Resolves at the first request, or at once after it.
    pub(super) async fn wait(&self) {
        // Before the check: a request between the two notifies it.
        let changed = self.changed.notified();
        if !self.has_arrived.load(Ordering::Acquire) {
            changed.await;
        }
    }

    /// Resolves when `limit` has passed without a request; never otherwise.
    pub(super) async fn missing_for(&self, limit: Duration) {
        if tokio::time::timeout(limit, self.wait()).await.is_ok() {
            std::future::pending().await
        }
    }
}

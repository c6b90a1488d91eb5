//! What all parts of a pane share.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::{Semaphore, watch};

use super::history::History;
use super::input::{Bounds, Host};
use super::lines::store::LineStore;
use super::span_store::SpanStore;
use super::viewers::Viewers;

/// The most bytes of everything that a pane keeps: what each store may have, and some for what is being answered.
pub(super) const LIMIT_BYTES: usize = 48 * 1024 * 1024;
/// Searches through lines that run at the same time.
const SEARCHES: usize = 2;
/// What a viewer has in memory: an event that it has not taken.
const VIEWER_BYTES: usize = 192 * 1024;

/// A second that is complete, for those who watch.
pub(super) struct Tick {
    pub(super) second: u64,
    /// The overview, as JSON.
    pub(super) overview: Vec<u8>,
}

/// Which process this is.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) app: String,
    pub(crate) version: String,
    pub(crate) revision: String,
    /// Another one after every start.
    pub(crate) instance: String,
    /// How `/metrics` spells names: `redpane`, `otel` or `both`.
    pub(crate) metric_names: &'static str,
}

/// What a pane is made of.
pub(crate) struct PaneOptions {
    pub(crate) identity: Identity,
    /// Bounds of the durations of requests.
    pub(crate) bounds: Bounds,
    /// Routes that totals leave out.
    pub(crate) probes: HashSet<String>,
    /// Metrics that are shown first.
    pub(crate) pinned: Vec<String>,
    /// Whether spans are exported.
    pub(crate) spans: bool,
}

/// The state of one pane.
pub(crate) struct Pane {
    pub(super) identity: Identity,
    pub(super) started_ms: u64,
    history: Mutex<History>,
    pub(crate) lines: Arc<LineStore>,
    pub(crate) spans: Option<Arc<SpanStore>>,
    pub(super) pinned: Vec<String>,
    host: OnceLock<Weak<dyn Host>>,
    /// Where the application itself is reached.
    pub(super) service_url: OnceLock<String>,
    pub(super) viewers: Arc<Viewers>,
    /// The newest second, for those who watch.
    pub(super) tick: watch::Sender<Option<Arc<Tick>>>,
    pub(super) searches: Arc<Semaphore>,
}

impl Pane {
    pub(crate) fn new(options: PaneOptions) -> Self {
        Self {
            identity: options.identity,
            started_ms: now_ms(),
            history: Mutex::new(History::new(options.bounds, options.probes, options.pinned.clone())),
            lines: Arc::default(),
            spans: options.spans.then(Arc::default),
            pinned: options.pinned,
            host: OnceLock::new(),
            service_url: OnceLock::new(),
            viewers: Arc::default(),
            tick: watch::Sender::new(None),
            searches: Arc::new(Semaphore::new(SEARCHES)),
        }
    }

    /// Names the telemetry that is shown. Not kept alive by this.
    pub(crate) fn attach(&self, host: Weak<dyn Host>) {
        let _ = self.host.set(host);
    }

    /// Says where the application itself is reached; the first one counts.
    pub(crate) fn set_service_url(&self, url: String) {
        let _ = self.service_url.set(url);
    }

    /// The telemetry, while there is one.
    pub(super) fn host(&self) -> Option<Arc<dyn Host>> {
        self.host.get().and_then(Weak::upgrade)
    }

    pub(super) fn history(&self) -> MutexGuard<'_, History> {
        // A panic half-way leaves numbers of one second that are too small.
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of all that is kept.
    pub(crate) fn bytes(&self) -> usize {
        let spans = self.spans.as_ref().map_or(0, |spans| spans.bytes());
        self.history().bytes() + self.lines.bytes() + spans + self.viewers.count() * VIEWER_BYTES
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

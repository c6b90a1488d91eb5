//! The log filter, which can be another one for a while.
//!
//! The subscriber's callsites remember what the filter said of them, so a disabled event costs one comparison; they are asked
//! again when it changes. Access lines read three flags.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_log::log;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Filter, Layer};

use super::level::level_index;
use super::line::ACCESS_TARGET;
use crate::request::promoted_names::PromotedNames;

/// The longest time that another filter may last.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
const THREAD: &str = "redpane-filter";

/// Why a log filter was not set.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogFilterError {
    /// The time is zero or longer than 24 hours.
    Time(Duration),
    /// The system refused the thread that puts the filter back.
    Thread(io::Error),
}

impl fmt::Display for LogFilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "a log filter cannot be set for {time:?}: a time up to 24 hours is right"),
            Self::Thread(_) => f.write_str("the system refused the thread that puts the log filter back"),
        }
    }
}

impl std::error::Error for LogFilterError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Time(_) => None,
            Self::Thread(error) => Some(error),
        }
    }
}

/// Another filter than the configured one.
struct Changed {
    due: Instant,
    /// The same for people.
    until: SystemTime,
    /// The level that the `log` crate had, where that is somebody else's.
    log_crate: Option<log::LevelFilter>,
    /// Dropped where the change is replaced or taken back: its thread ends then.
    _end: SyncSender<()>,
}

/// See the module.
pub(crate) struct LogFilter {
    configured: Targets,
    /// Spans with a field of such a name pass, whatever the filter says.
    promoted: Option<Arc<PromotedNames>>,
    current: RwLock<Targets>,
    /// Whether access lines are written, by [`level_index`].
    access: [AtomicBool; 3],
    changed: Mutex<Option<Changed>>,
    /// The `log` crate has its own level, which follows.
    leads_log_crate: AtomicBool,
    /// Its records are another logger's, and so is its level.
    leaves_log_crate: AtomicBool,
    /// Whether a subscriber was given the layer of this filter, so that events of the application arrive.
    is_in_subscriber: AtomicBool,
}

impl LogFilter {
    pub(crate) fn new(configured: Targets, promoted: Option<Arc<PromotedNames>>) -> Self {
        let filter = Self {
            current: RwLock::new(configured.clone()),
            access: Default::default(),
            changed: Mutex::default(),
            leads_log_crate: AtomicBool::new(false),
            leaves_log_crate: AtomicBool::new(false),
            is_in_subscriber: AtomicBool::new(false),
            promoted,
            configured,
        };
        filter.remember_access(&filter.configured);
        filter
    }

    pub(crate) fn would_enable(&self, target: &str, level: Level) -> bool {
        self.with(|current| current.would_enable(target, &level))
    }

    /// Whether access lines of this level (`ERROR`, `WARN` or `INFO`) are written.
    pub(crate) fn would_log_access(&self, level: Level) -> bool {
        self.access[level_index(level)].load(Ordering::Relaxed)
    }

    pub(crate) fn configured(&self) -> &Targets {
        &self.configured
    }

    /// The filter as it is now, and until when; `None` where it is the configured one.
    #[cfg_attr(not(feature = "pane"), expect(dead_code, reason = "the pane shows it"))]
    pub(crate) fn state(&self) -> (String, Option<SystemTime>) {
        let until = self.lock().as_ref().map(|changed| changed.until);
        (self.with(Targets::to_string), until)
    }

    /// Makes the level of the `log` crate follow this filter from now on.
    pub(crate) fn lead_log_crate(&self) {
        // Nobody changes the filter meanwhile.
        let _changed = self.lock();
        self.leads_log_crate.store(true, Ordering::Relaxed);
        log::set_max_level(self.with(most_verbose));
    }

    /// The `log` crate has another logger, which keeps its level.
    pub(crate) fn leave_log_crate(&self) {
        self.leaves_log_crate.store(true, Ordering::Relaxed);
    }

    /// Sets a filter for this long, tells that, and calls `restore` then, unless another one was set meanwhile. `tell` runs
    /// before anybody else can change the filter, so what is told is in the order of what was done. It must not change it.
    ///
    /// # Errors
    /// A time out of its bounds, or a thread that does not start.
    pub(crate) fn set(
        &self,
        directives: Targets,
        time: Duration,
        tell: impl FnOnce(),
        restore: impl FnOnce() + Send + 'static,
    ) -> Result<(), LogFilterError> {
        if time.is_zero() || time > LONGEST {
            return Err(LogFilterError::Time(time));
        }
        let (end, ended) = sync_channel::<()>(0);
        let due = Instant::now() + time;
        let wait = move || {
            let left = due.saturating_duration_since(Instant::now());
            if ended.recv_timeout(left) == Err(RecvTimeoutError::Timeout) {
                restore();
            }
        };
        // Under the lock: what comes back must not be overtaken by what is set.
        let mut changed = self.lock();
        thread::Builder::new().name(THREAD.into()).spawn(wait).map_err(LogFilterError::Thread)?;
        let log_crate = self.raise_log_crate(&directives, changed.as_ref());
        *changed = Some(Changed { due, until: SystemTime::now() + time, log_crate, _end: end });
        self.use_now(directives);
        tell();
        Ok(())
    }

    /// Puts the configured filter back, or only where the other one's time is over. Tells it where it did, as [`set`](Self::set)
    /// does.
    pub(crate) fn restore(&self, only_if_due: bool, tell: impl FnOnce()) {
        let mut changed = self.lock();
        // Where another change has replaced the one whose time is over, that one goes on.
        let is_due = |changed: &Changed| changed.due <= Instant::now();
        if !changed.as_ref().is_some_and(|changed| !only_if_due || is_due(changed)) {
            return;
        }
        if let Some(level) = changed.take().and_then(|changed| changed.log_crate) {
            log::set_max_level(level);
        }
        self.use_now(self.configured.clone());
        tell();
    }

    /// Where the application has a subscriber of its own, whoever made that has set the level of the `log` crate too, by what the
    /// filter was then. Records that this filter wants must be made for as long as it lasts. Gives the level to come back.
    fn raise_log_crate(&self, filter: &Targets, earlier: Option<&Changed>) -> Option<log::LevelFilter> {
        let is_led = self.leads_log_crate.load(Ordering::Relaxed) || self.leaves_log_crate.load(Ordering::Relaxed);
        if is_led || !self.is_in_subscriber.load(Ordering::Relaxed) {
            return None;
        }
        let level = earlier.and_then(|earlier| earlier.log_crate).unwrap_or_else(log::max_level);
        log::set_max_level(most_verbose(filter).max(level));
        Some(level)
    }

    /// A subscriber was given the layer of this filter.
    pub(crate) fn is_in_subscriber_now(&self) {
        self.is_in_subscriber.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_in_subscriber(&self) -> bool {
        self.is_in_subscriber.load(Ordering::Relaxed)
    }

    fn use_now(&self, filter: Targets) {
        self.remember_access(&filter);
        if self.leads_log_crate.load(Ordering::Relaxed) {
            log::set_max_level(most_verbose(&filter));
        }
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = filter;
        tracing::callsite::rebuild_interest_cache();
    }

    fn remember_access(&self, filter: &Targets) {
        for level in [Level::ERROR, Level::WARN, Level::INFO] {
            self.access[level_index(level)].store(filter.would_enable(ACCESS_TARGET, &level), Ordering::Relaxed);
        }
    }

    fn promotes(&self, metadata: &Metadata<'_>) -> bool {
        self.promoted.as_ref().is_some_and(|names| names.are_in(metadata))
    }

    /// Up to which level there may be something, where another filter has this hint.
    fn hint(&self, hint: Option<LevelFilter>) -> Option<LevelFilter> {
        if self.promoted.is_some() { Some(LevelFilter::TRACE) } else { hint }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Changed>> {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, read: impl FnOnce(&Targets) -> T) -> T {
        read(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The level up to which the `log` crate has to make records at all.
fn most_verbose(filter: &Targets) -> log::LevelFilter {
    let levels = filter.iter().map(|(_, level)| level).chain(filter.default_level());
    match levels.max().and_then(|level| level.into_level()) {
        None => log::LevelFilter::Off,
        Some(Level::ERROR) => log::LevelFilter::Error,
        Some(Level::WARN) => log::LevelFilter::Warn,
        Some(Level::INFO) => log::LevelFilter::Info,
        Some(Level::DEBUG) => log::LevelFilter::Debug,
        Some(Level::TRACE) => log::LevelFilter::Trace,
    }
}

/// The filter of a log as a layer, or as the filter of one.
#[derive(Clone)]
pub(crate) struct FilterLayer(pub(crate) Arc<LogFilter>);

impl<S: Subscriber> Layer<S> for FilterLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.0.promotes(metadata) {
            true => Interest::always(),
            false => self.0.with(|current| Layer::<S>::register_callsite(current, metadata)),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        self.0.promotes(metadata) || self.0.with(|current| Layer::enabled(current, metadata, context))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.hint(self.0.with(Layer::<S>::max_level_hint))
    }
}

impl<S> Filter<S> for FilterLayer {
    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match self.0.promotes(metadata) {
            true => Interest::always(),
            false => self.0.with(|current| Filter::<S>::callsite_enabled(current, metadata)),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        self.0.promotes(metadata) || self.0.with(|current| Filter::enabled(current, metadata, context))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.hint(self.0.with(Filter::<S>::max_level_hint))
    }
}

//! Making a telemetry the process's own: global subscriber, metrics recorder, panic hook.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use tracing::subscriber::NoSubscriber;
use tracing_log::LogTracer;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use crate::logs::filter::FilterLayer;
use crate::logs::layer::LogLayer;
use crate::logs::{flush_guard, panics};
use crate::options::ConfigError;
use crate::telemetry::{Core, Telemetry};

/// Why a telemetry could not be installed for the whole process. Nothing was changed then.
#[derive(Debug)]
#[non_exhaustive]
pub enum InstallError {
    /// An option of the builder is bad.
    Config(ConfigError),
    /// A global `tracing` subscriber is set already.
    Subscriber,
    /// A global `metrics` recorder is set already.
    Recorder(Box<dyn Error + Send + Sync>),
    /// The system refused the thread that looks for a global subscriber.
    Thread(io::Error),
    /// A telemetry is installed in this process already.
    Installed {
        /// Its app.
        app: String,
    },
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Subscriber => f.write_str(
                "the process has a global tracing subscriber already; keep it, and add Telemetry::log_layer() to it instead of installing",
            ),
            Self::Recorder(_) => f.write_str(
                "the process has a global metrics recorder already; install redpane before it, or leave it and use metrics::with_local_recorder \
                 with Telemetry::recorder() for what happens outside of requests",
            ),
            Self::Thread(_) => f.write_str("the system refused a thread that looks for a global tracing subscriber"),
            Self::Installed { app } => write!(
                f,
                "the telemetry of the app {app:?} is installed in this process already; Redpane::try_install gives it to whoever names the same app, \
                 and a telemetry that is built and not installed does not disturb it"
            ),
        }
    }
}

impl Error for InstallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            // Its text is this error's own.
            Self::Config(error) => error.source(),
            Self::Recorder(error) => Some(&**error),
            Self::Thread(error) => Some(error),
            Self::Subscriber | Self::Installed { .. } => None,
        }
    }
}

static INSTALLED: OnceLock<Arc<Core>> = OnceLock::new();
/// Held by the one who installs.
static INSTALLING: Mutex<()> = Mutex::new(());

impl Telemetry {
    /// Installs this telemetry for the whole process: `tracing` events and records of the `log` crate become its log
    /// lines, `metrics` macros outside of requests count in its `/metrics`, and panics are log lines. A panic outside of
    /// requests is flushed at once and still reaches the hook that was set before; that of a request does not, since its
    /// line stands for it.
    ///
    /// # Errors
    /// If the process has a global subscriber or recorder already: then nothing is installed. Only somebody who sets a
    /// subscriber at this very moment can keep the recorder alone in place.
    pub fn install(&self) -> Result<(), InstallError> {
        let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        self.install_alone()
    }

    /// The installed telemetry, if it is that of this app, else the one that is built and installed now.
    pub(crate) fn installed_or(
        app: &str,
        build: impl FnOnce() -> Result<Self, InstallError>,
    ) -> Result<Self, InstallError> {
        let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
        match INSTALLED.get().map(|core| Self::from_core(Arc::clone(core))) {
            Some(installed) if installed.app() == app => Ok(installed),
            Some(installed) => Err(InstallError::Installed { app: installed.app().into() }),
            None => {
                let telemetry = build()?;
                telemetry.install_alone()?;
                Ok(telemetry)
            }
        }
    }

    /// Installs while nobody else of redpane does.
    fn install_alone(&self) -> Result<(), InstallError> {
        if let Some(installed) = INSTALLED.get() {
            return Err(InstallError::Installed { app: installed.app().into() });
        }
        if has_global_subscriber().map_err(InstallError::Thread)? {
            return Err(InstallError::Subscriber);
        }
        metrics::set_global_recorder(self.recorder())
            .map_err(|error| InstallError::Recorder(error.to_string().into()))?;
        // The filter stands in front as a layer of its own: a disabled event then costs one comparison.
        let layer = LogLayer::new(Arc::clone(self.log()));
        let subscriber = Registry::default()
            .with(FilterLayer(Arc::clone(self.log().filter())))
            .with(layer)
            .with(self.promote_layer());
        #[cfg(feature = "otlp")]
        let subscriber = subscriber.with(self.span_layer());
        tracing::subscriber::set_global_default(subscriber).map_err(|_| InstallError::Subscriber)?;
        // Fails only where the application has set another logger for the `log` crate: then its level is that one's, too.
        match LogTracer::init() {
            Ok(()) => self.log().filter().lead_log_crate(),
            Err(_) => self.log().filter().leave_log_crate(),
        }
        panics::install(self.log());
        flush_guard::at_thread_end(self.log());
        let _ = INSTALLED.set(Arc::clone(self.core()));
        Ok(())
    }
}

/// Whether a new thread, on which no subscriber is set for a scope, has one.
fn has_global_subscriber() -> io::Result<bool> {
    let look = || tracing::dispatcher::get_default(|dispatch| !dispatch.is::<NoSubscriber>());
    Ok(thread::Builder::new().spawn(look)?.join().unwrap_or(false))
}

//! Making a telemetry the process's own: global subscriber, metrics recorder, panic hook.

use std::fmt;

use tracing_log::LogTracer;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use crate::logs::{LogLayer, panics};
use crate::options::ConfigError;
use crate::telemetry::Telemetry;

/// Why a telemetry could not be installed for the whole process.
#[derive(Debug)]
#[non_exhaustive]
pub enum InstallError {
    /// An option of the builder is bad.
    Config(ConfigError),
    /// A global `tracing` subscriber is set already.
    Subscriber,
    /// A global `metrics` recorder is set already.
    Recorder,
}

impl fmt::Display for InstallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::Subscriber => f.write_str(
                "the process has a global tracing subscriber already; keep it, and add Telemetry::log_layer() to it instead of installing",
            ),
            Self::Recorder => f.write_str(
                "the process has a global metrics recorder already; install redpane before it, or leave it and use metrics::with_local_recorder \
                 with Telemetry::recorder() for what happens outside of requests",
            ),
        }
    }
}

impl std::error::Error for InstallError {}

impl Telemetry {
    /// Installs this telemetry for the whole process: `tracing` events and records of the `log` crate become its log
    /// lines, `metrics` macros outside of requests count in its `/metrics`, and panics are log lines instead of text on
    /// standard error. Hooks for panics that were set before are not called any more.
    ///
    /// # Errors
    /// If the process has a global subscriber or recorder already. Where it is the recorder, the subscriber stays installed.
    pub fn install(&self) -> Result<(), InstallError> {
        // The filter stands in front as a layer of its own: a disabled event then costs one comparison.
        let subscriber = Registry::default().with(self.shared.filter.clone()).with(LogLayer::new(self.shared.clone()));
        tracing::subscriber::set_global_default(subscriber).map_err(|_| InstallError::Subscriber)?;
        // Fails only where the application has set another logger for the `log` crate, which then is its choice.
        let _ = LogTracer::init();
        metrics::set_global_recorder(self.recorder()).map_err(|_| InstallError::Recorder)?;
        panics::install(self);
        Ok(())
    }
}

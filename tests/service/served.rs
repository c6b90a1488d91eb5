//! The service in the process of the test.

use std::net::SocketAddr;

use redpane::LogFormat;
use redpane_service::service;
use redpane_service::settings::{Config, PaneListen, Role};
use test_support::Observed;

/// A running service, for as long as the test's runtime lives.
pub(crate) struct Served {
    pub(crate) observed: Observed,
    pub(crate) address: SocketAddr,
    pub(crate) metrics_address: Option<SocketAddr>,
}

impl Served {
    /// The service as it is without any setting.
    pub(crate) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    pub(crate) async fn with_faults() -> Self {
        Self::with(|config| config.faults = true).await
    }

    /// The service with some settings changed, on free ports.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::defaults(Role::Serve);
        config.listen = ([127, 0, 0, 1], 0).into();
        // Pretty where the tests run in a terminal.
        config.log_format = LogFormat::Json;
        // Its line at the start is not one that these tests look for.
        config.pane_listen = PaneListen::Off;
        change(&mut config);
        let observed = Observed::by(service::telemetry(&config));
        let telemetry = observed.telemetry.clone();
        let listeners = service::bind(&config).unwrap();
        let (address, metrics_address) = (listeners.api_address(), listeners.metrics_address());
        let never = std::future::pending::<()>;
        tokio::spawn(async move { service::run(listeners, &config, &telemetry, never(), never()).await });
        Self { observed, address, metrics_address }
    }
}

//! The pane of a telemetry, and what keeps it going.

use std::collections::HashSet;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tracing::Level;

use crate::axum::pane_source::PaneSource;
use crate::logs::log::Log;
use crate::metrics::catalogue;
use crate::metrics::otel::MetricNames;
use crate::metrics::registry::{Registry, Source};
use crate::options::{self, Checked, Options};
use crate::pane::collector::{self, Running};
use crate::pane::guard::Access;
use crate::pane::input::Host;
use crate::pane::server::default_listener;
use crate::pane::state::{Identity, Pane, PaneOptions};
use crate::trace_context::ids::SpanId;

/// A pane, what it shows, and the thread that fills it.
pub(crate) struct RunningPane {
    pub(crate) pane: Arc<Pane>,
    running: Running,
    log: Arc<Log>,
    /// The pane itself does not keep it: it must not keep the log from ending.
    _source: Arc<dyn Host>,
}

impl RunningPane {
    /// # Errors
    /// If the system refuses the thread, or what its runtime needs.
    pub(super) fn start(pane: Arc<Pane>, registry: &Arc<Registry>, log: &Arc<Log>) -> io::Result<Self> {
        let source = PaneSource { registry: Arc::clone(registry), log: Arc::clone(log) };
        let source: Arc<dyn Host> = Arc::new(source);
        pane.attach(Arc::downgrade(&source));
        let running = collector::start(&pane)?;
        Ok(Self { pane, running, log: Arc::clone(log), _source: source })
    }

    /// Serves it on the default address, or a free port where that is taken.
    pub(super) fn serve_here(&self) {
        let listener = default_listener().and_then(|listener| Ok((listener.local_addr()?, listener)));
        match listener {
            Ok((address, listener)) => self.serve(listener, address, Access::Loopback),
            Err(error) => {
                let why = error.to_string();
                self.log.tell_of_pane(Level::WARN, "the pane cannot be served", ("detail", &why));
            }
        }
    }

    /// Serves it on a listener and says where.
    pub(crate) fn serve(&self, listener: TcpListener, address: SocketAddr, access: Access) {
        self.running.serve(listener, access);
        let (url, also) = match address.ip().is_unspecified() {
            // What stands for all addresses is none that a browser can open.
            true => (format!("http://localhost:{}/", address.port()), ", and at all other names of this machine"),
            false => (format!("http://{address}/"), ""),
        };
        self.log.tell_of_pane(Level::INFO, &format!("the pane is at {url}{also}"), ("url", &url));
    }
}

/// The pane that the builder wants, which nothing fills yet.
pub(super) fn new(options: &Options, checked: &Checked) -> Option<Arc<Pane>> {
    if options.pane == options::Pane::Nothing {
        return None;
    }
    let mut probes: HashSet<String> = options.log_failures_only.clone();
    probes.insert(options.metrics_path.clone());
    let identity = Identity {
        app: options.app.clone(),
        version: options.version.clone(),
        revision: options.revision.clone(),
        instance: SpanId::random().as_str().into(),
        metric_names: match options.names {
            MetricNames::Redpane => "redpane",
            MetricNames::Otel => "otel",
            MetricNames::Both => "both",
        },
    };
    #[cfg(feature = "otlp")]
    let spans = options.otlp.is_some();
    #[cfg(not(feature = "otlp"))]
    let spans = false;
    let bounds = checked.durations.clone();
    let wanted = PaneOptions { identity, bounds, probes, pinned: options.pane_charts.clone(), spans };
    Some(Arc::new(Pane::new(wanted)))
}

/// The families of a source, and what the pane takes.
pub(super) fn with_bytes(source: Source, pane: Option<Arc<Pane>>) -> Source {
    let Some(pane) = pane else { return source };
    Box::new(move || {
        let mut families = source();
        families.push(catalogue::PANE_BYTES.integer(pane.bytes() as u64));
        families
    })
}

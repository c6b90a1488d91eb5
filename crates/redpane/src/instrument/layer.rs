//! The layer: puts the middleware around every endpoint of a router.

use std::sync::Arc;

use tower_layer::Layer;

use super::service::Instrument;
use crate::request::mount::Mount;
use crate::telemetry::Shared;

/// Wraps each endpoint of a router in an [`Instrument`].
#[derive(Clone)]
pub(crate) struct InstrumentLayer {
    telemetry: Arc<Shared>,
}

impl InstrumentLayer {
    pub(crate) fn new(telemetry: &Arc<Shared>) -> Self {
        Self { telemetry: Arc::clone(telemetry) }
    }
}

/// axum may call this for every connection: it only makes an empty mount, and registers nothing.
impl<S> Layer<S> for InstrumentLayer {
    type Service = Instrument<S>;

    fn layer(&self, inner: S) -> Instrument<S> {
        Instrument { inner, mount: Mount::new(&self.telemetry) }
    }
}

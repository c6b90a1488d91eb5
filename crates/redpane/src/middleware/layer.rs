//! The layer: puts the middleware around a service.

use std::fmt;
use std::sync::Arc;

use tower_layer::Layer;

use super::pipeline::Pipeline;
use super::route_cache::RouteCache;
use super::service::InstrumentService;
use crate::logs::flush_guard::FlushGuard;

/// Observes the requests of any HTTP service: `Service<Request<B>, Response = Response<R>>`, whatever its bodies and its
/// error are. Made by [`Telemetry::layer`](crate::Telemetry::layer).
#[derive(Clone)]
pub struct InstrumentLayer {
    pipeline: Arc<Pipeline>,
    flush: Arc<FlushGuard>,
}

impl InstrumentLayer {
    pub(crate) fn new(pipeline: &Arc<Pipeline>, flush: &Arc<FlushGuard>) -> Self {
        Self { pipeline: Arc::clone(pipeline), flush: Arc::clone(flush) }
    }
}

impl fmt::Debug for InstrumentLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstrumentLayer").finish_non_exhaustive()
    }
}

/// axum may call this for every connection: it only makes an empty cache, and registers nothing.
impl<S> Layer<S> for InstrumentLayer {
    type Service = InstrumentService<S>;

    fn layer(&self, inner: S) -> InstrumentService<S> {
        InstrumentService::new(inner, RouteCache::new(&self.pipeline, &self.flush))
    }
}

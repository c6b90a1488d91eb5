//! The service: a request arrives.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::ResponseBody;
use super::delivery::Delivery;
use super::future::ResponseFuture;
use super::observation::Observation;
use super::route_cache::RouteCache;

/// Observes every request of one service. Made by [`InstrumentLayer`](crate::InstrumentLayer).
///
/// The request reaches the inner service with its request id in `x-request-id`. An error of the inner service is passed on,
/// after it was counted with status 500 and outcome `error`. A request that a middleware of the same telemetry observes
/// already is passed through.
#[derive(Clone)]
pub struct InstrumentService<S> {
    inner: S,
    cache: Arc<RouteCache>,
}

impl<S> InstrumentService<S> {
    pub(super) fn new(inner: S, cache: Arc<RouteCache>) -> Self {
        Self { inner, cache }
    }
}

impl<S: fmt::Debug> fmt::Debug for InstrumentService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstrumentService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for InstrumentService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    B: Body + 'static,
    R: Body,
    R::Data: 'static,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let delivery = Delivery::take_offered().or_else(|| request.extensions_mut().remove());
        let client = delivery.as_ref().and_then(Delivery::client);
        let Some(mut observation) = Observation::start(&self.cache, &mut request, client) else {
            return ResponseFuture::pass_through(self.inner.call(request));
        };
        // Middleware of the application runs here already, before the first poll.
        let called = observation.run(|| self.inner.call(request));
        ResponseFuture::new(called, observation, delivery)
    }
}

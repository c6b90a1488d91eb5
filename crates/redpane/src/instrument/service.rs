//! The service: a request arrives.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use http::Request;
use tower_service::Service;

use super::future::ObservedFuture;
use super::observation::Observation;
use crate::request::mount::Mount;

/// Observes every request of one endpoint.
#[derive(Clone)]
pub(crate) struct Instrument<S> {
    pub(super) inner: S,
    pub(super) mount: Arc<Mount>,
}

impl<S> Service<Request<Body>> for Instrument<S>
where
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = ObservedFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let mut observation = Observation::start(&self.mount, &mut request);
        // Middleware of the application runs here already, before the first poll.
        let called = observation.run(|| self.inner.call(request));
        ObservedFuture::new(called, observation)
    }
}

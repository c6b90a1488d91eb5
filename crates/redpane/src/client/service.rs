//! The service: a call begins.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::OutgoingBody;
use super::call::{ActiveCall, Calls};
use super::future::OutgoingFuture;

/// A client whose calls carry the trace context and are counted. Made by [`OutgoingLayer`](super::OutgoingLayer).
#[derive(Clone)]
pub struct OutgoingService<S> {
    inner: S,
    calls: Arc<Calls>,
}

impl<S> OutgoingService<S> {
    pub(super) fn new(inner: S, calls: Arc<Calls>) -> Self {
        Self { inner, calls }
    }
}

impl<S: fmt::Debug> fmt::Debug for OutgoingService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<S, B, R> Service<Request<B>> for OutgoingService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: 'static,
    R: Body,
{
    type Response = Response<OutgoingBody<R>>;
    type Error = S::Error;
    type Future = OutgoingFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let call = ActiveCall::start(&self.calls, &mut request);
        OutgoingFuture::new(self.inner.call(request), call)
    }
}

//! From a call to the headers of its answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::OutgoingBody;
use super::call::ActiveCall;

pin_project! {
    /// A call that waits for its answer. Dropped before, it is counted as `cancelled`.
    pub struct OutgoingFuture<F> {
        #[pin]
        inner: F,
        // Behind the future, which is dropped first. `None` once there is an answer.
        call: Option<ActiveCall>,
    }
}

impl<F> OutgoingFuture<F> {
    pub(super) fn new(inner: F, call: ActiveCall) -> Self {
        Self { inner, call: Some(call) }
    }
}

impl<F, R, E> Future for OutgoingFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: 'static,
{
    type Output = Result<Response<OutgoingBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answered = ready!(this.inner.poll(cx));
        let mut call = this.call.take().expect("a future is not polled after it was ready");
        Poll::Ready(match answered {
            Ok(response) => {
                call.answered(response.status());
                Ok(response.map(|body| OutgoingBody::new(body, call)))
            }
            Err(error) => {
                call.failed(&error);
                Err(error)
            }
        })
    }
}

impl<F> fmt::Debug for OutgoingFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingFuture").finish_non_exhaustive()
    }
}

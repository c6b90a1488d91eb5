//! From the headers of an answer to the end of its body.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::call::ActiveCall;

pin_project! {
    /// The body of an answer to a call that is counted: frames pass through it unchanged, trailers too. Dropped before its
    /// end, it is counted with the status of the answer: whoever has read enough did not fail.
    pub struct OutgoingBody<B> {
        #[pin]
        inner: B,
        // Behind the body, which is dropped first. `None` once the call is over.
        call: Option<ActiveCall>,
    }
}

impl<B: Body> OutgoingBody<B> {
    pub(super) fn new(inner: B, call: ActiveCall) -> Self {
        let is_over = call.ends_at_headers() || inner.is_end_stream();
        Self { inner, call: Some(call).filter(|_| !is_over) }
    }
}

impl<B: Body> Body for OutgoingBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = this.inner.as_mut().poll_frame(cx);
        match &polled {
            Poll::Pending => {}
            // Nobody polls for the end of a body that says it has ended; trailers are always the last frame.
            Poll::Ready(Some(Ok(frame))) if !frame.is_trailers() && !this.inner.is_end_stream() => {}
            Poll::Ready(Some(Ok(_)) | None) => drop(this.call.take()),
            Poll::Ready(Some(Err(_))) => _ = this.call.take().map(ActiveCall::body_failed),
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> fmt::Debug for OutgoingBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingBody").finish_non_exhaustive()
    }
}

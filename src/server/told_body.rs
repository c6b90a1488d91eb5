//! A body whose end is told.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};

/// Calls `tell` once when its last byte is taken; never, if it fails or is dropped before.
pub(super) struct ToldBody<F> {
    body: Body,
    tell: Option<F>,
}

impl<F> ToldBody<F> {
    pub(super) fn new(body: Body, tell: F) -> Self {
        Self { body, tell: Some(tell) }
    }
}

impl<F: FnOnce() + Unpin> HttpBody for ToldBody<F> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let has_ended = match &polled {
            Poll::Ready(None) => true,
            // Nobody asks a body of known length for more.
            Poll::Ready(Some(Ok(_))) => self.body.is_end_stream(),
            _ => false,
        };
        if has_ended && let Some(tell) = self.tell.take() {
            tell();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

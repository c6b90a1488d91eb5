//! The size of a request body.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};

/// Known when the request arrives (`Content-Length`), or counted while the handler reads (chunked, HTTP/2).
pub(crate) enum RequestSize {
    Known(u64),
    Counted(Arc<AtomicU64>),
}

impl RequestSize {
    /// Looks at the body, or puts a counter around it.
    pub(crate) fn of(body: &mut Body) -> Self {
        if let Some(bytes) = body.size_hint().exact() {
            return Self::Known(bytes);
        }
        let counter = Arc::new(AtomicU64::new(0));
        let inner = std::mem::take(body);
        *body = Body::new(CountedBody { inner, counter: Arc::clone(&counter) });
        Self::Counted(counter)
    }

    /// Bytes; of a body that is being counted, those that the handler has read so far.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Known(bytes) => *bytes,
            Self::Counted(counter) => counter.load(Ordering::Relaxed),
        }
    }
}

struct CountedBody {
    inner: Body,
    counter: Arc<AtomicU64>,
}

impl HttpBody for CountedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            self.counter.fetch_add(data.len() as u64, Ordering::Relaxed);
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

//! Measuring the body of a request.

use http_body::Body;

use crate::request::size::RequestSize;

/// The longest body whose announced length is taken for its size, in bytes. Anybody can announce exabytes and send nothing:
/// what is longer is counted.
const TRUSTED_LENGTH: u64 = 16 * 1024 * 1024;

/// The size of a request body, where it is known, or a counter put around it.
///
/// The service behind the middleware gets the type of body that came, so only a type that can be wrapped in itself can be
/// counted: axum's.
pub(super) fn measure<B: Body + 'static>(body: &mut B) -> RequestSize {
    if let Some(bytes) = body.size_hint().exact().filter(|bytes| *bytes <= TRUSTED_LENGTH) {
        return RequestSize::Known(bytes);
    }
    #[cfg(feature = "axum")]
    if let Some(body) = (body as &mut dyn std::any::Any).downcast_mut() {
        return counted::wrap(body);
    }
    RequestSize::Unknown
}

#[cfg(feature = "axum")]
mod counted {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::{Context, Poll};

    use axum::body::{Body, Bytes, HttpBody};
    use http_body::{Frame, SizeHint};

    use crate::request::size::RequestSize;

    pub(super) fn wrap(body: &mut Body) -> RequestSize {
        let counter = Arc::new(AtomicU64::new(0));
        let inner = std::mem::take(body);
        *body = Body::new(CountedBody { inner, counter: Arc::clone(&counter) });
        RequestSize::Counted(counter)
    }

    struct CountedBody {
        inner: Body,
        counter: Arc<AtomicU64>,
    }

    impl HttpBody for CountedBody {
        type Data = Bytes;
        type Error = axum::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
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
}

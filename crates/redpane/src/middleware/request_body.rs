//! Measuring the body of a request.

use http_body::Body;

use crate::request::size::RequestSize;

/// The longest body whose announced length is taken for its size, in bytes. Anybody can announce exabytes and send nothing:
/// what is longer is counted.
const TRUSTED_LENGTH: u64 = 16 * 1024 * 1024;

/// The size of a request body, where it is known, or a counter put around it.
///
/// The service behind the middleware gets the type of body that came, so only a type that can be wrapped in itself can be
/// counted: axum's, and tonic's.
pub(super) fn measure<B: Body + 'static>(body: &mut B) -> RequestSize {
    if let Some(bytes) = body.size_hint().exact().filter(|bytes| *bytes <= TRUSTED_LENGTH) {
        return RequestSize::Known(bytes);
    }
    #[cfg(feature = "axum")]
    if let Some(body) = (body as &mut dyn std::any::Any).downcast_mut::<axum::body::Body>() {
        let (size, counted) = counted::wrap(std::mem::take(body));
        *body = axum::body::Body::new(counted);
        return size;
    }
    #[cfg(feature = "tonic")]
    if let Some(body) = (body as &mut dyn std::any::Any).downcast_mut::<tonic::body::Body>() {
        let (size, counted) = counted::wrap(std::mem::replace(body, tonic::body::Body::empty()));
        *body = tonic::body::Body::new(counted);
        return size;
    }
    RequestSize::Unknown
}

#[cfg(any(feature = "axum", feature = "tonic"))]
mod counted {
    use std::pin::Pin;
    use std::sync::Arc;
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use http_body::{Body, Frame, SizeHint};

    use crate::request::size::{RequestProgress, RequestSize};

    pub(super) fn wrap<B>(inner: B) -> (RequestSize, CountedBody<B>) {
        let progress = Arc::<RequestProgress>::default();
        (RequestSize::Counted(Arc::clone(&progress)), CountedBody { inner, progress })
    }

    pub(super) struct CountedBody<B> {
        inner: B,
        progress: Arc<RequestProgress>,
    }

    impl<B: Body<Data = Bytes> + Unpin> Body for CountedBody<B> {
        type Data = Bytes;
        type Error = B::Error;

        fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
            let polled = Pin::new(&mut self.inner).poll_frame(cx);
            match &polled {
                Poll::Pending => {}
                Poll::Ready(Some(Ok(frame))) => match frame.data_ref() {
                    Some(data) => self.progress.took(data),
                    None => self.progress.ended(),
                },
                Poll::Ready(_) => self.progress.ended(),
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

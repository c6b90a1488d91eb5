//! What follows a chunked body on HTTP/1 is the next request only where the body ended without trailers.
//!
//! hyper looks for the end of a trailer line by its CR LF alone. A line that ends in a bare LF so goes on through the request
//! behind it, which is swallowed, while a proxy in front may have seen two requests and waits for two answers: from then on
//! each client gets the answer of another (`docs/upstream/hyper-trailers.md`). An answer that closes the connection says
//! that the second one is not answered.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use http::{HeaderValue, Version, header};
use http_body::{Frame, SizeHint};

/// Watches the body of a request that comes in chunks on HTTP/1; nothing is done to any other.
pub(super) fn watch(request: Request) -> (Request, Option<Ending>) {
    let is_chunked = request.version() <= Version::HTTP_11 && request.headers().contains_key(header::TRANSFER_ENCODING);
    if !is_chunked {
        return (request, None);
    }
    let plain = Arc::new(AtomicBool::new(false));
    let watched = |body| Watched { body, has_trailers: false, ended_plainly: Arc::clone(&plain) };
    (request.map(|body| Body::new(watched(body))), Some(Ending(plain)))
}

/// How a watched body ended: `true` at an end without trailers.
pub(super) struct Ending(Arc<AtomicBool>);

impl Ending {
    /// Makes the answer close the connection unless the body has been read up to an end without trailers.
    pub(super) fn settle(&self, response: &mut Response) {
        if !self.0.load(Ordering::Relaxed) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

/// A body that tells how it ended.
struct Watched {
    body: Body,
    has_trailers: bool,
    ended_plainly: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        match &frame {
            Some(Ok(frame)) => self.has_trailers |= frame.is_trailers(),
            Some(Err(_)) => {}
            None => self.ended_plainly.store(!self.has_trailers, Ordering::Relaxed),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

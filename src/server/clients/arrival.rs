//! The body of a request, as it arrives.
//!
//! What follows a chunked body on HTTP/1 is the next request only where the body ended without trailers. hyper looks for the
//! end of a trailer line by its CR LF alone. A line that ends in a bare LF so goes on through the request behind it, which
//! is swallowed, while a proxy in front may have seen two requests and waits for two answers: from then on each client gets
//! the answer of another (`docs/upstream/hyper-trailers.md`). An answer that closes the connection says that the second one
//! is not answered.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};

use axum::body::{Bytes, HttpBody};
use http::{HeaderMap, HeaderValue, Request, Version, header};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;

use super::account::Account;
use super::exchange::Exchange;
use crate::web::Busy;

/// How the end of a request's body is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Framing {
    Http2,
    Chunked,
    Length,
}

impl Framing {
    pub(in crate::server) fn of<B>(request: &Request<B>) -> Self {
        match request.version() > Version::HTTP_11 {
            true => Self::Http2,
            false if request.headers().contains_key(header::TRANSFER_ENCODING) => Self::Chunked,
            false => Self::Length,
        }
    }
}

/// A body whose bytes are counted while the application may hold them.
pub(in crate::server) struct Arrival {
    body: Incoming,
    account: Arc<Account>,
    /// The exchange may end before the body does: its answer need not wait for it.
    exchange: Weak<Exchange>,
    is_http2: bool,
    has_trailers: bool,
    /// It ended, and without trailers.
    plain: Option<Arc<AtomicBool>>,
}

impl Arrival {
    /// The body, and for a chunked one on HTTP/1 how it ended.
    pub(in crate::server) fn new(body: Incoming, framing: Framing, exchange: &Arc<Exchange>) -> (Self, Option<Ending>) {
        let is_http2 = framing == Framing::Http2;
        let plain = (framing == Framing::Chunked).then(Arc::<AtomicBool>::default);
        let account = Arc::clone(exchange.account());
        if is_http2 {
            account.upload(true);
        }
        let ending = plain.clone().map(Ending);
        (Self { body, account, exchange: Arc::downgrade(exchange), is_http2, has_trailers: false, plain }, ending)
    }

    fn count(&self, bytes: usize) -> Result<(), Busy> {
        if !self.is_http2 {
            self.account.has_read(bytes, false);
        }
        let has_room = self.exchange.upgrade().is_none_or(|exchange| exchange.arrived(bytes));
        if has_room { Ok(()) } else { Err(Busy) }
    }
}

impl HttpBody for Arrival {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                self.has_trailers |= frame.is_trailers();
                let counted = frame.data_ref().map_or(Ok(()), |data| self.count(data.len()));
                Some(counted.map(|()| frame).map_err(Into::into))
            }
            Some(Err(error)) => Some(Err(error.into())),
            None => {
                if let Some(plain) = &self.plain {
                    plain.store(!self.has_trailers, Ordering::Relaxed);
                }
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        match self.is_http2 {
            true => self.account.upload(false),
            // Of chunks the framing came too, and of a body that is not wanted the rest may have come.
            false if self.plain.is_some() || !self.body.is_end_stream() => self.account.forget_unread(),
            // What the head had more than its fields must not stay.
            false => self.account.has_read(0, true),
        }
    }
}

/// How a chunked body ended.
pub(in crate::server) struct Ending(Arc<AtomicBool>);

impl Ending {
    /// Makes the answer close the connection unless the body has been read up to an end without trailers.
    pub(in crate::server) fn settle(&self, headers: &mut HeaderMap) {
        if !self.0.load(Ordering::Relaxed) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
}

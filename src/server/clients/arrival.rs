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
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use http::{HeaderMap, HeaderValue, Request, Version, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::account::Account;
use super::command::Command;
use super::exchange::Exchange;
use crate::web::Busy;

/// How many bytes of a body that nobody wants are still read, and for how long. A client that sends its whole body before it
/// reads would otherwise find its connection reset, or its stream, instead of the answer.
const DISCARD_BYTES: usize = 16 * 1024 * 1024;
const DISCARD_TIME: Duration = Duration::from_secs(2);

/// How the end of a request's body is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Framing {
    Http2,
    Chunked,
    Length,
}

impl Framing {
    fn of<B>(request: &Request<B>) -> Self {
        match request.version() > Version::HTTP_11 {
            true => Self::Http2,
            false if request.headers().contains_key(header::TRANSFER_ENCODING) => Self::Chunked,
            false => Self::Length,
        }
    }
}

/// Whether the client waits for a word before it sends its body (RFC 9110, section 10.1.1).
fn expects_word<B>(request: &Request<B>) -> bool {
    let expected = request.headers().get(header::EXPECT);
    expected.is_some_and(|expected| expected.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// A body whose bytes are counted while the application may hold them. Where the application drops it early, a rest is read
/// all the same.
pub(in crate::server) struct Arrival {
    /// Until it is passed on to whoever reads the rest.
    body: Option<Incoming>,
    account: Arc<Account>,
    /// The exchange may end before the body does: its answer need not wait for it. None for a rest.
    exchange: Weak<Exchange>,
    is_http2: bool,
    /// Its client sends nothing before it is asked to, and nobody has read from it, which is how one asks.
    waits_for_word: bool,
    /// Nothing more comes of it.
    is_over: bool,
    is_rest: bool,
    has_trailers: bool,
    /// It ended, and without trailers. Where that decides what comes next on the connection.
    plain: Option<Arc<AtomicBool>>,
}

impl Arrival {
    /// Puts itself in place of the body of a request. Gives how it ended where the next request depends on that: on HTTP/1,
    /// of chunked bodies and of those that wait for a word.
    pub(in crate::server) fn of(
        request: Request<Incoming>,
        exchange: &Arc<Exchange>,
    ) -> (Request<Self>, Option<Ending>) {
        let framing = Framing::of(&request);
        let is_http2 = framing == Framing::Http2;
        let waits_for_word = !is_http2 && expects_word(&request);
        let plain = (framing == Framing::Chunked || waits_for_word).then(Arc::<AtomicBool>::default);
        let account = Arc::clone(exchange.account());
        if is_http2 {
            account.upload(true);
        }
        let ending = plain.clone().map(Ending);
        let (is_over, is_rest, has_trailers) = (false, false, false);
        let exchange = Arc::downgrade(exchange);
        let request = request.map(|body| Self {
            body: Some(body),
            account,
            exchange,
            is_http2,
            waits_for_word,
            is_over,
            is_rest,
            has_trailers,
            plain,
        });
        (request, ending)
    }

    /// What is left of it, if there may be something and it is worth reading.
    fn take_rest(&mut self) -> Option<Self> {
        let is_left = !self.is_over && !self.is_rest && !self.waits_for_word && !self.is_end_stream();
        let body = self.body.take_if(|_| is_left)?;
        Some(Self {
            body: Some(body),
            account: Arc::clone(&self.account),
            exchange: Weak::new(),
            is_http2: self.is_http2,
            waits_for_word: false,
            is_over: false,
            is_rest: true,
            has_trailers: false,
            plain: self.plain.clone(),
        })
    }

    fn count(&self, bytes: usize) -> Result<(), Busy> {
        if !self.is_http2 {
            self.account.unread.remove_body(bytes, false);
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
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        self.waits_for_word = false;
        let frame = ready!(polled);
        self.is_over = !matches!(frame, Some(Ok(_)));
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                self.has_trailers |= frame.is_trailers();
                let counted = frame.data_ref().map_or(Ok(()), |data| self.count(data.len()));
                Some(counted.map(|()| frame).map_err(Into::into))
            }
            Some(Err(error)) => {
                // Whoever broke it off, the client gets no answer any more.
                self.exchange.upgrade().inspect(|exchange| exchange.broke_off());
                // It is no fault of the client where the server did.
                let is_cut = self.account.command() == Some(Command::Cut);
                Some(Err(if is_cut { Busy.into() } else { error.into() }))
            }
            None => {
                if let Some(plain) = &self.plain {
                    plain.store(!self.has_trailers, Ordering::Relaxed);
                }
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        if let Ok(runtime) = Handle::try_current()
            && let Some(rest) = self.take_rest()
        {
            drop(runtime.spawn(timeout(DISCARD_TIME, discard(rest))));
            return;
        }
        match self.is_http2 {
            true => self.account.upload(false),
            // Of chunks the framing came too, and of a body that is not wanted the rest may have come.
            false if self.plain.is_some() || !self.is_end_stream() => self.account.unread.forget(),
            // What the head had more than its fields must not stay.
            false => self.account.unread.remove_body(0, true),
        }
    }
}

/// Reads a body to its end, or a good part of it, and drops what comes. While memory is short, no more than anybody needs who
/// keeps to the limit of bodies: there may be many of them.
async fn discard(mut body: Arrival) {
    let clients = Arc::clone(&body.account.clients);
    let most = if clients.is_over() { clients.limits.body_limit.min(DISCARD_BYTES) } else { DISCARD_BYTES };
    let mut discarded = 0;
    while let Some(Ok(frame)) = body.frame().await {
        discarded += frame.data_ref().map_or(0, Bytes::len);
        // hyper says that a body ended when it looks for the next of it, and where the answer was given before, it looks for the
        // next request.
        if discarded > most || body.is_end_stream() {
            return;
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

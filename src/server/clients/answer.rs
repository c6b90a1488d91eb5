//! The body of an answer, until the system has it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use bytes::Buf;
use http_body::{Frame, SizeHint};

use super::exchange::Exchange;

/// Bytes of a piece on HTTP/2, those of a frame. A piece is the protocol's as soon as there is a window for its first byte, and
/// out of reach then: the stream of a client that takes no more of an answer can be reset while the next piece waits.
const PIECE: usize = 16 * 1024;

/// A body whose bytes stay known to its exchange after the protocol has taken them.
pub(in crate::server) struct DeliveredBody {
    body: Body,
    /// Bytes that were counted when the answer began, and have not come yet.
    announced: usize,
    /// HTTP/2: what waits to be the next piece.
    rest: Bytes,
    // After the body: the request ends no sooner. `None` once the last of its bytes have it.
    exchange: Option<Arc<Exchange>>,
}

impl DeliveredBody {
    pub(in crate::server) fn new(body: Body, exchange: Arc<Exchange>) -> Self {
        // What a body says that it has it mostly has in memory; one that reads a file holds less.
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX).min(isize::MAX as usize);
        exchange.answered(announced);
        Self { body, announced, rest: Bytes::new(), exchange: Some(exchange) }
    }

    /// All of the rest, but on HTTP/2 a piece. `None` where nothing of the answer is left.
    fn next_piece(&mut self) -> Option<DeliveredBytes> {
        let exchange = self.exchange.take()?;
        let bytes = match exchange.is_http2() && self.rest.len() > PIECE {
            true => self.rest.split_to(PIECE),
            false => std::mem::take(&mut self.rest),
        };
        exchange.taken(bytes.len());
        if !self.is_end_stream() {
            self.exchange = Some(Arc::clone(&exchange));
        }
        Some(DeliveredBytes { bytes, exchange })
    }
}

impl HttpBody for DeliveredBody {
    type Data = DeliveredBytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<DeliveredBytes>, axum::Error>>> {
        let this = &mut *self;
        if let Some(exchange) = &this.exchange
            && this.rest.is_empty()
        {
            let polled = Pin::new(&mut this.body).poll_frame(context);
            exchange.polled(polled.is_pending());
            let frame = match ready!(polled) {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            };
            this.rest = match frame.into_data() {
                Ok(bytes) => bytes,
                Err(frame) => {
                    return Poll::Ready(frame.into_trailers().ok().map(|trailers| Ok(Frame::trailers(trailers))));
                }
            };
            let announced = this.announced.min(this.rest.len());
            this.announced -= announced;
            if this.rest.len() > announced {
                exchange.hold(this.rest.len() - announced);
            }
        }
        Poll::Ready(this.next_piece().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, hint) = (self.rest.len() as u64, self.body.size_hint());
        let mut whole = SizeHint::new();
        whole.set_lower(hint.lower().saturating_add(rest));
        if let Some(upper) = hint.upper() {
            whole.set_upper(upper.saturating_add(rest));
        }
        whole
    }
}

impl Drop for DeliveredBody {
    fn drop(&mut self) {
        if let Some(exchange) = &self.exchange
            && !self.rest.is_empty()
        {
            exchange.broken();
        }
    }
}

/// Bytes of an answer. hyper advances over what it has written, h2 over little ones that it copies into its buffer too.
pub(in crate::server) struct DeliveredBytes {
    bytes: Bytes,
    exchange: Arc<Exchange>,
}

impl Buf for DeliveredBytes {
    fn remaining(&self) -> usize {
        self.bytes.len()
    }

    fn chunk(&self) -> &[u8] {
        &self.bytes
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.exchange.handed_over(count);
    }
}

impl Drop for DeliveredBytes {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.exchange.broken();
        }
    }
}

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

/// Bytes of an answer that are counted before they have come, at most. An application passes on what others announce, which
/// may be exabytes, and counters have an end.
const MOST_ANNOUNCED: usize = i32::MAX as usize;

/// A body whose bytes stay known to its exchange after the protocol has taken them.
pub(in crate::server) struct DeliveredBody {
    body: Body,
    /// Bytes that were counted when the answer began, and have not come yet.
    announced: usize,
    /// HTTP/2: what waits to be the next piece.
    rest: Bytes,
    // After the body: the request ends no sooner. `None` once the last of its bytes have it; these may be gone before the body
    // is, which has ended then.
    exchange: Option<Arc<Exchange>>,
}

impl DeliveredBody {
    pub(in crate::server) fn new(body: Body, exchange: Arc<Exchange>) -> Self {
        // What a body says that it has it mostly has in memory; one that reads a file holds less.
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX).min(MOST_ANNOUNCED);
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

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Request, Version};
    use test_support::{Scripted, Step};

    use super::super::account::Account;
    use super::*;

    /// The answer to a request over this version, and its connection.
    fn answer(version: Version, body: Body) -> (DeliveredBody, Arc<Account>) {
        let account = Account::alone();
        let mut request = Request::new(Body::empty());
        *request.version_mut() = version;
        let exchange = Exchange::begin(&account, account.peer(), &request, 0);
        (DeliveredBody::new(body, exchange), account)
    }

    fn next(body: &mut DeliveredBody) -> Option<Frame<DeliveredBytes>> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match Pin::new(body).poll_frame(&mut context) {
            Poll::Ready(frame) => frame.map(|frame| frame.unwrap()),
            Poll::Pending => panic!("it has something to give"),
        }
    }

    fn data(body: &mut DeliveredBody) -> DeliveredBytes {
        next(body).expect("a frame").into_data().ok().expect("data")
    }

    #[test]
    fn the_last_piece_has_the_exchange() {
        let (mut body, account) = answer(Version::HTTP_11, Body::from("ten bytes!"));
        let mut piece = data(&mut body);
        assert!(body.is_end_stream());
        assert!(next(&mut body).is_none());
        drop(body);
        assert_eq!(account.exchanges_open(), 1, "it is not written yet");
        piece.advance(10);
        drop(piece);
        assert_eq!((account.exchanges_open(), account.held()), (0, 0));
    }

    #[test]
    fn http2_gets_pieces_and_only_the_last_has_the_exchange_alone() {
        let (mut body, account) = answer(Version::HTTP_2, Body::from(vec![b'x'; PIECE * 2 + 1]));
        let lengths: Vec<_> = std::iter::from_fn(|| {
            assert!(body.exchange.is_some());
            let length = data(&mut body).remaining();
            (!body.is_end_stream()).then_some(length)
        })
        .collect();
        assert_eq!(lengths, [PIECE, PIECE]);
        assert!(body.exchange.is_none());
        assert_eq!(account.exchanges_open(), 0);
    }

    #[test]
    fn trailers_and_empty_frames_come_as_they_are() {
        let trailers = HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("a"))]);
        let steps = [Step::Data("first"), Step::Data(""), Step::Trailers(trailers.clone())];
        let (mut body, account) = answer(Version::HTTP_11, Scripted::body(steps));
        assert_eq!([data(&mut body).remaining(), data(&mut body).remaining()], [5, 0]);
        assert_eq!(next(&mut body).expect("trailers").into_trailers().ok(), Some(trailers));
        assert!(next(&mut body).is_none());
        assert_eq!(account.exchanges_open(), 1);
        drop(body);
        assert_eq!(account.exchanges_open(), 0);
    }

    #[test]
    fn an_answer_that_announces_exabytes_does_not_overflow_what_is_counted() {
        struct Announces(u64);
        impl HttpBody for Announces {
            type Data = Bytes;
            type Error = std::convert::Infallible;

            fn poll_frame(
                self: Pin<&mut Self>,
                _: &mut Context<'_>,
            ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
                Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"some")))))
            }

            fn size_hint(&self) -> SizeHint {
                SizeHint::with_exact(self.0)
            }
        }
        for announced in [1 << 47, 1 << 48, u64::MAX] {
            let (body, account) = answer(Version::HTTP_11, Body::new(Announces(announced)));
            assert!((MOST_ANNOUNCED..MOST_ANNOUNCED + PIECE).contains(&account.held()), "{}", account.held());
            assert!(account.clients().is_far_over());
            drop(body);
            assert_eq!(account.held(), 0);
            assert!(!account.clients().is_far_over());
        }
    }
}

//! The body of an answer, until the system has it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use bytes::Buf;
use http_body::{Frame, SizeHint};

use super::exchange::Exchange;

/// A body whose bytes stay known to its exchange after the protocol has taken them.
pub(in crate::server) struct DeliveredBody {
    body: Body,
    /// Bytes that were counted when the answer began, and have not come yet.
    announced: usize,
    // After the body: the request ends no sooner.
    exchange: Arc<Exchange>,
}

impl DeliveredBody {
    pub(in crate::server) fn new(body: Body, exchange: Arc<Exchange>) -> Self {
        // What a body says that it has it mostly has in memory; one that reads a file holds less.
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX).min(isize::MAX as usize);
        exchange.answered(announced);
        Self { body, announced, exchange }
    }
}

impl HttpBody for DeliveredBody {
    type Data = DeliveredBytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<DeliveredBytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.exchange.polled(polled.is_pending());
        polled.map_ok(|frame| {
            frame.map_data(|bytes| {
                let announced = self.announced.min(bytes.len());
                self.announced -= announced;
                if bytes.len() > announced {
                    self.exchange.hold(bytes.len() - announced);
                }
                self.exchange.taken(bytes.len());
                DeliveredBytes { bytes, exchange: Arc::clone(&self.exchange) }
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Bytes of an answer. hyper advances over what it has written.
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

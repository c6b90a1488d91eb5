//! What the messages of a gRPC answer tell of its method: whether it streams.

use std::time::{Duration, Instant};

use bytes::Buf;

use crate::metrics::grpc::Streams;
use crate::request::finished::Outcome;
use crate::request::grpc::{GrpcCode, Messages};

/// An answer that is waited for so long between its messages, or before its first one, is a stream: a plain call is
/// answered when its one message is there. A client that reads slowly is not waited for here, nor is the rest of a message.
pub(super) const LINGERS: Duration = Duration::from_secs(1);

/// The messages of one answer, as they are handed over.
#[derive(Default)]
pub(super) struct SeenAnswer {
    messages: Messages,
    /// Since when the method has nothing to send, after its headers or a message.
    pub(super) waiting: Option<Instant>,
    /// For how long it had nothing.
    waited: Duration,
    /// The body cannot be read as messages.
    is_opaque: bool,
}

/// What an answer tells of its method.
pub(super) enum Told {
    Streams(Streams),
    /// It had one message, at once.
    Plain,
    Nothing,
}

impl SeenAnswer {
    /// Its headers are there. `is_grpc`: it is an answer of gRPC, and its body has messages.
    pub(super) fn begins(&mut self, is_grpc: bool) {
        self.is_opaque = !is_grpc;
    }

    /// A frame was handed over: nobody waits any more.
    pub(super) fn goes_on(&mut self) {
        self.waited += self.waiting.take().map_or(Duration::ZERO, |since| since.elapsed());
    }

    /// Reads the messages in a frame. Whether there was more than one so far.
    pub(super) fn read<D: Buf>(&mut self, data: &D) -> bool {
        // A buffer of several pieces would have to be copied to be read.
        self.is_opaque |= data.chunk().len() < data.remaining();
        if self.is_opaque {
            return false;
        }
        self.messages.read(data.chunk());
        self.messages.count > 1
    }

    /// The method has nothing to send yet.
    pub(super) fn waits(&mut self) {
        if self.messages.is_whole() {
            self.waiting.get_or_insert_with(Instant::now);
        }
    }

    /// What it tells at its end.
    pub(super) fn tells(&self, code: GrpcCode, outcome: Outcome) -> Told {
        let waits = self.waiting.map_or(Duration::ZERO, |since| since.elapsed());
        let lingered = self.waited + waits >= LINGERS;
        match self.messages.count {
            _ if self.is_opaque => Told::Nothing,
            2.. => Told::Streams(Streams::Surely),
            0 if code == GrpcCode::OK => Told::Streams(Streams::Surely),
            _ if lingered => Told::Streams(Streams::Probably),
            1 if outcome == Outcome::Complete => Told::Plain,
            _ => Told::Nothing,
        }
    }
}

//! What is seen of a gRPC call: its code, and whether its answer is a stream.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use http::{HeaderMap, StatusCode};
use http_body::Frame;

use crate::metrics::grpc::GrpcSeries;
use crate::request::finished::Outcome;
use crate::request::grpc::{self, GrpcCode, Messages};

/// An answer that goes on for so long after its first message is a stream: that of a plain call ends with it.
const LINGERS: Duration = Duration::from_secs(1);

/// A gRPC call. Boxed, since other requests have none.
pub(super) struct SeenCall {
    timeout: Option<Duration>,
    code: Option<GrpcCode>,
    /// Its method, once that is known.
    pub(super) method: Option<Arc<GrpcSeries>>,
    /// When its headers were sent.
    pub(super) answered: Option<Instant>,
    messages: Messages,
    first_message: Option<Instant>,
    /// The body cannot be read as messages.
    is_opaque: bool,
}

impl SeenCall {
    pub(super) fn new(headers: &HeaderMap) -> Box<Self> {
        Box::new(Self {
            timeout: headers.get("grpc-timeout").and_then(grpc::timeout),
            code: None,
            method: None,
            answered: None,
            messages: Messages::default(),
            first_message: None,
            is_opaque: false,
        })
    }

    /// The service has answered. A status in the headers is that of an answer without messages.
    /// `is_answer` says that it is one of gRPC.
    pub(super) fn answered(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        is_answer: bool,
        method: Option<Arc<GrpcSeries>>,
    ) {
        self.answered = Some(Instant::now());
        self.code = if is_answer { GrpcCode::of(headers) } else { Some(GrpcCode::of_status(status)) };
        self.method = method;
    }

    /// Whether the answer streams, as far as that is known at its headers.
    pub(super) fn streams(&self) -> bool {
        self.code.is_none() && self.method.as_ref().is_some_and(|method| method.streams())
    }

    /// A frame of the answer was handed over.
    pub(super) fn frame<D: Buf>(&mut self, frame: &Frame<D>) {
        if let Some(data) = frame.data_ref() {
            self.read(data);
        } else if let Some(trailers) = frame.trailers_ref() {
            self.code = GrpcCode::of(trailers).or(self.code);
        }
    }

    fn read<D: Buf>(&mut self, data: &D) {
        // A buffer of several pieces would have to be copied to be read.
        self.is_opaque |= data.chunk().len() < data.remaining();
        if !self.is_opaque {
            self.messages.read(data.chunk());
            self.first_message.get_or_insert_with(Instant::now);
            if self.messages.count > 1 {
                self.learn();
            }
        }
    }

    fn learn(&self) {
        if let Some(method) = self.method.as_ref().filter(|method| !method.streams()) {
            method.learn_that_it_streams();
        }
    }

    /// The call has ended so, `elapsed` after it arrived. Counted, where its method is known.
    pub(super) fn end(&self, outcome: Outcome, elapsed: Duration) -> EndedCall {
        let Some(method) = &self.method else { return EndedCall { code: None, streamed: None } };
        let code = self.code(outcome, elapsed);
        method.count(code);
        let lingered = self.first_message.is_some_and(|first| first.elapsed() >= LINGERS);
        let is_empty = self.messages.count == 0 && code == GrpcCode::OK;
        let was_stream = !self.is_opaque && (self.messages.count > 1 || lingered || is_empty);
        if was_stream {
            self.learn();
        }
        EndedCall {
            code: Some(code),
            streamed: self.answered.filter(|_| was_stream).map(|answered| answered.elapsed()),
        }
    }

    fn code(&self, outcome: Outcome, elapsed: Duration) -> GrpcCode {
        // Both sides have a clock for the deadline, and the one of the client may be first.
        let is_late = self.timeout.is_some_and(|timeout| elapsed + timeout / 16 >= timeout);
        self.code.unwrap_or(match outcome {
            Outcome::Aborted if is_late => GrpcCode::DEADLINE_EXCEEDED,
            Outcome::Aborted => GrpcCode::CANCELED,
            Outcome::Timeout => GrpcCode::DEADLINE_EXCEEDED,
            Outcome::BodyError => GrpcCode::INTERNAL,
            Outcome::Panic | Outcome::Error | Outcome::Complete => GrpcCode::UNKNOWN,
        })
    }
}

/// What a call came to.
pub(super) struct EndedCall {
    /// `None` where nobody knows whether it was one.
    pub(super) code: Option<GrpcCode>,
    /// How long it went on after its headers, where it turned out to be a stream.
    pub(super) streamed: Option<Duration>,
}

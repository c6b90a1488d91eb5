//! What is seen of a gRPC call: its code, and whether it is a stream.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use http::{HeaderMap, StatusCode};
use http_body::Frame;

use super::grpc_answer::{SeenAnswer, Told};
use super::pipeline::Pipeline;
use super::running_stream::RunningStream;
use crate::metrics::grpc::{GrpcSeries, Streams};
use crate::metrics::http::Series;
use crate::request::finished::Outcome;
use crate::request::grpc::{self, GrpcCode};
use crate::request::size::RequestProgress;

/// Both sides have a clock for the deadline of a call, and the one of the client may be first by a sixteenth of the time,
/// but not by more than this.
const MOST_EARLY: Duration = Duration::from_millis(100);

/// A gRPC call. Boxed, since other requests have none.
pub(super) struct SeenCall {
    timeout: Option<Duration>,
    code: Option<GrpcCode>,
    /// Its method, once that is known.
    pub(super) method: Option<Arc<GrpcSeries>>,
    /// When its headers were sent.
    pub(super) answered: Option<Instant>,
    answer: SeenAnswer,
    /// Its request, where somebody sees that pass.
    request: Option<Arc<RequestProgress>>,
    /// Its client streams: it was a stream before its headers, which may come after hours.
    takes_stream: bool,
    /// The stream since its arrival, where the method is declared to take one.
    running: Option<RunningStream>,
    /// The builder wants it to be a request to its end.
    until_end: bool,
}

impl SeenCall {
    /// `request` is how far its request is, where somebody sees that pass.
    pub(super) fn new(headers: &HeaderMap, request: Option<Arc<RequestProgress>>) -> Box<Self> {
        Box::new(Self {
            timeout: headers.get("grpc-timeout").and_then(grpc::timeout),
            code: None,
            method: None,
            answered: None,
            answer: SeenAnswer::default(),
            request,
            takes_stream: false,
            running: None,
            until_end: false,
        })
    }

    /// It is a stream since it arrived.
    pub(super) fn begins(&mut self, method: Arc<GrpcSeries>, running: RunningStream) {
        self.method = Some(method);
        self.takes_stream = true;
        self.running = Some(running);
    }

    /// The service has answered. A status in the headers is that of an answer without messages.
    /// `is_answer` says that it is one of gRPC.
    pub(super) fn answered(
        &mut self,
        status: StatusCode,
        headers: &HeaderMap,
        is_answer: bool,
        method: Option<Arc<GrpcSeries>>,
        until_end: bool,
    ) {
        self.until_end = until_end;
        self.answered = Some(Instant::now());
        self.answer.begins(is_answer);
        self.code = if is_answer { GrpcCode::of(headers) } else { Some(GrpcCode::of_status(status)) };
        if let Some(method) = &method {
            self.takes_stream =
                !until_end && if method.is_declared() { method.takes_stream() } else { self.seen_to_take_stream() };
        }
        self.method = method;
    }

    /// Whether its client has been seen to stream. No plain method has two messages in its request, and none answers before it
    /// has taken one, unless that is an error. This says nothing of the next call of the method: it is the client that sends.
    fn seen_to_take_stream(&self) -> bool {
        let taken = self.request.as_ref().and_then(|request| request.messages());
        taken.is_some_and(|(messages, _)| match messages {
            0 => self.answered.is_some() && self.code.is_none(),
            _ => messages > 1,
        })
    }

    /// Its end has come: where that is before its headers, this is the time to see whether its client streamed.
    pub(super) fn was_not_answered(&mut self, until_end: bool) {
        let is_declared = self.method.as_ref().is_some_and(|method| method.is_declared());
        self.takes_stream |= self.answered.is_none() && !until_end && !is_declared && self.seen_to_take_stream();
    }

    /// Whether its client streams, as far as that is known now.
    pub(super) fn takes_stream(&self) -> bool {
        self.takes_stream
    }

    /// Whether it streams, as far as that is known at its headers.
    pub(super) fn streams(&self) -> bool {
        self.takes_stream || self.code.is_none() && self.method.as_ref().is_some_and(|method| method.streams())
    }

    /// The stream that it was before its headers, where its client streams.
    pub(super) fn begun_stream(
        &mut self,
        pipeline: &Arc<Pipeline>,
        series: &Series,
        arrived: Instant,
    ) -> Option<RunningStream> {
        let begin = || RunningStream::begin(pipeline, series.clone(), 0, arrived);
        self.takes_stream.then(|| self.running.take().unwrap_or_else(begin))
    }

    /// How much of the time until its headers or its end is that of its request. Where its client streams, the method owes an
    /// answer from the last message on that it took; where nobody sees those, nothing is.
    pub(super) fn own_time(&self, elapsed: Duration) -> Duration {
        if !self.takes_stream {
            return elapsed;
        }
        let taken = self.request.as_ref().and_then(|request| request.messages());
        taken.map_or(Duration::ZERO, |(_, latest)| latest.elapsed().min(elapsed))
    }

    /// The own time of a call that ended before anybody knew what it called.
    #[cold]
    pub(super) fn time_of_unknown(&mut self, elapsed: Duration) -> Duration {
        self.was_not_answered(false);
        self.own_time(elapsed)
    }

    /// A frame of the answer was handed over.
    #[cold]
    pub(super) fn frame<D: Buf>(&mut self, frame: &Frame<D>) {
        self.answer.goes_on();
        if let Some(data) = frame.data_ref() {
            if self.answer.read(data) {
                self.learn(Streams::Surely);
            }
        } else if let Some(trailers) = frame.trailers_ref() {
            self.code = GrpcCode::of(trailers).or(self.code);
        }
    }

    /// The method has nothing to send yet.
    pub(super) fn waits(&mut self) {
        self.answer.waits();
    }

    fn learn(&self, how: Streams) {
        if let Some(method) = &self.method {
            method.learn_that_it_streams(how);
        }
    }

    /// The call has ended so, `elapsed` after it arrived. Counted, where its method is known.
    #[cold]
    pub(super) fn end(&self, outcome: Outcome, elapsed: Duration) -> EndedCall {
        let Some(method) = &self.method else { return EndedCall { code: None, streamed: None } };
        let code = self.code(outcome, elapsed);
        method.count(code);
        // Where nothing is to be learned, nothing is told.
        let is_told = !self.until_end && (!method.is_declared() || method.streams());
        let told = if is_told { self.answer.tells(code, outcome) } else { Told::Nothing };
        match told {
            Told::Streams(how) => self.learn(how),
            Told::Plain => method.was_plain(),
            Told::Nothing => {}
        }
        let was_stream = matches!(told, Told::Streams(_));
        EndedCall {
            code: Some(code),
            streamed: self.answered.filter(|_| was_stream).map(|answered| answered.elapsed()),
        }
    }

    fn code(&self, outcome: Outcome, elapsed: Duration) -> GrpcCode {
        let is_late = self.timeout.is_some_and(|timeout| elapsed + (timeout / 16).min(MOST_EARLY) >= timeout);
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

#[cfg(test)]
mod tests;

//! What is seen of a gRPC call: its code, and whether it is a stream.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Buf;
use http::{HeaderMap, StatusCode};
use http_body::Frame;

use super::pipeline::Pipeline;
use super::running_stream::RunningStream;
use crate::metrics::grpc::{GrpcSeries, Streams};
use crate::metrics::http::Series;
use crate::request::finished::Outcome;
use crate::request::grpc::{self, GrpcCode, Messages};
use crate::request::size::RequestProgress;

/// An answer that is waited for so long between its messages, or before its first one, is a stream: a plain call is
/// answered when its one message is there. A client that reads slowly is not waited for here, nor is the rest of a message.
const LINGERS: Duration = Duration::from_secs(1);
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
    messages: Messages,
    /// Since when the method has nothing to send, after its headers or a message.
    waiting: Option<Instant>,
    /// For how long it had nothing.
    waited: Duration,
    /// The body cannot be read as messages.
    is_opaque: bool,
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
    pub(super) fn new(headers: &HeaderMap) -> Box<Self> {
        Box::new(Self {
            timeout: headers.get("grpc-timeout").and_then(grpc::timeout),
            code: None,
            method: None,
            answered: None,
            messages: Messages::default(),
            waiting: None,
            waited: Duration::ZERO,
            is_opaque: false,
            request: None,
            takes_stream: false,
            running: None,
            until_end: false,
        })
    }

    /// Its request can be seen as the method takes it.
    pub(super) fn sees(&mut self, request: Option<Arc<RequestProgress>>) {
        self.request = request;
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
        self.is_opaque = !is_answer;
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
        self.waited += self.waiting.take().map_or(Duration::ZERO, |since| since.elapsed());
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
            if self.messages.count > 1 {
                self.learn(Streams::Surely);
            }
        }
    }

    /// The method has nothing to send yet.
    pub(super) fn waits(&mut self) {
        if self.messages.is_whole() {
            self.waiting.get_or_insert_with(Instant::now);
        }
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
        let waits = self.waiting.map_or(Duration::ZERO, |since| since.elapsed());
        let lingered = self.waited + waits >= LINGERS;
        let was_stream = match self.messages.count {
            _ if self.is_opaque || self.until_end => None,
            // Nothing is to be learned.
            _ if method.is_declared() && !method.streams() => None,
            2.. => Some(Streams::Surely),
            0 if code == GrpcCode::OK => Some(Streams::Surely),
            _ if lingered => Some(Streams::Probably),
            1 if outcome == Outcome::Complete => {
                method.was_plain();
                None
            }
            _ => None,
        };
        if let Some(how) = was_stream {
            self.learn(how);
        }
        EndedCall {
            code: Some(code),
            streamed: self.answered.filter(|_| was_stream.is_some()).map(|answered| answered.elapsed()),
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
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::metrics::grpc::GrpcMetrics;

    /// A call whose headers were sent.
    fn begun() -> Box<SeenCall> {
        let mut seen = SeenCall::new(&HeaderMap::new());
        let method = GrpcMetrics::new(1).method("/shop.Orders/Take");
        seen.answered(StatusCode::OK, &HeaderMap::new(), true, Some(method), false);
        seen
    }

    /// A call that was answered with one message.
    fn answered() -> Box<SeenCall> {
        let mut seen = begun();
        seen.frame(&Frame::data(Bytes::from_static(b"\0\0\0\0\x01a")));
        seen
    }

    /// Lets it wait until it is a stream, where it is waited for.
    fn wait_long(seen: &mut SeenCall) {
        seen.waits();
        seen.waiting = seen.waiting.and_then(|since| since.checked_sub(LINGERS));
    }

    fn streams(seen: &SeenCall) -> bool {
        seen.end(Outcome::Complete, Duration::ZERO);
        seen.method.as_ref().is_some_and(|method| method.streams())
    }

    #[test]
    fn a_method_that_has_nothing_to_send_for_a_while_streams() {
        let mut seen = answered();
        seen.waits();
        assert!(!streams(&seen), "not for so long yet");
        wait_long(&mut seen);
        assert!(streams(&seen), "and it still has nothing");
        let mut seen = answered();
        wait_long(&mut seen);
        seen.frame(&Frame::<Bytes>::trailers(HeaderMap::new()));
        assert!(streams(&seen), "its trailers came late");
    }

    #[test]
    fn a_stream_that_never_had_a_message_is_one() {
        let mut seen = begun();
        wait_long(&mut seen);
        let ended = seen.end(Outcome::Aborted, LINGERS);
        assert!(ended.streamed.is_some(), "its request ended at its headers");
        assert!(seen.method.is_some_and(|method| method.streams()));
    }

    #[test]
    fn a_call_that_stalls_within_its_message_is_no_stream() {
        for part in [&b"\0\0"[..], b"\0\0\0\0\x02a"] {
            let mut seen = begun();
            seen.frame(&Frame::data(Bytes::from_static(part)));
            wait_long(&mut seen);
            assert!(!streams(&seen), "{part:?}");
        }
    }

    #[test]
    fn an_answer_that_is_not_of_grpc_tells_nothing_of_its_method() {
        let mut seen = begun();
        let method = seen.method.clone();
        seen.answered(StatusCode::BAD_GATEWAY, &HeaderMap::new(), false, method, false);
        seen.frame(&Frame::data(Bytes::from_static(&[0; 10])));
        wait_long(&mut seen);
        assert!(!streams(&seen));
    }

    #[test]
    fn a_method_that_lingered_once_is_plain_again_after_plain_calls() {
        let mut seen = answered();
        wait_long(&mut seen);
        assert!(streams(&seen));
        let mut plain = answered();
        plain.method = seen.method.take();
        let calls = (0..100).take_while(|_| streams(&plain)).count();
        assert!((1..100).contains(&calls), "{calls}");
    }

    #[test]
    fn a_client_that_leaves_long_before_its_deadline_has_cancelled() {
        let code = |timeout: &'static str, elapsed| {
            let header = ("grpc-timeout".parse().unwrap(), timeout.parse().unwrap());
            SeenCall::new(&HeaderMap::from_iter([header])).code(Outcome::Aborted, elapsed)
        };
        let hour = Duration::from_secs(3600);
        assert_eq!(code("1H", hour - 2 * MOST_EARLY), GrpcCode::CANCELED);
        assert_eq!(code("1H", hour - MOST_EARLY), GrpcCode::DEADLINE_EXCEEDED);
        assert_eq!(code("160m", Duration::from_millis(149)), GrpcCode::CANCELED);
        assert_eq!(code("160m", Duration::from_millis(150)), GrpcCode::DEADLINE_EXCEEDED);
    }

    #[test]
    fn a_client_that_reads_slowly_makes_no_stream() {
        let mut seen = answered();
        // Long after its headers, and nobody asked the method meanwhile.
        seen.answered = seen.answered.and_then(|since| since.checked_sub(10 * LINGERS));
        seen.frame(&Frame::<Bytes>::trailers(HeaderMap::new()));
        assert!(!streams(&seen));
    }
}

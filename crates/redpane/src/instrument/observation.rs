//! What was seen of one request. Its end yields the metric sample and the access line.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::{Request, StatusCode};
use tracing::Level;

use super::unwind::{Payload, catch};
use crate::context::{self, RequestContext};
use crate::logs::line::Line;
use crate::logs::{json, panics, timestamp};
use crate::metrics::series::Sample;
use crate::request::mount::Mount;

/// The status of a request whose client left before any was sent: nginx' "client closed request".
const CLIENT_CLOSED_REQUEST: u16 = 499;
/// The most bytes of a path or user agent that a line keeps.
const MAX_PATH: usize = 2048;
const MAX_USER_AGENT: usize = 512;

/// Marks a response as the answer to a request that took too long: a layer that enforces a time limit inserts it into
/// the response's extensions, and the access line then says `"outcome":"timeout"`.
///
/// ```
/// use axum::response::{IntoResponse, Response};
/// use http::StatusCode;
///
/// fn timed_out() -> Response {
///     let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
///     response.extensions_mut().insert(redpane::TimedOut);
///     response
/// }
/// # assert_eq!(timed_out().status(), 503);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TimedOut;

/// How a request ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Complete,
    Aborted,
    BodyError,
    Panic,
    Timeout,
}

impl Outcome {
    fn json(self) -> &'static [u8] {
        match self {
            Self::Complete => b",\"outcome\":\"complete\"",
            Self::Aborted => b",\"outcome\":\"aborted\"",
            Self::BodyError => b",\"outcome\":\"body_error\"",
            Self::Panic => b",\"outcome\":\"panic\"",
            Self::Timeout => b",\"outcome\":\"timeout\"",
        }
    }
}

/// One request. Whoever holds it drops it when the request is over, and that is what counts and logs it: exactly once,
/// on every path, panics and vanished clients included.
pub(super) struct Observation {
    /// `None` only while code runs inside it.
    pub(super) context: Option<RequestContext>,
    status: u16,
    /// What it is called if it ends now.
    outcome: Outcome,
    /// What it is called if its body ends well.
    completion: Outcome,
    /// `None`: nobody counts them.
    pub(super) response_bytes: Option<u64>,
}

impl Observation {
    /// A request has arrived.
    pub(super) fn start(mount: &Arc<Mount>, request: &mut Request<Body>) -> Self {
        let arrived = Instant::now();
        mount.telemetry.http.in_flight.enter();
        Self {
            context: Some(RequestContext::new(mount, request, arrived)),
            status: CLIENT_CLOSED_REQUEST,
            response_bytes: Some(0),
            outcome: Outcome::Aborted,
            completion: Outcome::Complete,
        }
    }

    /// Runs code of the application inside this request. A panic comes back as what it left.
    pub(super) fn run<R>(&mut self, work: impl FnOnce() -> R) -> Result<R, Payload> {
        let _scope = context::enter(&mut self.context);
        catch(work)
    }

    /// Makes sure that a caught panic has its log line.
    pub(super) fn note(&self, run: Result<(), Payload>) {
        if let (Err(payload), Some(context)) = (run, &self.context) {
            panics::caught(context, &*payload);
        }
    }

    /// The handler has answered: from here on the status is the one that is sent.
    pub(super) fn answered(&mut self, status: StatusCode, completion: Outcome) {
        self.status = status.as_u16();
        self.completion = completion;
    }

    /// Whether HTTP leaves the body of the answer out, whatever it holds (RFC 9110, section 6.4.1).
    pub(super) fn has_no_body(&self) -> bool {
        matches!(self.status, 100..200 | 204 | 304)
            || self.context.as_ref().is_some_and(|context| context.head().is_head)
    }

    /// Everything was sent.
    pub(super) fn complete(mut self) {
        self.outcome = self.completion;
    }

    /// It went wrong after the headers.
    pub(super) fn fail(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    fn level(&self) -> Level {
        match (self.outcome, self.status) {
            (Outcome::Panic | Outcome::BodyError, _) | (_, 500..) => Level::ERROR,
            (Outcome::Aborted, _) | (_, 400..) => Level::WARN,
            _ => Level::INFO,
        }
    }

    fn log(&self, context: &RequestContext, level: Level, now: Duration, nanoseconds: u64) {
        let (telemetry, head) = (context.telemetry(), context.head());
        let mut line = Line::begin_request(now, &telemetry.app, level, context);
        line.raw(&context.endpoint().json);
        line.field(",\"path\":", |out| json::text_up_to(out, head.path(), MAX_PATH));
        line.field(",\"status\":", |out| json::integer(out, self.status));
        line.raw(self.outcome.json());
        line.field(",\"duration_seconds\":", |out| json::seconds(out, nanoseconds));
        line.field(",\"request_bytes\":", |out| json::integer(out, head.size.bytes()));
        line.field(",\"response_bytes\":", |out| json::optional(out, self.response_bytes, json::integer));
        line.field(",\"client\":", |out| {
            json::optional(out, head.client, |out, client| json::display(out, format_args!("{client}")))
        });
        line.field(",\"user_agent\":", |out| {
            json::optional(out, head.user_agent.as_ref(), |out, agent| {
                json::bytes_up_to(out, agent.as_bytes(), MAX_USER_AGENT)
            });
        });
        line.field(",\"request_id\":", |out| context.request_id_json(out));
        if let Some(parent) = context.parent_span_id() {
            line.raw(b",\"parent_span_id\":\"");
            line.raw(parent.as_bytes());
            line.raw(b"\"");
        }
        line.end(&telemetry.sink);
    }
}

/// Whether the request gets its access line: the log filter or a quiet route may be against it.
fn is_logged(context: &RequestContext, level: Level) -> bool {
    let [errors, warnings, infos] = context.telemetry().access;
    match level {
        Level::ERROR => errors,
        Level::WARN => warnings,
        _ => infos && !context.endpoint().quiet,
    }
}

/// The one end of every request.
impl Drop for Observation {
    fn drop(&mut self) {
        // Nothing is dropped while code runs inside it, so it is there.
        let Some(context) = self.context.take() else { return };
        let head = context.head();
        let nanoseconds = u64::try_from(head.arrived.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let now = timestamp::now();
        let http = &context.telemetry().http;
        http.record(
            context.endpoint(),
            &Sample {
                status: self.status,
                nanoseconds,
                request_bytes: head.size.bytes(),
                response_bytes: self.response_bytes,
                trace_id: context.trace_id(),
                time: now,
            },
        );
        let level = self.level();
        if is_logged(&context, level) {
            self.log(&context, level, now, nanoseconds);
        }
        // Last of all: whoever waits for the last request before the process ends, or flushes the log, must find it
        // counted and its line made.
        http.in_flight.leave();
    }
}

//! What was seen of one request. Its end yields the metric sample and the access line.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, StatusCode};
use tracing::Level;

use super::request_size::RequestSize;
use super::unwind::{Payload, catch};
use crate::context::{self, RequestContext};
use crate::logs::line::Line;
use crate::logs::{json, panics};
use crate::metrics::endpoint::Endpoint;
use crate::metrics::series::Sample;
use crate::sent_headers::SentHeaders;
use crate::telemetry::Shared;

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
    pub(super) endpoint: Arc<Endpoint>,
    telemetry: Arc<Shared>,
    started: Instant,
    path: Option<PathAndQuery>,
    user_agent: Option<HeaderValue>,
    client: Option<SocketAddr>,
    request_size: RequestSize,
    is_head: bool,
    status: u16,
    /// `None`: nobody counts them.
    pub(super) response_bytes: Option<u64>,
    /// What it is called if it ends now.
    outcome: Outcome,
    /// What it is called if its body ends well.
    completion: Outcome,
}

impl Observation {
    /// A request has arrived.
    pub(super) fn start(
        telemetry: &Arc<Shared>,
        endpoint: Arc<Endpoint>,
        request: Request<Body>,
    ) -> (Self, Request<Body>) {
        let started = Instant::now();
        telemetry.http.in_flight.enter();
        let (request_size, request) = RequestSize::of(request);
        let sent = SentHeaders::find(request.headers());
        let observation = Self {
            context: Some(RequestContext::new(&sent, Arc::clone(telemetry))),
            endpoint,
            telemetry: Arc::clone(telemetry),
            started,
            path: request.uri().path_and_query().cloned(),
            user_agent: sent.user_agent.cloned(),
            client: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0),
            request_size,
            is_head: request.method() == Method::HEAD,
            status: CLIENT_CLOSED_REQUEST,
            response_bytes: Some(0),
            outcome: Outcome::Aborted,
            completion: Outcome::Complete,
        };
        (observation, request)
    }

    /// Runs code of the application inside this request. A panic comes back as what it left.
    pub(super) fn run<R>(&mut self, work: impl FnOnce() -> R) -> Result<R, Payload> {
        let Self { context, telemetry, .. } = self;
        context::enter_with(context, &telemetry.recorder, || catch(work))
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

    /// Whether HTTP leaves the body of this answer out, whatever it holds (RFC 9110, section 6.4.1).
    pub(super) fn has_no_body(&self, status: StatusCode) -> bool {
        let never = status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        self.is_head || never
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

    /// The access line, unless the log filter or a quiet route is against it.
    fn is_logged(&self, level: Level) -> bool {
        let [errors, warnings, infos] = self.telemetry.access;
        match level {
            Level::ERROR => errors,
            Level::WARN => warnings,
            _ => infos && !self.endpoint.quiet,
        }
    }

    fn log(&self, context: &RequestContext, level: Level, now: SystemTime, nanoseconds: u64) {
        let mut line = Line::begin_request(now, &self.telemetry.app, level, context);
        line.raw(&self.endpoint.json);
        let path = self.path.as_ref().map_or("", PathAndQuery::path);
        line.field("path", |out| json::text_up_to(out, path, MAX_PATH));
        line.field("status", |out| json::integer(out, self.status));
        line.raw(self.outcome.json());
        line.field("duration_seconds", |out| json::seconds(out, nanoseconds));
        line.field("request_bytes", |out| json::integer(out, self.request_size.bytes()));
        line.field("response_bytes", |out| json::optional(out, self.response_bytes, json::integer));
        line.field("client", |out| {
            json::optional(out, self.client, |out, client| json::display(out, format_args!("{client}")))
        });
        line.field("user_agent", |out| {
            json::optional(out, self.user_agent.as_ref(), |out, agent| {
                json::bytes_up_to(out, agent.as_bytes(), MAX_USER_AGENT)
            });
        });
        line.field("request_id", |out| context.request_id_json(out));
        if let Some(parent) = context.parent_span_id() {
            line.raw(b",\"parent_span_id\":\"");
            line.raw(parent.as_bytes());
            line.raw(b"\"");
        }
        line.end(&self.telemetry.sink);
    }
}

/// The one end of every request.
impl Drop for Observation {
    fn drop(&mut self) {
        let elapsed: Duration = self.started.elapsed();
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let now = SystemTime::now();
        if let Some(context) = self.context.take() {
            self.telemetry.http.record(
                &self.endpoint,
                &Sample {
                    status: self.status,
                    nanoseconds,
                    request_bytes: self.request_size.bytes(),
                    response_bytes: self.response_bytes,
                    trace_id: context.trace_id(),
                    time: now,
                },
            );
            let level = self.level();
            if self.is_logged(level) {
                self.log(&context, level, now, nanoseconds);
            }
        }
        // Last of all: whoever waits for the last request before the process ends, or flushes the log, must find it
        // counted and its line made.
        self.telemetry.http.in_flight.leave();
    }
}

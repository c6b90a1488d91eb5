//! The next service, and what it answers.

use std::time::Duration;

use axum::body::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use redpane::Telemetry;
use redpane::client::{OutgoingBody, OutgoingLayer};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use tower::timeout::Timeout;
use tower::timeout::error::Elapsed;
use tower::{BoxError, Layer, ServiceExt};

use super::CheckedOut;
use super::hops::{HEADER, Hops, MOST};
use super::next_error::{NextError, Reason};
use crate::settings::Upstream;

/// The longest answer that is read, and the longest head, in bytes.
const MAX_ANSWER: usize = 64 * 1024;
/// The longest name of a service that is passed on, in bytes.
const MAX_NAME: usize = 64;
/// Connections that are idle are closed before the next service does so, which would be in the way of a request.
const IDLE: Duration = Duration::from_secs(5);

/// What observes the calls of the next service.
pub(crate) fn calls(telemetry: &Telemetry, upstream: &Upstream) -> OutgoingLayer {
    let kind = |error: &BoxError| match error.downcast_ref::<ClientError>() {
        Some(error) if error.is_connect() => "connect",
        None if error.is::<Elapsed>() => "timeout",
        _ => "error",
    };
    telemetry.outgoing_layer(upstream.host()).errors_by(["connect", "timeout"], kind).preregister(Method::GET)
}

/// The next service. Clones share their connections.
#[derive(Clone)]
pub(super) struct Next {
    client: Client<HttpConnector, Empty<Bytes>>,
    calls: OutgoingLayer,
    url: String,
}

impl Next {
    pub(super) fn new(upstream: &Upstream, calls: OutgoingLayer) -> Self {
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE).http1_max_buf_size(MAX_ANSWER);
        Self { client: client.build_http(), calls, url: format!("{upstream}/checkout") }
    }

    /// Asks it, and reads its answer to the end, within `limit`.
    ///
    /// # Errors
    /// Everything but an answer as this service gives it.
    pub(super) async fn ask(&self, hops: Hops, limit: Duration) -> Result<CheckedOut, NextError> {
        self.try_to_ask(hops, limit).await.map_err(|reason| NextError { url: self.url.clone(), reason })
    }

    async fn try_to_ask(&self, hops: Hops, limit: Duration) -> Result<CheckedOut, Reason> {
        let deadline = Instant::now() + limit;
        let request = Request::get(&self.url).header(HEADER, hops.to_header()).body(Empty::new());
        let request = request.map_err(|error| Reason::NoAnswer(error.into()))?;
        // The time limit stands behind the layer, which then counts a call that takes too long as that.
        let client = self.calls.layer(Timeout::new(self.client.clone(), limit));
        let answer = client.oneshot(request).await.map_err(|error| match error.is::<Elapsed>() {
            true => Reason::Slow(limit),
            false => Reason::NoAnswer(error),
        })?;
        let read = timeout_at(deadline, read(answer)).await;
        read.unwrap_or(Err(Reason::Slow(limit)))
    }
}

async fn read(answer: Response<OutgoingBody<Incoming>>) -> Result<CheckedOut, Reason> {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    if !status.is_success() {
        // A problem (RFC 9457) says in its `detail` what is wrong.
        let problem: Option<Value> = body.ok().and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
        let detail = problem.as_ref().and_then(|problem| problem["detail"].as_str()).map(str::to_owned);
        return Err(Reason::Status(status, detail));
    }
    let body = body.map_err(|error| match error.is::<LengthLimitError>() {
        true => Reason::TooLong(MAX_ANSWER),
        false => Reason::Broken(error),
    })?;
    let answer: CheckedOut = serde_json::from_slice(&body.to_bytes()).map_err(Reason::NotCheckedOut)?;
    let has_bounds = answer.hops.len() <= MOST as usize
        && answer.hops.iter().chain([&answer.app]).all(|name| name.len() <= MAX_NAME);
    if has_bounds { Ok(answer) } else { Err(Reason::OutOfBounds) }
}

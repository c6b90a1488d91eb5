//! From the arrival of a request to its response headers.

use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderValue, Response, StatusCode, header};
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::ResponseBody;
use super::caught_panic::{self, catches_panics};
use super::delivery::Delivery;
use super::observation::Observation;
use super::stream::{Nature, is_event_stream, is_upgrade};
use super::unwind::{Payload, catch};
use crate::request::finished::Outcome;
use crate::request::headers::{X_REQUEST_ID, X_TRACE_ID};
use crate::request::problem;

/// Marks a response as the answer to a request that took too long: a layer that enforces a time limit inserts it into
/// the response's extensions, and the access line then says `"outcome":"timeout"`.
///
/// The statuses 408 and 504 say so themselves (RFC 9110, sections 15.5.9 and 15.6.5). For tower-http's `TimeoutLayer` with
/// another status, one line below it marks the answers:
///
/// ```
/// use axum::response::Response;
/// use http::StatusCode;
/// use tower::ServiceBuilder;
///
/// let mark = |mut response: Response| {
///     if response.status() == StatusCode::SERVICE_UNAVAILABLE {
///         response.extensions_mut().insert(redpane::TimedOut);
///     }
///     response
/// };
/// let layers = ServiceBuilder::new().map_response(mark); // .layer(TimeoutLayer::with_status_code(..))
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TimedOut;

pin_project! {
    /// Runs the inner service inside the context of its request. Made by [`InstrumentService`](crate::InstrumentService).
    pub struct ResponseFuture<F> {
        // `None` once it has answered or panicked: it is dropped inside the context, before the observation ends.
        #[pin]
        inner: Option<F>,
        panicked: Option<Payload>,
        // `None` for a request that is observed elsewhere.
        observation: Option<Observation>,
        // The server tells what becomes of the answer.
        delivery: Option<Delivery>,
    }

    impl<F> PinnedDrop for ResponseFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            // The client left. What the service holds may still log while it is dropped.
            let this = this.project();
            if let Some(mut observation) = this.observation.take() {
                drop_inner(this.inner, &mut observation);
            }
        }
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(called: Result<F, Payload>, observation: Observation, delivery: Option<Delivery>) -> Self {
        let (inner, panicked) = match called {
            Ok(inner) => (Some(inner), None),
            Err(payload) => (None, Some(payload)),
        };
        Self { inner, panicked, observation: Some(observation), delivery }
    }

    pub(super) fn pass_through(inner: F) -> Self {
        Self { inner: Some(inner), panicked: None, observation: None, delivery: None }
    }
}

impl<F> std::fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    R::Data: 'static,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let Some(observation) = this.observation.as_mut() else {
            let inner = this.inner.as_pin_mut().expect("a future is not polled after it was ready");
            return inner.poll(cx).map_ok(|response| response.map(ResponseBody::pass_through));
        };
        observation.look_for_ids();
        let polled = match this.panicked.take() {
            Some(payload) => Err(payload),
            None => observation.run(|| poll_to_its_end(&mut this.inner, cx)),
        };
        let answered = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready((answered, dropped))) => {
                observation.log_panic(dropped);
                Ok(answered)
            }
            Err(payload) => {
                drop_inner(this.inner, observation);
                Err(payload)
            }
        };
        let observation = this.observation.take().expect("the observation is taken once, here");
        let delivery = this.delivery.take();
        Poll::Ready(match answered {
            Ok(Ok(response)) => Ok(answer(response, observation, delivery)),
            Ok(Err(error)) => {
                observation.failed();
                Err(error)
            }
            Err(payload) => Ok(after_panic(payload, observation, delivery)),
        })
    }
}

/// Polls the service; once it is ready it is dropped at once, still inside its context. A panic of its destructors comes
/// back beside the response, which it does not spoil.
fn poll_to_its_end<F: Future>(
    inner: &mut Pin<&mut Option<F>>,
    cx: &mut Context<'_>,
) -> Poll<(F::Output, Result<(), Payload>)> {
    let Some(running) = inner.as_mut().as_pin_mut() else { return Poll::Pending };
    running.poll(cx).map(|output| (output, catch(|| inner.set(None))))
}

/// Drops a service that did not come to its end, inside its context.
fn drop_inner<F>(mut inner: Pin<&mut Option<F>>, observation: &mut Observation) {
    if inner.is_some() {
        observation.look_for_ids();
        let dropped = observation.run(|| inner.set(None));
        observation.log_panic(dropped);
    }
}

fn answer<R>(
    mut response: Response<R>,
    mut observation: Observation,
    delivery: Option<Delivery>,
) -> Response<ResponseBody<R>>
where
    R: Body,
    R::Data: 'static,
{
    let status = response.status();
    let is_timeout = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::GATEWAY_TIMEOUT)
        || response.extensions().get::<TimedOut>().is_some();
    let completion = if is_timeout { Outcome::Timeout } else { Outcome::Complete };
    observation.answered(status, response.headers(), completion);
    add_ids(&mut response, &observation);
    let exact = response.body().size_hint().exact();
    let nature = if is_upgrade(status, observation.is_connect()) {
        Nature::Upgrade
    // Most answers have a length, and what has one is no stream.
    } else if exact.is_none() && is_event_stream(&response) {
        Nature::EventStream
    } else {
        Nature::Plain
    };
    let length = exact.or_else(|| content_length(&response));
    response.map(|body| ResponseBody::new(body, length, nature, observation, delivery))
}

/// The ids of the request, in the answer. A request id that the application answers with stays.
fn add_ids<R>(response: &mut Response<R>, observation: &Observation) {
    let Some(context) = observation.context() else { return };
    // What the answer says is what the line says.
    context.decide_ids();
    if observation.policy().response_headers {
        let headers = response.headers_mut();
        headers.insert(X_TRACE_ID, context.trace_id_header());
        // Put back where there was one, which costs most answers less than asking first.
        if let Some(own) = headers.insert(X_REQUEST_ID, context.request_id_header()) {
            headers.insert(X_REQUEST_ID, own);
        }
    }
}

fn content_length<R>(response: &Response<R>) -> Option<u64> {
    response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The answer to a panic of the service, or the panic itself where the builder wants that.
fn after_panic<R>(
    payload: Payload,
    mut observation: Observation,
    delivery: Option<Delivery>,
) -> Response<ResponseBody<R>>
where
    R: Body,
    R::Data: 'static,
{
    if let Some(context) = observation.context().filter(|context| !catches_panics(context)) {
        caught_panic::log(context, &*payload);
        observation.panicked();
        resume_unwind(payload);
    }
    observation.log_panic(Err(payload));
    let status = StatusCode::INTERNAL_SERVER_ERROR;
    let detail = "the handler panicked; the log lines of this trace id say where";
    let text = observation.run(|| problem::json(status, Some(detail))).unwrap_or_default();
    let length = HeaderValue::from(text.len());
    let mut response = Response::new(());
    *response.status_mut() = status;
    observation.answered(status, response.headers(), Outcome::Panic);
    add_ids(&mut response, &observation);
    let body = ResponseBody::panicked(text.into(), observation, delivery);
    if body.size_hint().exact().is_some_and(|length| length > 0) {
        response.headers_mut().insert(header::CONTENT_TYPE, problem::CONTENT_TYPE);
        response.headers_mut().insert(header::CONTENT_LENGTH, length);
    }
    response.map(|()| body)
}

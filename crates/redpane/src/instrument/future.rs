//! From the arrival of a request to its response headers.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use pin_project_lite::pin_project;

use super::body::ObservedBody;
use super::observation::{Observation, Outcome, TimedOut};
use super::unwind::{Payload, catch};
use crate::context::{X_REQUEST_ID, X_TRACE_ID};
use crate::problem::Problem;

pin_project! {
    /// Runs the handler inside the context of its request.
    pub(crate) struct ObservedFuture<F> {
        // `None` once it has answered or panicked: it is dropped inside the context, before the observation ends.
        #[pin]
        handler: Option<F>,
        panicked: Option<Payload>,
        observation: Option<Observation>,
    }

    impl<F> PinnedDrop for ObservedFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            // The client left. What the handler holds may still log while it is dropped.
            let this = this.project();
            if let Some(mut observation) = this.observation.take() {
                drop_handler(this.handler, &mut observation);
            }
        }
    }
}

impl<F> ObservedFuture<F> {
    pub(super) fn new(called: Result<F, Payload>, observation: Observation) -> Self {
        let (handler, panicked) = match called {
            Ok(handler) => (Some(handler), None),
            Err(payload) => (None, Some(payload)),
        };
        Self { handler, panicked, observation: Some(observation) }
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for ObservedFuture<F> {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let observation = this.observation.as_mut().expect("a future is not polled after it was ready");
        let polled = match this.panicked.take() {
            Some(payload) => Err(payload),
            None => observation.run(|| poll_to_its_end(&mut this.handler, cx)),
        };
        let answered = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready((response, dropped))) => {
                observation.note(dropped);
                Ok(response)
            }
            Err(payload) => {
                drop_handler(this.handler, observation);
                Err(payload)
            }
        };
        let observation = this.observation.take().expect("it was there a moment ago");
        Poll::Ready(Ok(answer(answered, observation)))
    }
}

/// Polls the handler; once it is ready it is dropped at once, still inside its context. A panic of its destructors comes
/// back beside the response, which it does not spoil.
fn poll_to_its_end<F: Future<Output = Result<Response, Infallible>>>(
    handler: &mut Pin<&mut Option<F>>,
    cx: &mut Context<'_>,
) -> Poll<(Response, Result<(), Payload>)> {
    let Some(running) = handler.as_mut().as_pin_mut() else { return Poll::Pending };
    running.poll(cx).map(|Ok(response)| (response, catch(|| handler.set(None))))
}

/// Drops a handler that did not come to its end, inside its context.
fn drop_handler<F>(mut handler: Pin<&mut Option<F>>, observation: &mut Observation) {
    if handler.is_some() {
        let dropped = observation.run(|| handler.set(None));
        observation.note(dropped);
    }
}

fn answer(answered: Result<Response, Payload>, mut observation: Observation) -> Response {
    let (mut response, completion) = match answered {
        Ok(response) if response.extensions().get::<TimedOut>().is_some() => (response, Outcome::Timeout),
        Ok(response) => (response, Outcome::Complete),
        Err(payload) => (after_panic(&mut observation, payload), Outcome::Panic),
    };
    observation.answered(response.status(), completion);
    if let Some(context) = &observation.context {
        let headers = response.headers_mut();
        headers.insert(X_TRACE_ID, context.trace_id_header());
        headers.insert(X_REQUEST_ID, context.request_id_header());
    }
    if response.body().is_end_stream() {
        observation.complete();
        return response;
    }
    let unread = observation.has_no_body();
    response.map(|body| {
        Body::new(match unread {
            // axum or hyper drop such a body unread, which must not look like a client that left.
            true => ObservedBody::over(body, observation),
            false => ObservedBody::new(body, observation),
        })
    })
}

fn after_panic(observation: &mut Observation, payload: Payload) -> Response {
    observation.note(Err(payload));
    let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR)
        .detail("the handler panicked; the log lines of this trace id say where");
    observation.run(|| problem.into_response()).unwrap_or_default()
}

//! From the response headers to the last byte of the body.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};

use super::observation::{Observation, Outcome};
use super::unwind::{Payload, catch};
use crate::context::{self, RequestContext};
use crate::logs::panics;

type Polled = Poll<Option<Result<Frame<Bytes>, axum::Error>>>;

/// A response body that knows its request.
pub(super) struct ObservedBody {
    /// `None` once it has ended: an ended body is never polled again.
    inner: Option<Body>,
    watch: Watch,
}

enum Watch {
    /// The request ends with the body.
    UntilTheEnd(Observation),
    /// The request was finished at its headers (a streaming route), or is over; log lines still carry its ids.
    Over(Option<RequestContext>),
}

impl Watch {
    fn context(&mut self) -> &mut Option<RequestContext> {
        match self {
            Self::UntilTheEnd(observation) => &mut observation.context,
            Self::Over(context) => context,
        }
    }

    fn end(&mut self, with: impl FnOnce(Observation)) {
        let context = self.context().clone();
        if let Self::UntilTheEnd(observation) = std::mem::replace(self, Self::Over(context)) {
            with(observation);
        }
    }
}

impl ObservedBody {
    /// The body must not have ended yet.
    pub(super) fn new(inner: Body, mut observation: Observation) -> Self {
        let watch = if observation.endpoint.streaming {
            observation.response_bytes = None;
            let context = observation.context.clone();
            observation.complete();
            Watch::Over(context)
        } else {
            Watch::UntilTheEnd(observation)
        };
        Self { inner: Some(inner), watch }
    }

    fn count(&mut self, frame: &Frame<Bytes>) {
        if let (Watch::UntilTheEnd(observation), Some(data)) = (&mut self.watch, frame.data_ref())
            && let Some(bytes) = &mut observation.response_bytes
        {
            *bytes += data.len() as u64;
        }
    }

    fn ended_by(&mut self, payload: &Payload) -> axum::Error {
        if let Some(context) = self.watch.context() {
            panics::caught(context, &**payload);
        }
        self.drop_inner();
        self.watch.end(|observation| observation.fail(Outcome::Panic));
        axum::Error::new("the response body panicked; the log lines of this trace id say where")
    }

    /// Drops the application's body inside its context.
    fn drop_inner(&mut self) {
        let Some(inner) = self.inner.take() else { return };
        let dropped = context::enter(self.watch.context(), || catch(|| drop(inner)));
        if let (Err(payload), Some(context)) = (dropped, self.watch.context()) {
            panics::caught(context, &*payload);
        }
    }
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        let polled = context::enter(this.watch.context(), || catch(|| Pin::new(inner).poll_frame(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(Some(Ok(frame)))) => {
                this.count(&frame);
                // Nobody polls for the end of a body that says it has ended; trailers are always the last frame.
                if frame.is_trailers() || this.inner.as_ref().is_some_and(HttpBody::is_end_stream) {
                    this.drop_inner();
                    this.watch.end(Observation::complete);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Ok(Poll::Ready(None)) => {
                this.drop_inner();
                this.watch.end(Observation::complete);
                Poll::Ready(None)
            }
            Ok(Poll::Ready(Some(Err(error)))) => {
                this.drop_inner();
                this.watch.end(|observation| observation.fail(Outcome::BodyError));
                Poll::Ready(Some(Err(error)))
            }
            Err(payload) => Poll::Ready(Some(Err(this.ended_by(&payload)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for ObservedBody {
    /// A client that left in the middle: the application's body goes first, inside its context, then the observation.
    fn drop(&mut self) {
        self.drop_inner();
    }
}

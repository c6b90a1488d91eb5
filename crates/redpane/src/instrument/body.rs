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
    Request(Observation),
    /// The request was finished at its headers (a streaming route, a body that HTTP leaves out); log lines still carry its ids.
    Ids(Option<RequestContext>),
    /// The body has ended.
    Nothing,
}

impl ObservedBody {
    /// The body must not have ended yet.
    pub(super) fn new(inner: Body, mut observation: Observation) -> Self {
        if !observation.context.as_ref().is_some_and(|context| context.endpoint().streaming) {
            return Self { inner: Some(inner), watch: Watch::Request(observation) };
        }
        observation.response_bytes = None;
        Self::over(inner, observation)
    }

    /// A body whose request ends here, at the headers. It still runs, and is dropped, inside its context.
    pub(super) fn over(inner: Body, observation: Observation) -> Self {
        let context = observation.context.clone();
        observation.complete();
        Self { inner: Some(inner), watch: Watch::Ids(context) }
    }

    fn end(&mut self, end: impl FnOnce(Observation)) {
        if let Watch::Request(observation) = std::mem::replace(&mut self.watch, Watch::Nothing) {
            end(observation);
        }
    }
}

impl Watch {
    /// Runs code of the application inside the request.
    fn run<R>(&mut self, work: impl FnOnce() -> R) -> Result<R, Payload> {
        match self {
            Self::Request(observation) => observation.run(work),
            Self::Ids(context) => {
                let _scope = context::enter(context);
                catch(work)
            }
            Self::Nothing => catch(work),
        }
    }

    /// Makes sure that a caught panic has its log line.
    fn note(&self, run: Result<(), Payload>) {
        match (self, run) {
            (Self::Request(observation), run) => observation.note(run),
            (Self::Ids(Some(context)), Err(payload)) => panics::caught(context, &*payload),
            _ => {}
        }
    }

    fn count(&mut self, frame: &Frame<Bytes>) {
        if let (Self::Request(observation), Some(data)) = (self, frame.data_ref())
            && let Some(bytes) = &mut observation.response_bytes
        {
            *bytes += data.len() as u64;
        }
    }
}

/// Polls the application's body; when that was its end it is dropped at once, still inside its context. A panic of its
/// destructors comes back beside the frame, which it does not spoil. The flag says whether it has ended.
fn poll_to_its_end(slot: &mut Option<Body>, cx: &mut Context<'_>) -> (Polled, bool, Result<(), Payload>) {
    let Some(body) = slot else { return (Poll::Ready(None), true, Ok(())) };
    let polled = Pin::new(&mut *body).poll_frame(cx);
    let ended = match &polled {
        Poll::Pending => false,
        // Nobody polls for the end of a body that says it has ended; trailers are always the last frame.
        Poll::Ready(Some(Ok(frame))) => frame.is_trailers() || body.is_end_stream(),
        Poll::Ready(Some(Err(_)) | None) => true,
    };
    let dropped = if ended { catch(|| *slot = None) } else { Ok(()) };
    (polled, ended, dropped)
}

impl HttpBody for ObservedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Polled {
        let this = &mut *self;
        if this.inner.is_none() {
            return Poll::Ready(None);
        }
        let inner = &mut this.inner;
        let (polled, ended) = match this.watch.run(|| poll_to_its_end(inner, cx)) {
            Ok((polled, ended, dropped)) => {
                this.watch.note(dropped);
                (polled, ended)
            }
            Err(payload) => {
                this.watch.note(Err(payload));
                this.drop_inner();
                this.end(|observation| observation.fail(Outcome::Panic));
                let error = "the response body panicked; the log lines of this trace id say where";
                return Poll::Ready(Some(Err(axum::Error::new(error))));
            }
        };
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            this.watch.count(frame);
        }
        match &polled {
            Poll::Ready(Some(Err(_))) => this.end(|observation| observation.fail(Outcome::BodyError)),
            _ if ended => this.end(Observation::complete),
            _ => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl ObservedBody {
    /// Drops the application's body inside its context.
    fn drop_inner(&mut self) {
        if let Some(inner) = self.inner.take() {
            let dropped = self.watch.run(|| drop(inner));
            self.watch.note(dropped);
        }
    }
}

impl Drop for ObservedBody {
    /// A client that left in the middle: the application's body goes first, inside its context, then the observation.
    fn drop(&mut self) {
        self.drop_inner();
    }
}

//! From the response headers to the last byte of the body.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::observation::{Observation, catches_panics, log_caught};
use super::unwind::{Payload, catch};
use crate::request::context::RequestContext;
use crate::request::current::enter;
use crate::request::finished::Outcome;

/// Why a body of an observed response failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResponseBodyError<E> {
    /// The error of the application's body.
    Body(E),
    /// The application's body panicked.
    Panicked,
}

impl<E: fmt::Display> fmt::Display for ResponseBodyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body(error) => error.fmt(f),
            Self::Panicked => f.write_str(PANICKED),
        }
    }
}

/// A length that no body reaches.
const UNKNOWN_LENGTH: u64 = u64::MAX;
const PANICKED: &str = "the response body panicked; the log lines of this trace id say where";

/// Servers and layers want an error that becomes a boxed one. The application's own error passes unchanged.
impl<E: Into<Box<dyn Error + Send + Sync>>> From<ResponseBodyError<E>> for Box<dyn Error + Send + Sync> {
    fn from(error: ResponseBodyError<E>) -> Self {
        match error {
            ResponseBodyError::Body(error) => error.into(),
            ResponseBodyError::Panicked => PANICKED.into(),
        }
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<ResponseBodyError<E>> for Box<dyn Error> {
    fn from(error: ResponseBodyError<E>) -> Self {
        Box::<dyn Error + Send + Sync>::from(error)
    }
}

pin_project! {
    /// The body of an observed response: frames pass through it unchanged, trailers too.
    pub struct ResponseBody<B>
    where
        B: Body,
    {
        // `None` once it has ended: an ended body is never polled again.
        #[pin]
        inner: Option<B>,
        // The answer to a panic, in place of a body: boxed, since few bodies have one.
        own: Option<Box<B::Data>>,
        // Bytes that the body has if all of it is sent.
        length: u64,
        state: BodyState,
    }

    impl<B> PinnedDrop for ResponseBody<B>
    where
        B: Body,
    {
        /// The client left in the middle, or the server has all the bytes that were promised and asks for no more.
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            drop_inner(this.inner, this.state);
            if let BodyState::Observed(observation) = std::mem::replace(this.state, BodyState::Ended)
                && observation.has_sent(*this.length)
            {
                observation.complete();
            }
        }
    }
}

enum BodyState {
    /// The request ends with the body.
    Observed(Observation),
    /// The request ended at its headers; log lines still carry its ids.
    Detached(Option<RequestContext>),
    /// The body has ended, or belongs to a request that is observed elsewhere.
    Ended,
}

impl<B: Body> ResponseBody<B>
where
    B::Data: 'static,
{
    /// `length` is what the answer promises, in bytes.
    pub(super) fn new(body: B, length: Option<u64>, mut observation: Observation) -> Self {
        let length = length.unwrap_or(UNKNOWN_LENGTH);
        let (inner, own) = (Some(body), None);
        if inner.as_ref().is_some_and(Body::is_end_stream) {
            observation.complete();
            return Self { inner, own, length, state: BodyState::Ended };
        }
        let ends_here = observation.ends_at_headers();
        if ends_here {
            observation.leave_bytes_out();
        }
        // axum or hyper drop a body that HTTP leaves out unread, which must not look like a client that left.
        let state = match ends_here || observation.has_no_body() {
            true => {
                let context = observation.context().cloned();
                observation.complete();
                BodyState::Detached(context)
            }
            false => BodyState::Observed(observation),
        };
        Self { inner, own, length, state }
    }

    /// The answer to a panic. A body whose data is not `Bytes` cannot hold it, and is empty.
    pub(super) fn own(text: Bytes, observation: Observation) -> Self {
        let length = text.len() as u64;
        let mut text = Some(text);
        let own = (&mut text as &mut dyn Any).downcast_mut::<Option<B::Data>>().and_then(Option::take).map(Box::new);
        let state = match own.is_some() && !observation.has_no_body() {
            true => BodyState::Observed(observation),
            false => {
                observation.complete();
                BodyState::Ended
            }
        };
        Self { inner: None, own, length, state }
    }

    pub(super) fn pass_through(body: B) -> Self {
        Self { inner: Some(body), own: None, length: UNKNOWN_LENGTH, state: BodyState::Ended }
    }
}

impl BodyState {
    /// Runs code of the application inside the request.
    fn run<R>(&mut self, work: impl FnOnce() -> R) -> Result<R, Payload> {
        match self {
            Self::Observed(observation) => observation.run(work),
            Self::Detached(context) => {
                let _scope = enter(context);
                catch(work)
            }
            Self::Ended => Ok(work()),
        }
    }

    /// Makes sure that a caught panic has its log line.
    fn log_panic(&self, payload: &(dyn Any + Send)) {
        if let Some(context) = self.context() {
            log_caught(context, payload);
        }
    }

    fn context(&self) -> Option<&RequestContext> {
        match self {
            Self::Observed(observation) => observation.context(),
            Self::Detached(context) => context.as_ref(),
            Self::Ended => None,
        }
    }

    fn count<D: Buf>(&mut self, frame: &Frame<D>) {
        if let (Self::Observed(observation), Some(data)) = (self, frame.data_ref()) {
            observation.count_bytes(data.remaining() as u64);
        }
    }

    fn end(&mut self, end: impl FnOnce(Observation)) {
        if let Self::Observed(observation) = std::mem::replace(self, Self::Ended) {
            end(observation);
        }
    }
}

/// What one poll of a body gave: the frame, whether the body has ended, and what dropping it gave where it was dropped.
type Polled<D, E> = (Poll<Option<Result<Frame<D>, E>>>, bool, Result<(), Payload>);

/// Polls the application's body; when that was its end it is dropped at once, still inside its context. A panic of its
/// destructors comes back beside the frame, which it does not spoil.
fn poll_to_its_end<B: Body>(mut slot: Pin<&mut Option<B>>, cx: &mut Context<'_>) -> Polled<B::Data, B::Error> {
    let Some(mut body) = slot.as_mut().as_pin_mut() else { return (Poll::Ready(None), true, Ok(())) };
    let polled = body.as_mut().poll_frame(cx);
    let ended = match &polled {
        Poll::Pending => false,
        // Nobody polls for the end of a body that says it has ended; trailers are always the last frame.
        Poll::Ready(Some(Ok(frame))) => frame.is_trailers() || body.is_end_stream(),
        Poll::Ready(Some(Err(_)) | None) => true,
    };
    let dropped = if ended { catch(|| slot.set(None)) } else { Ok(()) };
    (polled, ended, dropped)
}

/// Drops the application's body inside its context.
fn drop_inner<B>(mut inner: Pin<&mut Option<B>>, state: &mut BodyState) {
    if inner.is_some()
        && let Err(payload) = state.run(|| inner.set(None))
    {
        state.log_panic(&*payload);
    }
}

impl<B: Body> Body for ResponseBody<B>
where
    B::Data: 'static,
{
    type Data = B::Data;
    type Error = ResponseBodyError<B::Error>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, ResponseBodyError<B::Error>>>> {
        let mut this = self.project();
        if let Some(own) = this.own.take() {
            let frame = Frame::data(*own);
            this.state.count(&frame);
            this.state.end(Observation::complete);
            return Poll::Ready(Some(Ok(frame)));
        }
        if this.inner.is_none() {
            return Poll::Ready(None);
        }
        let inner = this.inner.as_mut();
        let (polled, ended) = match this.state.run(|| poll_to_its_end(inner, cx)) {
            Ok((polled, ended, dropped)) => {
                if let Err(payload) = dropped {
                    this.state.log_panic(&*payload);
                }
                (polled, ended)
            }
            Err(payload) => {
                let goes_on = this.state.context().is_some_and(|context| !catches_panics(context));
                this.state.log_panic(&*payload);
                drop_inner(this.inner, this.state);
                this.state.end(|observation| observation.fail(Outcome::Panic));
                if goes_on {
                    resume_unwind(payload);
                }
                return Poll::Ready(Some(Err(ResponseBodyError::Panicked)));
            }
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => this.state.count(frame),
            Poll::Ready(Some(Err(_))) => this.state.end(|observation| observation.fail(Outcome::BodyError)),
            _ => {}
        }
        if ended {
            let length = *this.length;
            // A server breaks off an answer that is shorter than it says.
            this.state.end(|observation| match length == UNKNOWN_LENGTH || observation.has_sent(length) {
                true => observation.complete(),
                false => observation.fail(Outcome::BodyError),
            });
        }
        polled.map_err(ResponseBodyError::Body)
    }

    fn is_end_stream(&self) -> bool {
        self.own.is_none() && self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.own {
            Some(own) => SizeHint::with_exact(own.remaining() as u64),
            None => self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint),
        }
    }
}

/// Empty. For layers that answer without the service behind them.
impl<B: Body> Default for ResponseBody<B> {
    fn default() -> Self {
        Self { inner: None, own: None, length: UNKNOWN_LENGTH, state: BodyState::Ended }
    }
}

impl<B: Body> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

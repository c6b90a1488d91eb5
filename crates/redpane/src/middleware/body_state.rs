//! What a response body and the end of its request have to do with each other.

use std::any::Any;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http_body::{Body, Frame};

use super::caught_panic;
use super::delivery::Delivery;
use super::observation::Observation;
use super::stream::{BodyStream, PendingUpgrade};
use super::unwind::{Payload, catch};
use crate::request::context::RequestContext;
use crate::request::current::enter;
use crate::request::finished::Outcome;

pub(super) enum BodyState {
    /// The request ends with the body or, where the server tells about it, with its delivery.
    Observed(Observation, Option<Delivery>),
    /// The request ended at its headers, and the stream that began there ends with the body.
    Stream(Box<BodyStream>),
    /// The connection leaves HTTP. Whether that is a stream shows when this body is gone: layers inside may have put something
    /// of the request into it.
    Upgraded(Box<PendingUpgrade>),
    /// The request ended at its headers; log lines still carry its ids.
    Detached(Option<RequestContext>),
    /// The body has ended, or belongs to a request that is observed elsewhere.
    Ended,
}

impl BodyState {
    /// Runs code of the application inside the request.
    #[inline]
    pub(super) fn run<R>(&mut self, work: impl FnOnce() -> R) -> Result<R, Payload> {
        match self {
            Self::Observed(observation, _) => observation.run(work),
            Self::Stream(stream) => {
                let _scope = enter(&mut stream.context);
                catch(work)
            }
            Self::Upgraded(upgrade) => {
                let _scope = enter(&mut upgrade.context);
                catch(work)
            }
            Self::Detached(context) => {
                let _scope = enter(context);
                catch(work)
            }
            Self::Ended => Ok(work()),
        }
    }

    /// Makes sure that a caught panic has its log line.
    pub(super) fn log_panic(&self, payload: &(dyn Any + Send)) {
        if let Some(context) = self.context() {
            caught_panic::log(context, payload);
        }
    }

    pub(super) fn context(&self) -> Option<&RequestContext> {
        match self {
            Self::Observed(observation, _) => observation.context(),
            Self::Stream(stream) => stream.context.as_ref(),
            Self::Upgraded(upgrade) => upgrade.context.as_ref(),
            Self::Detached(context) => context.as_ref(),
            Self::Ended => None,
        }
    }

    #[inline]
    pub(super) fn count<D: Buf>(&mut self, frame: &Frame<D>) {
        match self {
            Self::Observed(observation, _) => observation.count(frame),
            Self::Stream(stream) => stream.count(frame),
            Self::Upgraded(_) | Self::Detached(_) | Self::Ended => {}
        }
    }

    /// The application has nothing to hand over yet.
    pub(super) fn waits(&mut self) {
        match self {
            Self::Observed(observation, _) => observation.waits(),
            Self::Stream(stream) => stream.waits(),
            Self::Upgraded(_) | Self::Detached(_) | Self::Ended => {}
        }
    }

    /// Whether the body has at least so many bytes.
    pub(super) fn has_sent(&self, bytes: u64) -> bool {
        match self {
            Self::Observed(observation, _) => observation.has_sent(bytes),
            Self::Stream(stream) => stream.bytes >= bytes,
            Self::Upgraded(_) | Self::Detached(_) | Self::Ended => false,
        }
    }

    /// It went wrong.
    pub(super) fn fail(&mut self, outcome: Outcome) {
        match std::mem::replace(self, Self::Ended) {
            Self::Observed(observation, _) => observation.fail(outcome),
            Self::Stream(mut stream) => stream.outcome = outcome,
            Self::Upgraded(_) | Self::Detached(_) | Self::Ended => {}
        }
    }

    /// The server has taken the whole body.
    pub(super) fn complete(&mut self) {
        match std::mem::replace(self, Self::Ended) {
            Self::Observed(observation, Some(delivery)) => delivery.wait_with(observation),
            Self::Observed(observation, None) => observation.complete(),
            Self::Stream(mut stream) => stream.outcome = Outcome::Complete,
            Self::Upgraded(_) | Self::Detached(_) | Self::Ended => {}
        }
    }

    /// The body is dropped. The client left in the middle, or the server has all of the `length` bytes that were promised and
    /// asks for no more.
    pub(super) fn dropped(&mut self, length: u64) {
        if let Self::Observed(observation, delivery) = self {
            if observation.has_sent(length) {
                self.complete();
            } else if let Some(delivery) = delivery {
                delivery.cut(observation);
            }
        } else if matches!(self, Self::Stream(stream) if stream.bytes >= length) {
            self.complete();
        }
        *self = Self::Ended;
    }
}

/// What one poll of a body gave: the frame, whether the body has ended, and what dropping it gave where it was dropped.
pub(super) type Polled<D, E> = (Poll<Option<Result<Frame<D>, E>>>, bool, Result<(), Payload>);

/// Polls the application's body; when that was its end it is dropped at once, still inside its context. A panic of its
/// destructors comes back beside the frame, which it does not spoil.
#[inline]
pub(super) fn poll_to_its_end<B: Body>(
    mut slot: Pin<&mut Option<B>>,
    cx: &mut Context<'_>,
) -> Polled<B::Data, B::Error> {
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
#[inline]
pub(super) fn drop_inner<B>(mut inner: Pin<&mut Option<B>>, state: &mut BodyState) {
    if inner.is_some()
        && let Err(payload) = state.run(|| inner.set(None))
    {
        state.log_panic(&*payload);
    }
}

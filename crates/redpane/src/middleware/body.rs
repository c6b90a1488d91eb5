//! From the response headers to the last byte of the body.

use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::body_error::ResponseBodyError;
use super::body_state::{BodyState, drop_inner, poll_to_its_end};
use super::caught_panic::catches_panics;
use super::delivery::Delivery;
use super::observation::Observation;
use super::stream::Nature;
use crate::request::finished::Outcome;

/// A length that no body reaches.
const UNKNOWN_LENGTH: u64 = u64::MAX;

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
        panic_answer: Option<Box<B::Data>>,
        // Bytes that the body has if all of it is sent.
        length: u64,
        state: BodyState,
    }

    impl<B> PinnedDrop for ResponseBody<B>
    where
        B: Body,
    {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            drop_inner(this.inner, this.state);
            this.state.dropped(*this.length);
        }
    }
}

impl<B: Body> ResponseBody<B>
where
    B::Data: 'static,
{
    /// `length` is what the answer promises, in bytes. An answer without a body ends here: nothing of it can be watched.
    pub(super) fn new(
        body: B,
        length: Option<u64>,
        nature: Nature,
        observation: Observation,
        delivery: Option<Delivery>,
    ) -> Self {
        let length = length.unwrap_or(UNKNOWN_LENGTH);
        let (inner, panic_answer) = (Some(body), None);
        if nature == Nature::Upgrade {
            let upgrade = observation.into_upgrade();
            let state = upgrade.map_or(BodyState::Ended, |upgrade| BodyState::Upgraded(Box::new(upgrade)));
            return Self { inner, panic_answer, length, state };
        }
        if inner.as_ref().is_some_and(Body::is_end_stream) {
            if observation.takes_stream() {
                // It was one before its headers, and ends with them.
                observation.into_ended_stream();
            } else {
                observation.complete();
            }
            return Self { inner, panic_answer, length, state: BodyState::Ended };
        }
        // axum or hyper drop a body that HTTP leaves out unread, which must not look like a client that left.
        let state = if observation.has_no_body() {
            let context = observation.context().cloned();
            observation.complete();
            BodyState::Detached(context)
        } else if observation.ends_at_headers(nature == Nature::EventStream) {
            observation.into_stream().map_or(BodyState::Ended, |stream| BodyState::Stream(Box::new(stream)))
        } else {
            BodyState::Observed(observation, delivery)
        };
        Self { inner, panic_answer, length, state }
    }

    /// The answer to a panic. A body whose data is not `Bytes` cannot hold it, and is empty.
    pub(super) fn panicked(text: Bytes, observation: Observation, delivery: Option<Delivery>) -> Self {
        let length = text.len() as u64;
        let mut text = Some(text);
        let panic_answer =
            (&mut text as &mut dyn Any).downcast_mut::<Option<B::Data>>().and_then(Option::take).map(Box::new);
        let state = match panic_answer.is_some() && !observation.has_no_body() {
            true => BodyState::Observed(observation, delivery),
            false => {
                observation.complete();
                BodyState::Ended
            }
        };
        Self { inner: None, panic_answer, length, state }
    }

    pub(super) fn pass_through(body: B) -> Self {
        Self { inner: Some(body), panic_answer: None, length: UNKNOWN_LENGTH, state: BodyState::Ended }
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
        if let Some(answer) = this.panic_answer.take() {
            let frame = Frame::data(*answer);
            this.state.count(&frame);
            this.state.complete();
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
                this.state.fail(Outcome::Panic);
                if goes_on {
                    resume_unwind(payload);
                }
                return Poll::Ready(Some(Err(ResponseBodyError::Panicked)));
            }
        };
        match &polled {
            Poll::Ready(Some(Ok(frame))) => this.state.count(frame),
            Poll::Ready(Some(Err(_))) => this.state.fail(Outcome::BodyError),
            Poll::Ready(None) => {}
            Poll::Pending => this.state.waits(),
        }
        if ended {
            let length = *this.length;
            // A server breaks off an answer that is shorter than it says.
            match length == UNKNOWN_LENGTH || this.state.has_sent(length) {
                true => this.state.complete(),
                false => this.state.fail(Outcome::BodyError),
            }
        }
        polled.map_err(ResponseBodyError::Body)
    }

    fn is_end_stream(&self) -> bool {
        self.panic_answer.is_none() && self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.panic_answer {
            Some(answer) => SizeHint::with_exact(answer.remaining() as u64),
            None => self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint),
        }
    }
}

/// Empty. For layers that answer without the service behind them.
impl<B: Body> Default for ResponseBody<B> {
    fn default() -> Self {
        Self { inner: None, panic_answer: None, length: UNKNOWN_LENGTH, state: BodyState::Ended }
    }
}

impl<B: Body> fmt::Debug for ResponseBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

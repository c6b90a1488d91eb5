//! A body that does what it is told, frame by frame.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use http::HeaderMap;
use http_body::Frame;

/// What a [`Scripted`] body does when it is polled.
#[expect(missing_debug_implementations, reason = "holds code")]
pub enum Step {
    /// Sends these bytes.
    Data(&'static str),
    /// Sends a chunk again and again, until nobody asks any more.
    Endless(&'static [u8]),
    /// Sends trailers.
    Trailers(HeaderMap),
    /// Breaks off.
    Error,
    /// Panics.
    Panic,
    /// Lets the server send what it has before the next step.
    Pause,
    /// Waits for ever.
    Hang,
    /// Runs the test's own code.
    Run(Box<dyn FnOnce() + Send>),
}

/// The steps of a body, and optionally something to drop with it.
#[expect(missing_debug_implementations, reason = "holds code")]
pub struct Scripted(VecDeque<Step>, #[expect(dead_code, reason = "only dropped")] Option<Box<dyn Send>>);

impl Scripted {
    /// A body of these steps.
    pub fn body(steps: impl IntoIterator<Item = Step>) -> Body {
        Body::new(Self(steps.into_iter().collect(), None))
    }

    /// The same with a value that is dropped when the body is.
    pub fn body_with(steps: impl IntoIterator<Item = Step>, kept: impl Send + 'static) -> Body {
        Body::new(Self(steps.into_iter().collect(), Some(Box::new(kept))))
    }
}

impl HttpBody for Scripted {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            let frame = match self.0.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Data(text)) => Ok(Frame::data(Bytes::from_static(text.as_bytes()))),
                Some(Step::Endless(chunk)) => {
                    self.0.push_front(Step::Endless(chunk));
                    Ok(Frame::data(Bytes::from_static(chunk)))
                }
                Some(Step::Trailers(trailers)) => Ok(Frame::trailers(trailers)),
                Some(Step::Error) => Err(io::Error::other("the script breaks the body here")),
                Some(Step::Panic) => panic!("the script panics here"),
                Some(Step::Pause) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(Step::Hang) => {
                    self.0.push_front(Step::Hang);
                    return Poll::Pending;
                }
                Some(Step::Run(code)) => {
                    code();
                    continue;
                }
            };
            return Poll::Ready(Some(frame));
        }
    }
}

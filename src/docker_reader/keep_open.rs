//! A body that ends when the program does, and may stay open after its last byte.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use http_body::Frame;
use tokio::sync::watch;

/// What follows the last byte of a body.
pub(super) enum Then {
    /// The end of the answer.
    End,
    /// Nothing, until this is over. The log of a container that does not run does not grow; if its stream ended, the collector
    /// would ask again every few seconds.
    KeepOpen(Wait),
}

type Wait = Pin<Box<dyn Future<Output = ()> + Send>>;

/// `body`, and whatever `then` says, until `ending` is true: a stream that has no end must not hold up a shutdown.
pub(super) fn until(mut ending: watch::Receiver<bool>, body: Body, then: Then) -> Body {
    let ended = Box::pin(async move { drop(ending.wait_for(|ending| *ending).await) });
    Body::new(Kept { body: Some(body), then, ended: Some(ended) })
}

struct Kept {
    body: Option<Body>,
    then: Then,
    ended: Option<Wait>,
}

impl HttpBody for Kept {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(ended) = self.ended.as_mut() else { return Poll::Ready(None) };
        if ended.as_mut().poll(context).is_ready() {
            self.ended = None;
            return Poll::Ready(None);
        }
        if let Some(body) = self.body.as_mut() {
            match Pin::new(body).poll_frame(context) {
                Poll::Ready(Some(frame)) => return Poll::Ready(Some(frame.map_err(Into::into))),
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => self.body = None,
            }
        }
        if let Then::KeepOpen(over) = &mut self.then {
            std::task::ready!(over.as_mut().poll(context));
        }
        self.ended = None;
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn a_held_body_gives_its_bytes_and_ends_with_the_program() {
        let (end, ending) = watch::channel(false);
        let mut body = until(ending, Body::from("line"), Then::KeepOpen(Box::pin(std::future::pending())));
        let frame = body.frame().await.expect("a frame").expect("no error");
        assert_eq!(frame.into_data().ok(), Some(Bytes::from("line")));
        let silence = tokio::time::timeout(Duration::from_millis(50), body.frame()).await;
        assert!(silence.is_err(), "it must stay open");
        end.send(true).expect("the body listens");
        assert!(body.frame().await.is_none());
        assert!(body.frame().await.is_none(), "also when asked again");
    }

    #[tokio::test]
    async fn another_body_ends_by_itself() {
        let (_end, ending) = watch::channel(false);
        let body = until(ending, Body::from("line"), Then::End);
        assert_eq!(body.collect().await.expect("no error").to_bytes(), "line");
    }
}

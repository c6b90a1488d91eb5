//! From a request to the headers of its answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use axum::response::Response;
use http::{HeaderValue, header};
use pin_project_lite::pin_project;
use redpane::Delivery;

use super::clients::{DeliveredBody, Ending, Exchange, NextTurn};

pin_project! {
    /// A router's answer that is polled at least once, on drop if not before, and whose delivery is watched.
    ///
    /// A router does nothing before its first poll. hyper drops an answer unpolled when it reads a request and the end of
    /// its connection at once: under overload, when clients give up while they wait to be accepted. The poll on drop lets
    /// the middleware start, and so count and log the request.
    pub(super) struct Answering<F: Future> {
        // `None` of a stream of HTTP/2 that is refused.
        #[pin]
        answer: Option<F>,
        is_polled: bool,
        // Until the middleware takes it.
        delivery: Option<Delivery>,
        // Many requests came in one packet: others have their turn first.
        next_turn: Option<NextTurn>,
        // After the answer: the exchange ends no sooner. `None` once it is the body's.
        exchange: Option<Arc<Exchange>>,
        ending: Option<Ending>,
    }

    impl<F: Future> PinnedDrop for Answering<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let (false, Some(answer)) = (*this.is_polled, this.answer.as_pin_mut()) {
                // The result is discarded with the answer. hyper drops an answer only where it would poll it, so this
                // runs inside the connection's task.
                let mut context = Context::from_waker(Waker::noop());
                let _ = Delivery::offer(this.delivery, || answer.poll(&mut context));
            }
        }
    }
}

impl<F: Future> Answering<F> {
    pub(super) fn new(answer: F, next_turn: Option<NextTurn>, exchange: Arc<Exchange>, ending: Option<Ending>) -> Self {
        let delivery = Some(exchange.delivery().clone());
        Self { answer: Some(answer), is_polled: false, delivery, next_turn, exchange: Some(exchange), ending }
    }

    /// The end of a stream of HTTP/2 for which no request was begun: its client may send it again (RFC 9113, section 8.7).
    pub(super) fn refused() -> Self {
        Self { answer: None, is_polled: false, delivery: None, next_turn: None, exchange: None, ending: None }
    }
}

impl<F> Future for Answering<F>
where
    F: Future<Output = Result<Response, Infallible>>,
{
    type Output = Result<http::Response<DeliveredBody>, h2::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Some(turn) = this.next_turn {
            ready!(turn.as_mut().poll(context));
            *this.next_turn = None;
        }
        let Some(answer) = this.answer.as_pin_mut() else {
            return Poll::Ready(Err(h2::Reason::REFUSED_STREAM.into()));
        };
        *this.is_polled = true;
        let Ok(mut response) = ready!(Delivery::offer(this.delivery, || answer.poll(context)));
        let exchange = this.exchange.take().expect("a future is not polled after it was ready");
        // hyper says so itself where it was told before the request came.
        if exchange.ends_connection() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(ending) = this.ending {
            ending.settle(response.headers_mut());
        }
        Poll::Ready(Ok(response.map(|body| DeliveredBody::new(body, exchange))))
    }
}

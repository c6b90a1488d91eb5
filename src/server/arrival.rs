//! A request that has arrived is observed, even if its client left before anybody looked at it.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

pin_project! {
    /// The answer of a router. A router does nothing before its first poll, and hyper drops an answer unpolled where it
    /// reads the request and the end of the connection at once: under overload, when clients give up while they wait to
    /// be accepted. Such an answer is begun as it is dropped, so that the middleware counts and logs the request.
    pub(super) struct Arrived<F: Future> {
        #[pin]
        answer: F,
        is_begun: bool,
    }

    impl<F: Future> PinnedDrop for Arrived<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if !*this.is_begun {
                // Dropped right after this, whatever it says. hyper polls an answer or drops it in the same breath, so
                // this runs inside the connection's task.
                let _ = this.answer.poll(&mut Context::from_waker(Waker::noop()));
            }
        }
    }
}

impl<F: Future> Arrived<F> {
    pub(super) fn new(answer: F) -> Self {
        Self { answer, is_begun: false }
    }
}

impl<F: Future> Future for Arrived<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        *this.is_begun = true;
        this.answer.poll(context)
    }
}

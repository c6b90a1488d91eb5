//! Requests whose client left before hyper polled their answer are counted and logged too.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

pin_project! {
    /// A router's answer that is polled at least once, on drop if not before.
    ///
    /// A router does nothing before its first poll. hyper drops an answer unpolled when it reads a request and the end of
    /// its connection at once: under overload, when clients give up while they wait to be accepted. The poll on drop lets
    /// the middleware start, and so count and log the request.
    pub(super) struct PollOnDrop<F: Future> {
        #[pin]
        answer: F,
        is_polled: bool,
    }

    impl<F: Future> PinnedDrop for PollOnDrop<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if !*this.is_polled {
                // The result is discarded with the answer. hyper drops an answer only where it would poll it, so this
                // runs inside the connection's task.
                let _ = this.answer.poll(&mut Context::from_waker(Waker::noop()));
            }
        }
    }
}

impl<F: Future> PollOnDrop<F> {
    pub(super) fn new(answer: F) -> Self {
        Self { answer, is_polled: false }
    }
}

impl<F: Future> Future for PollOnDrop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        *this.is_polled = true;
        this.answer.poll(context)
    }
}

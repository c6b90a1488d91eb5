//! Taking the context of a request along into tasks and threads that outlive its poll.

use std::future::Future;
use std::panic::{self, AssertUnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio::task::JoinHandle;
use tracing::instrument::{Instrument, Instrumented};

use super::context::RequestContext;
use super::current::{current, enter};

pin_project! {
    /// A future that runs in the context of a request. See [`in_current_request`] and [`RequestContext::scope`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are polled"]
    pub struct InRequest<F> {
        context: Option<RequestContext>,
        // `None` only while it is being dropped, which happens inside the context: an aborted task may still log.
        #[pin]
        inner: Option<Instrumented<F>>,
    }

    impl<F> PinnedDrop for InRequest<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _scope = enter(this.context);
            this.inner.set(None);
        }
    }
}

impl<F: Future> Future for InRequest<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let inner = this.inner.as_pin_mut().expect("only the destructor takes it out");
        run(this.context, || inner.poll(cx))
    }
}

/// Runs code in a request, which learns of a panic: an upgraded connection has no other end that anybody sees.
fn run<R>(context: &mut Option<RequestContext>, work: impl FnOnce() -> R) -> R {
    let scope = enter(context);
    // The panic goes on, so nobody sees what it broke who would not see it anyway.
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    drop(scope);
    result.unwrap_or_else(|payload| {
        if let Some(context) = context {
            context.has_panicked();
        }
        panic::resume_unwind(payload)
    })
}

/// Ties a future to the current request, and to the current `tracing` span: wherever it is polled, its log lines carry
/// the request's ids and its metrics land in the same `/metrics`. Outside of a request it changes nothing.
pub fn in_current_request<F: Future>(future: F) -> InRequest<F> {
    InRequest { context: current(), inner: Some(future.in_current_span()) }
}

impl RequestContext {
    /// Ties a future to this request, and to the current `tracing` span, as [`in_current_request`] does for the current
    /// request. For futures that other code spawns, where no request is current any more, such as the callback of a
    /// WebSocket upgrade:
    ///
    /// ```
    /// # use redpane::RequestContext;
    /// # fn on_upgrade<F: Future>(callback: impl FnOnce() -> F) {}
    /// async fn handler(context: RequestContext) {
    ///     on_upgrade(move || context.scope(async { tracing::info!("connected") }));
    /// }
    /// ```
    pub fn scope<F: Future>(&self, future: F) -> InRequest<F> {
        InRequest { context: Some(self.clone()), inner: Some(future.in_current_span()) }
    }
}

/// [`tokio::spawn`] with the current request's ids. A plain `tokio::spawn` does not know which request it belongs to.
///
/// # Panics
/// Outside of a tokio runtime, as `tokio::spawn` does.
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(in_current_request(future))
}

/// [`tokio::task::spawn_blocking`] with the current request's ids and `tracing` span.
///
/// # Panics
/// Outside of a tokio runtime, as `tokio::task::spawn_blocking` does.
pub fn spawn_blocking<F, R>(work: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let mut context = current();
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || run(&mut context, || span.in_scope(work)))
}

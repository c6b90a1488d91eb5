//! Ids that are not redpane's own: those of the span that is current in an SDK which the application runs.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use crate::trace_context::traceparent::TraceParent;

thread_local! {
    /// Whether this thread is asking: what the function logs must not ask again.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// Asks the application for the ids of the SDK's current span.
#[derive(Clone)]
pub(crate) struct IdsSource(Arc<dyn Fn() -> Option<TraceParent> + Send + Sync>);

/// The function has panicked.
struct Panicked;

impl IdsSource {
    pub(crate) fn new(ids: impl Fn() -> Option<TraceParent> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ids))
    }

    /// The ids of the span that is current on this thread. It must not be called while a span's extensions are locked.
    pub(crate) fn ask(&self) -> Option<TraceParent> {
        self.try_ask().unwrap_or(None)
    }

    fn try_ask(&self) -> Result<Option<TraceParent>, Panicked> {
        // Not while a thread panics: a hook of the application's may log, and a second panic in there ends the process.
        if thread::panicking() || ASKING.replace(true) {
            return Ok(None);
        }
        let asked = catch_unwind(AssertUnwindSafe(|| (self.0)()));
        ASKING.set(false);
        asked.map_err(|_| Panicked)
    }
}

impl fmt::Debug for IdsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdsSource").finish_non_exhaustive()
    }
}

/// What the source says about one request. Its methods are cold: out of the way of the requests of all other applications.
pub(crate) struct RequestIds {
    source: IdsSource,
    /// The first span that was current in the request. `None` inside: there was none until its answer was made, or the
    /// function panicked, and the request keeps its own ids.
    first: OnceLock<Option<TraceParent>>,
    /// The function has panicked in this request.
    panicked: AtomicBool,
}

impl RequestIds {
    /// A request arrives.
    pub(super) fn ask_first(source: &IdsSource) -> Self {
        let ids = Self { source: source.clone(), first: OnceLock::new(), panicked: AtomicBool::new(false) };
        ids.now();
        ids
    }

    /// The ids of the request, where they are not its own.
    #[cold]
    pub(crate) fn first(&self) -> Option<&TraceParent> {
        self.first.get()?.as_ref()
    }

    #[cold]
    pub(crate) fn is_decided(&self) -> bool {
        self.first.get().is_some()
    }

    /// The request keeps its own.
    pub(crate) fn are_own(&self) -> bool {
        matches!(self.first.get(), Some(None))
    }

    /// From here on the ids of the request do not change.
    #[cold]
    pub(crate) fn decide(&self) {
        self.first.get_or_init(|| None);
    }

    /// The ids of the current span. `None` where there is none, and in a request that keeps its own.
    #[cold]
    pub(crate) fn now(&self) -> Option<TraceParent> {
        if self.panicked.load(Ordering::Relaxed) || self.are_own() {
            return None;
        }
        match self.source.try_ask() {
            Ok(now) => {
                let now = now?;
                // Another thread may have decided meanwhile.
                self.first.get_or_init(|| Some(now)).map(|_| now)
            }
            Err(Panicked) => {
                // One line of a panic tells as much as one for each of its lines.
                self.panicked.store(true, Ordering::Relaxed);
                self.decide();
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Weak;
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::trace_context::ids::{SpanId, TraceId};

    fn span() -> TraceParent {
        TraceParent::new(TraceId::random(), SpanId::random(), true)
    }

    /// As a function that logs does: its line asks.
    #[test]
    fn a_function_that_asks_again_is_not_called_again() {
        let (calls, span) = (AtomicU32::new(0), span());
        let source = IdsSource(Arc::new_cyclic(|itself: &Weak<_>| {
            let itself: Weak<dyn Fn() -> Option<TraceParent> + Send + Sync> = itself.clone() as _;
            move || {
                assert_eq!(calls.fetch_add(1, Ordering::Relaxed), 0);
                let asked = itself.upgrade().and_then(|source| IdsSource(source).ask());
                if asked.is_none() { Some(span) } else { None }
            }
        }));
        assert_eq!(source.ask(), Some(span));
    }

    #[test]
    fn it_is_not_called_while_the_thread_panics() {
        struct Asks(IdsSource);
        impl Drop for Asks {
            fn drop(&mut self) {
                assert!(thread::panicking() && self.0.ask().is_none());
            }
        }
        let asks = Asks(IdsSource::new(|| unreachable!("it is not called")));
        let unwound = catch_unwind(AssertUnwindSafe(move || {
            let _asks = asks;
            panic!("on purpose")
        }));
        assert_eq!(unwound.unwrap_err().downcast_ref(), Some(&"on purpose"));
    }

    #[test]
    fn a_panic_is_no_span_and_the_next_question_is_asked() {
        let calls = AtomicU32::new(0);
        let span = span();
        let source = IdsSource::new(move || {
            assert!(calls.fetch_add(1, Ordering::Relaxed) > 0, "the first time");
            Some(span)
        });
        assert_eq!((source.ask(), source.ask()), (None, Some(span)));
    }
}

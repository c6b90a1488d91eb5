//! The context that the code on this thread runs in.

use std::cell::Cell;
use std::mem::ManuallyDrop;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, LocalRecorderGuard, Metadata, SharedString, Unit};

use super::context::RequestContext;

thread_local! {
    // A destructor would be asked after at every look, and could run before code that still logs. Nothing is leaked without
    // one: every scope takes its context out again.
    static CURRENT: Cell<Option<ManuallyDrop<RequestContext>>> = const { Cell::new(None) };
}

/// The context of the request that this code runs for. `None` outside of a request, and in tasks that were spawned without
/// [`spawn`](crate::spawn()).
#[must_use]
pub fn current() -> Option<RequestContext> {
    with_current(|context| context.cloned())
}

/// Looks at the current context without the cost of a clone. `look` must not call code of the application: it would find
/// no context.
pub(crate) fn with_current<R>(look: impl FnOnce(Option<&RequestContext>) -> R) -> R {
    let restore = Restore(CURRENT.take());
    look(restore.0.as_deref())
}

struct Restore(Option<ManuallyDrop<RequestContext>>);

impl Drop for Restore {
    fn drop(&mut self) {
        if self.0.is_some() {
            CURRENT.set(self.0.take());
        }
    }
}

/// Enters the context that a slot holds, if it does: until the scope ends, log lines carry its ids and application metrics
/// land in its telemetry.
///
/// The handle moves into the thread's slot and back, so entering costs no reference counting. It is a guard and takes no
/// closure, because requests and futures of some hundred bytes would be copied into each closure around them.
#[must_use = "the context is left when the scope is dropped"]
#[inline]
pub(crate) fn enter(slot: &mut Option<RequestContext>) -> Option<Scope<'_>> {
    let outer = CURRENT.replace(Some(ManuallyDrop::new(slot.take()?)));
    Some(Scope { outer, slot, _recorder: metrics::set_default_local_recorder(&CurrentRecorder) })
}

pub(crate) struct Scope<'a> {
    outer: Option<ManuallyDrop<RequestContext>>,
    slot: &'a mut Option<RequestContext>,
    _recorder: LocalRecorderGuard<'static>,
}

impl Drop for Scope<'_> {
    #[inline]
    fn drop(&mut self) {
        *self.slot = CURRENT.replace(self.outer.take()).map(ManuallyDrop::into_inner);
    }
}

/// The recorder of the current context. It looks for it only when the application emits a metric: nearly all requests
/// enter their context several times, and few of them emit any.
struct CurrentRecorder;

fn recorder<R>(emit: impl FnOnce(&dyn metrics::Recorder) -> R) -> R {
    match current() {
        Some(context) => emit(context.telemetry().recorder()),
        None => emit(&metrics::NoopRecorder),
    }
}

impl metrics::Recorder for CurrentRecorder {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        recorder(|recorder| recorder.describe_counter(key, unit, description));
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        recorder(|recorder| recorder.describe_gauge(key, unit, description));
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        recorder(|recorder| recorder.describe_histogram(key, unit, description));
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        recorder(|recorder| recorder.register_counter(key, metadata))
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        recorder(|recorder| recorder.register_gauge(key, metadata))
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        recorder(|recorder| recorder.register_histogram(key, metadata))
    }
}

//! The `tracing` spans from outside of requests that the code on this thread is in, as far as they have promoted fields: the
//! requests that run in them get these.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::context::{RequestContext, WeakRequest};
use super::fields::FieldValue;
use super::promoted_names::PromotedNames;

/// The fields of a span that was opened outside of requests, as they are now.
pub(crate) struct OutsideSpan(Mutex<Outside>);

struct Outside {
    values: Vec<(&'static str, FieldValue)>,
    /// The request that was last seen in it.
    request: WeakRequest,
}

impl OutsideSpan {
    pub(crate) fn new(values: Vec<(&'static str, FieldValue)>) -> Self {
        Self(Mutex::new(Outside { values, request: WeakRequest::default() }))
    }

    /// A request is in this span. What was recorded in the request already stays.
    pub(crate) fn is_around(&self, context: &RequestContext) {
        let mut outside = self.lock();
        if !outside.request.is(context) {
            outside.request = context.downgrade();
            outside.values.iter().for_each(|(name, value)| context.record_missing(name, value));
        }
    }

    /// `span.record(..)`: for the requests to come, and for the one that is in it.
    pub(crate) fn record(&self, values: Vec<(&'static str, FieldValue)>, current: Option<&RequestContext>) {
        // Dropped behind the lock: it may be the last handle of its request.
        let last = self.lock().request.upgrade();
        let mut outside = self.lock();
        if let Some(context) = current.or(last.as_ref()) {
            values.iter().for_each(|(name, value)| context.record_field((*name).into(), value.clone()));
        }
        for (name, value) in values {
            match outside.values.iter_mut().find(|(known, _)| *known == name) {
                Some((_, earlier)) => *earlier = value,
                None => outside.values.push((name, value)),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Outside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

thread_local! {
    /// The spans from outside of requests that this thread is in, the innermost one last.
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

struct Entered {
    /// What `tracing` calls it.
    id: u64,
    names: Arc<PromotedNames>,
    span: Arc<OutsideSpan>,
}

/// A span from outside of requests is entered on this thread. One that is ending may have no room for it.
pub(crate) fn enter(id: u64, names: &Arc<PromotedNames>, span: &Arc<OutsideSpan>) {
    let entered = Entered { id, names: Arc::clone(names), span: Arc::clone(span) };
    let _ = ENTERED.try_with(|all| all.borrow_mut().push(entered));
}

/// The span is left. Spans need not be left in the order in which they were entered.
pub(crate) fn exit(id: u64, names: &Arc<PromotedNames>) {
    let _left = ENTERED.try_with(|all| {
        let mut all = all.borrow_mut();
        let at = all.iter().rposition(|entered| entered.id == id && Arc::ptr_eq(&entered.names, names))?;
        Some(all.remove(at))
    });
}

/// Whether this thread is in the span.
pub(crate) fn is_entered(span: &Arc<OutsideSpan>) -> bool {
    ENTERED.try_with(|all| all.borrow().iter().any(|entered| Arc::ptr_eq(&entered.span, span))).unwrap_or(false)
}

/// A request arrives, perhaps in spans that are around it already. The innermost one comes first, and what it says stays.
#[cold]
pub(crate) fn arrive(names: &Arc<PromotedNames>, context: &RequestContext) {
    let _ = ENTERED.try_with(|all| {
        let all = all.borrow();
        let own = all.iter().rev().filter(|entered| Arc::ptr_eq(&entered.names, names));
        own.for_each(|entered| entered.span.is_around(context));
    });
}

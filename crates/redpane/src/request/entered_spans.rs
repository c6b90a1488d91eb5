//! The `tracing` spans that the code on this thread is in, as far as they are spans of requests: a call is made inside of the
//! innermost one.

use std::cell::RefCell;

use super::context::RequestContext;
use crate::trace_context::ids::SpanId;

thread_local! {
    /// The innermost one last.
    static ENTERED: RefCell<Vec<Entered>> = const { RefCell::new(Vec::new()) };
}

struct Entered {
    /// What `tracing` calls it.
    span: u64,
    context: RequestContext,
    span_id: SpanId,
}

/// A span of a request is entered on this thread. A thread that is ending may have no room for it.
pub(crate) fn enter(span: u64, context: &RequestContext, span_id: SpanId) {
    let entered = Entered { span, context: context.clone(), span_id };
    let _ = ENTERED.try_with(|all| all.borrow_mut().push(entered));
}

/// The span is left: the entry of it that was made last for the telemetry which is meant. Spans need not be left in the
/// order in which they were entered.
pub(crate) fn exit(span: u64, is_meant: impl Fn(&RequestContext) -> bool) {
    // Dropped outside: the last handle of a request may be among them.
    let _left = ENTERED.try_with(|all| {
        let mut all = all.borrow_mut();
        let at = all.iter().rposition(|entered| entered.span == span && is_meant(&entered.context))?;
        Some(all.remove(at))
    });
}

/// The innermost span of a request that this code is in.
pub(super) fn innermost(context: &RequestContext) -> Option<SpanId> {
    let find = |all: &RefCell<Vec<Entered>>| {
        let all = all.borrow();
        Some(all.iter().rfind(|entered| entered.context.is_same(context))?.span_id)
    };
    ENTERED.try_with(find).ok().flatten()
}

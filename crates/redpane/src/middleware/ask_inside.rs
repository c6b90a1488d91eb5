//! Finds the span of a request that the application opens inside of redpane, where the ids are those of its SDK.

use http::Extensions;

use crate::request::context::RequestContext;
use crate::request::current::with_current;

/// Travels with a request until the application takes it apart, which it does inside of the spans that it has opened for
/// it. So a span is found that no line and no header has asked for.
#[derive(Clone)]
pub(super) struct AskInside(RequestContext);

impl AskInside {
    /// Puts it into a request whose ids are not decided. Out of line: most applications run no SDK.
    #[cold]
    pub(super) fn put(context: &RequestContext, extensions: &mut Extensions) {
        if context.sdk_ids().is_some_and(|ids| !ids.is_decided()) {
            extensions.insert(Self(context.clone()));
        }
    }
}

impl Drop for AskInside {
    fn drop(&mut self) {
        // Elsewhere, as in the worker of a queue, the current span is none of this request's.
        if with_current(|context| context.is_some_and(|context| context.is_same(&self.0))) {
            self.0.look_for_ids();
        }
    }
}

//! The ids of an event's line.

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::line::Line;
use super::log::Log;
use super::span::SpanFields;
use crate::request::context::RequestContext;
use crate::request::current::{current, with_current};
use crate::request::ids_from::IdsSource;

/// Opens the line of an event. Its ids come from the request that is being served here, else from the nearest span that was
/// made inside one. Where an SDK of the application says the ids, its current span comes first, also outside of requests.
pub(super) fn begin<S>(log: &Log, event: &Event<'_>, level: Level, target: &str, subscriber: &Context<'_, S>) -> Line
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let inside = with_current(|context| {
        let context = context.filter(|context| context.sdk_ids().is_none())?;
        Some(log.begin(level, target, Some(context.ids())))
    });
    inside.unwrap_or_else(|| {
        let context = current().or_else(|| nearest(event, subscriber, |fields| fields.context().cloned()));
        // Inside of an event `tracing` may hide the current span, and with it the SDK's. That span knows them then.
        let of_span = || nearest(event, subscriber, |fields| fields.ids().copied());
        let asked = match context.as_ref().map(RequestContext::sdk_ids) {
            Some(Some(ids)) if ids.are_own() => None,
            Some(Some(ids)) => ids.now().or_else(of_span),
            Some(None) => None,
            None => log.ids_from().and_then(|source| IdsSource::ask(source).or_else(of_span)),
        };
        match (&asked, &context) {
            (Some(span), _) => log.begin(level, target, Some((&span.trace_id, &span.parent_id))),
            (None, context) => log.begin(level, target, context.as_ref().map(RequestContext::ids)),
        }
    })
}

/// What the nearest span around the event knows.
fn nearest<S, T>(event: &Event<'_>, subscriber: &Context<'_, S>, look: impl Fn(&SpanFields) -> Option<T>) -> Option<T>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    subscriber.event_scope(event)?.find_map(|span| span.extensions().get::<SpanFields>().and_then(&look))
}

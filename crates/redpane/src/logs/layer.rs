//! The `tracing` layer: every event becomes one line.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_log::NormalizeEvent;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use super::event_ids;
use super::flush_guard;
use super::line::{Line, prefixed};
use super::log::Log;
use super::span::{EncodedFields, SpanFields};
use super::value::{FieldValue, visit_with};
use crate::request::current::current;
use crate::request::error_chain::ErrorChain;
use crate::request::ids_from::RequestIds;

/// Writes every event that it is shown as one log line of its telemetry. Made by [`Telemetry::log_layer`](crate::Telemetry::log_layer).
pub(crate) struct LogLayer {
    log: Arc<Log>,
}

impl LogLayer {
    pub(crate) fn new(log: Arc<Log>) -> Self {
        log.has_layer_now();
        Self { log }
    }
}

impl<S> Layer<S> for LogLayer
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, subscriber: Context<'_, S>) {
        if let Some(span) = subscriber.span(id) {
            let fields = SpanFields::new(attributes);
            // `replace`: the layer of another telemetry on the same registry may have put the same there.
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, subscriber: Context<'_, S>) {
        let values = EncodedFields::of(values);
        if let Some(span) = subscriber.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<SpanFields>()
        {
            fields.update(values);
        }
    }

    /// Keeps the ids that an SDK has for the span. Inside of an event `tracing` may hide the current span, and with it the
    /// SDK's: where any thread has a subscriber for a scope.
    fn on_enter(&self, id: &Id, subscriber: Context<'_, S>) {
        let Some(source) = self.log.ids_from() else { return };
        let Some(span) = subscriber.span(id) else { return };
        if span.extensions().get::<SpanFields>().is_none_or(|fields| fields.ids().is_some()) {
            return;
        }
        // Asked while nothing is locked: the SDK's layer keeps its part of the span beside this one.
        let asked = match current() {
            Some(context) => context.sdk_ids().and_then(RequestIds::now),
            None => source.ask(),
        };
        if let (Some(ids), Some(fields)) = (asked, span.extensions_mut().get_mut::<SpanFields>()) {
            fields.put_ids(ids);
        }
    }

    /// The SDK's layer may have entered the span after this one, and has not left it yet then.
    fn on_exit(&self, _: &Id, _: Context<'_, S>) {
        if self.log.ids_from().is_some()
            && let Some(context) = current()
        {
            context.look_for_ids();
        }
    }

    fn on_event(&self, event: &Event<'_>, subscriber: Context<'_, S>) {
        // A record of the `log` crate carries its level and target in fields; normalised, it looks like any event.
        let normalized = event.normalized_metadata();
        let metadata = normalized.as_ref().unwrap_or_else(|| event.metadata());
        let line = event_ids::begin(&self.log, event, *metadata.level(), metadata.target(), &subscriber);
        let mut message = MessageVisitor { line: Some(line), has_message: false };
        event.record(&mut message);
        let Some(line) = message.line_with_message() else { return };
        let mut fields =
            Fields { line, keys: Keys::default(), has_message: false, is_log_record: normalized.is_some() };
        event.record(&mut fields);
        let mut line = fields.line;
        write_spans(&mut line, event, &subscriber);
        self.log.append(line);
        flush_guard::at_end_of_main(&self.log);
    }
}

/// `spans` lists the spans around the event with their fields, the outermost first.
fn write_spans<S>(line: &mut Line, event: &Event<'_>, subscriber: &Context<'_, S>)
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let Some(scope) = subscriber.event_scope(event) else { return };
    line.field(",\"spans\":", |out| {
        let mut separator = b'[';
        for span in scope.from_root() {
            if let Some(fields) = span.extensions().get::<SpanFields>() {
                out.push(separator);
                fields.write(out, span.name());
                separator = b',';
            }
        }
        out.extend_from_slice(if separator == b'[' { b"[]" } else { b"]" });
    });
}

/// Writes the event's message into the line, before its other fields.
struct MessageVisitor {
    /// `None` only while the message is being written.
    line: Option<Line>,
    has_message: bool,
}

impl MessageVisitor {
    fn take(&mut self, field: &Field, value: &FieldValue<'_>) {
        // A second `message` is a field like any other.
        if field.name() == "message" && !mem::replace(&mut self.has_message, true) {
            self.line = self.line.take().map(|line| match value {
                FieldValue::Text(text) => line.message(format_args!("{text}")),
                FieldValue::Debug(debug) => line.message(format_args!("{debug:?}")),
                // A message is a text, whatever the application made it of.
                FieldValue::Bool(value) => line.message(format_args!("{value}")),
                FieldValue::Signed(value) => line.message(format_args!("{value}")),
                FieldValue::Unsigned(value) => line.message(format_args!("{value}")),
                FieldValue::Float(value) => line.message(format_args!("{value}")),
                FieldValue::Error(error) => line.message(format_args!("{}", ErrorChain(*error))),
            });
        }
    }

    /// The line; with an empty message where the event has none.
    fn line_with_message(self) -> Option<Line> {
        let Self { line, has_message } = self;
        line.map(|line| if has_message { line } else { line.message(format_args!("")) })
    }
}

impl Visit for MessageVisitor {
    visit_with!(take);
}

struct Fields {
    line: Line,
    keys: Keys,
    has_message: bool,
    /// A record of the `log` crate, whose own fields (`log.target` and others) are in the line's level and target.
    is_log_record: bool,
}

impl Fields {
    fn add(&mut self, field: &Field, value: &FieldValue<'_>) {
        let name = field.name();
        // The first `message` is the line's own.
        let is_message = name == "message" && !mem::replace(&mut self.has_message, true);
        let is_bridged = self.is_log_record && name.starts_with("log.");
        if !is_message && !is_bridged {
            let (bare, prefixes) = prefixed(name);
            let prefixes = self.keys.take(bare, prefixes);
            self.line.user_field(bare, prefixes, |out| value.write(out));
        }
    }
}

/// The keys that the fields of an event have got: bare names and prefixes. Nearly all events have so few fields that a
/// list beats a set.
#[derive(Default)]
struct Keys {
    first: [(&'static str, usize); 16],
    len: usize,
    others: BTreeSet<(&'static str, usize)>,
}

impl Keys {
    /// Finds a free key: as many prefixes as asked for, and one more while another field has that one.
    fn take(&mut self, bare: &'static str, mut prefixes: usize) -> usize {
        while self.first[..self.len].contains(&(bare, prefixes)) || self.others.contains(&(bare, prefixes)) {
            prefixes += 1;
        }
        match self.first.get_mut(self.len) {
            Some(free) => {
                *free = (bare, prefixes);
                self.len += 1;
            }
            None => _ = self.others.insert((bare, prefixes)),
        }
        prefixes
    }
}

impl Visit for Fields {
    visit_with!(add);
}

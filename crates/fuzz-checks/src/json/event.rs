//! Events inside spans, made of an input, and what their lines must hold.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use test_support::Line;
use tracing::span::EnteredSpan;
use tracing::{Level, Metadata, Span, Value};

use super::super::input::Operation;
use super::callsite::metadata;
use super::value::{Given, cut};

/// The keys that only redpane writes.
const RESERVED: [&str; 9] =
    ["timestamp", "level", "app", "trace_id", "span_id", "target", "message", "spans", "fields_left_out"];
const LEVELS: [(Level, &str); 5] = [
    (Level::ERROR, "ERROR"),
    (Level::WARN, "WARN"),
    (Level::INFO, "INFO"),
    (Level::DEBUG, "DEBUG"),
    (Level::TRACE, "TRACE"),
];

/// More than the 16 that a line keeps in a list, and few enough to look through again and again.
const MOST_FIELDS: usize = 24;

type Fields = Vec<(String, Given)>;

/// The spans that are open, the outermost first.
#[derive(Default)]
pub(super) struct Spans(Vec<(EnteredSpan, Open)>);

#[derive(Clone)]
struct Open {
    name: String,
    fields: BTreeMap<String, Given>,
}

/// An event as it was given.
pub(super) struct Event {
    level: &'static str,
    target: String,
    fields: Fields,
    spans: Vec<Open>,
}

fn fields(operation: &Operation<'_>) -> Fields {
    operation.pairs(1).take(MOST_FIELDS).map(|(name, value)| (name, Given::read(value))).collect()
}

fn names(fields: &Fields) -> Vec<&str> {
    fields.iter().map(|(name, _)| name.as_str()).collect()
}

/// Calls `with` with the values in the order of their fields.
fn with_values<R>(fields: &Fields, with: impl FnOnce(&[Option<&dyn Value>]) -> R) -> R {
    let values: Vec<_> = fields.iter().map(|(_, given)| given.value()).collect();
    let values: Vec<Option<&dyn Value>> = values.iter().map(|value| Some(&**value)).collect();
    with(&values)
}

/// As the macros do before they make a span or an event.
fn ask(metadata: &'static Metadata<'static>) {
    let enabled = tracing::dispatcher::get_default(|dispatch| dispatch.enabled(metadata));
    assert!(enabled, "everything passes this filter");
}

impl Spans {
    pub(super) fn open(&mut self, operation: &Operation<'_>) {
        let (name, fields) = (operation.text(0), fields(operation));
        let metadata = metadata(true, Level::INFO, &name, "fuzz", &names(&fields));
        ask(metadata);
        let span = with_values(&fields, |values| Span::new(metadata, &metadata.fields().value_set_all(values)));
        self.0.push((span.entered(), Open { name, fields: fields.into_iter().collect() }));
    }

    pub(super) fn record(&mut self, operation: &Operation<'_>) {
        let Some((span, open)) = self.0.last_mut() else { return };
        for (name, given) in fields(operation) {
            if let Some(earlier) = open.fields.get_mut(&name) {
                span.record(name.as_str(), &*given.value());
                *earlier = given;
            }
        }
    }

    pub(super) fn close(&mut self) {
        self.0.pop();
    }

    pub(super) fn emit(&self, operation: &Operation<'_>) -> Event {
        let (target, fields) = (operation.text(0), fields(operation));
        let number = operation.detail.first().map_or(2, |digit| usize::from(*digit) % LEVELS.len());
        let (level, shown) = LEVELS[number];
        let metadata = metadata(false, level, "event", &target, &names(&fields));
        ask(metadata);
        with_values(&fields, |values| tracing::Event::dispatch(metadata, &metadata.fields().value_set_all(values)));
        let spans = self.0.iter().map(|(_, open)| open.clone()).collect();
        Event { level: shown, target, fields, spans }
    }
}

impl Drop for Spans {
    /// The innermost first, as they would be left.
    fn drop(&mut self) {
        while self.0.pop().is_some() {}
    }
}

impl Event {
    pub(super) fn check(&self, line: &Line) {
        assert_eq!((line.get_str("level"), line.get_str("target")), (Some(self.level), Some(&*cut(&self.target, 256))));
        let message = self.fields.iter().position(|(name, _)| name == "message");
        let said = message.map_or_else(String::new, |at| self.fields[at].1.message());
        assert_eq!(line.get_str("message"), Some(&*said));
        let given: Vec<_> =
            (0..).zip(&self.fields).filter(|(at, _)| Some(*at) != message).map(|(_, field)| field).collect();
        let shown: Vec<_> =
            line.own_fields().iter().filter(|(key, _)| key != "spans" && key != "fields_left_out").collect();
        let spans = line.get("spans");
        let left_out = line.get("fields_left_out").map_or(0, |count| count.as_u64().unwrap());
        let wanted = given.len() + usize::from(!self.spans.is_empty());
        assert_eq!(shown.len() as u64 + u64::from(spans.is_some()) + left_out, wanted as u64, "fields");
        if left_out == 0 {
            for (at, (key, value)) in shown.into_iter().enumerate() {
                let (name, value_given) = given[at];
                let is_first = !given[..at].iter().any(|(earlier, _)| earlier == name);
                check_key(key, name, is_first && !RESERVED.contains(&name.as_str()));
                assert!(value_given.is_shown_as(value), "{name:?} is {value_given:?}, shown as {value}");
            }
            let spans = spans.map_or(&[][..], |spans| spans.as_array().unwrap());
            assert_eq!(spans.len(), self.spans.len());
            spans.iter().zip(&self.spans).for_each(|(shown, given)| given.check(shown));
        }
    }
}

/// A key is the field's name, with prefixes where another one has it: none where `plain`, unless it looks like one that has.
fn check_key(key: &str, name: &str, plain: bool) {
    let prefixes = key.strip_suffix(name).unwrap_or_else(|| panic!("{key:?} does not end with {name:?}"));
    assert_eq!(prefixes.replace("field.", ""), "", "{key:?} for {name:?}");
    if plain && !name.starts_with("field.") {
        assert_eq!(key, name);
    }
}

impl Open {
    fn check(&self, shown: &Json) {
        let shown = shown.as_object().unwrap();
        assert_eq!(shown.get("name").and_then(Json::as_str), Some(&*cut(&self.name, 256)));
        assert_eq!(shown.len(), 1 + self.fields.len(), "{shown:?}");
        for (name, given) in &self.fields {
            let is_taken = name == "name" || name.starts_with("field.") || RESERVED.contains(&name.as_str());
            let key = if is_taken { format!("field.{name}") } else { name.clone() };
            assert!(given.is_shown_as(&shown[&key]), "{name:?} is {given:?} in {shown:?}");
        }
    }
}

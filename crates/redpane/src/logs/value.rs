//! Values of fields: of the kinds that `tracing` tells apart, and of recorded ones.

use std::error::Error;
use std::fmt;

use super::{json, number};
use crate::request::error_chain::ErrorChain;
use crate::request::fields::FieldValue as RecordedValue;

/// One value of a field, of the kinds that `tracing` tells apart.
pub(super) enum FieldValue<'a> {
    Text(&'a str),
    Bool(bool),
    Signed(i128),
    Unsigned(u128),
    Float(f64),
    Error(&'a (dyn Error + 'static)),
    Debug(&'a dyn fmt::Debug),
}

impl FieldValue<'_> {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match *self {
            Self::Text(value) => json::text(out, value),
            Self::Bool(value) => out.extend_from_slice(if value { b"true" } else { b"false" }),
            Self::Signed(value) => match i64::try_from(value) {
                Ok(value) => number::integer(out, value),
                // Past 64 bits, readers of JSON disagree about numbers: as a text nothing is lost.
                Err(_) => json::display(out, format_args!("{value}")),
            },
            Self::Unsigned(value) => match u64::try_from(value) {
                Ok(value) => number::integer(out, value),
                Err(_) => json::display(out, format_args!("{value}")),
            },
            Self::Float(value) => number::float(out, value),
            Self::Error(error) => json::display(out, format_args!("{}", ErrorChain(error))),
            Self::Debug(value) => json::display(out, format_args!("{value:?}")),
        }
    }
}

/// Writes the value of a recorded field.
pub(super) fn write_recorded(value: &RecordedValue, out: &mut Vec<u8>) {
    match value {
        RecordedValue::Text(value) => json::text(out, value),
        RecordedValue::Signed(value) => number::integer(out, *value),
        RecordedValue::Unsigned(value) => number::integer(out, *value),
        RecordedValue::Float(value) => number::float(out, *value),
        RecordedValue::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
    }
}

/// Implements the methods of `Visit` by one method that takes a field and its [`FieldValue`].
macro_rules! visit_with {
    ($method:ident) => {
        fn record_str(&mut self, field: &Field, value: &str) {
            self.$method(field, &FieldValue::Text(value));
        }
        fn record_bool(&mut self, field: &Field, value: bool) {
            self.$method(field, &FieldValue::Bool(value));
        }
        fn record_i64(&mut self, field: &Field, value: i64) {
            self.$method(field, &FieldValue::Signed(value.into()));
        }
        fn record_u64(&mut self, field: &Field, value: u64) {
            self.$method(field, &FieldValue::Unsigned(value.into()));
        }
        fn record_i128(&mut self, field: &Field, value: i128) {
            self.$method(field, &FieldValue::Signed(value));
        }
        fn record_u128(&mut self, field: &Field, value: u128) {
            self.$method(field, &FieldValue::Unsigned(value));
        }
        fn record_f64(&mut self, field: &Field, value: f64) {
            self.$method(field, &FieldValue::Float(value));
        }
        fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
            self.$method(field, &FieldValue::Error(value));
        }
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            self.$method(field, &FieldValue::Debug(value));
        }
    };
}
pub(super) use visit_with;

//! Writing log lines: one JSON object a line, encoded once and never written by the thread that serves a request.
//!
//! * [`json`], [`number`] and [`address`] turn values into JSON, whatever bytes they hold; [`value`] knows the values of `tracing` fields.
//! * [`line`](mod@line) is one line: the first keys in their fixed order, then fields, within a bound.
//! * [`access`] makes the access line of a finished request, unless [`sampling`] leaves it out, [`layer`] the lines of
//!   `tracing` events with their spans ([`span`]) and their ids ([`event_ids`]), [`panics`] those of panics, [`stream`] those of streams.
//!   [`promoted`] gives fields of spans to their request, and so to its line.
//! * [`log`] is where they all end: the bounded [`buffer`], what it may lose ([`losses`]) and the [`writer`] thread
//!   behind it. [`filter`] says which lines there are, [`directives`] how it is written. [`flush_guard`] writes what is left when the process ends.

pub(crate) mod access;
mod address;
pub(crate) mod buffer;
pub(crate) mod directives;
mod event_ids;
pub(crate) mod filter;
pub(crate) mod flush_guard;
pub(crate) mod format;
pub(crate) mod json;
pub(crate) mod layer;
pub(crate) mod level;
pub(crate) mod line;
pub(crate) mod log;
pub(crate) mod losses;
mod number;
pub(crate) mod panics;
mod pretty;
pub(crate) mod promoted;
pub(crate) mod sampling;
mod span;
pub(crate) mod stream;
pub(crate) mod timestamp;
mod value;
mod writer;

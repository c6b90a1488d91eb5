//! One log line while it is being made.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use tracing::Level;

use super::level::{LEVELS, level_index};
use super::{json, number, timestamp};
use crate::trace_context::ids::{SpanId, TraceId};

/// No line is longer than this, in bytes: what would go beyond is left out, and the line says so.
pub(crate) const MAX_LINE: usize = 64 * 1024;
/// Room kept for the end of a line: how many fields were left out.
const TAIL: usize = 64;

/// The target of access lines, for log filters.
pub(crate) const ACCESS_TARGET: &str = "redpane::access";

/// The keys that open every line, and those that only redpane writes. An application's field of that name gets a prefix.
const RESERVED: [&str; 9] =
    ["timestamp", "level", "app", "trace_id", "span_id", "target", "message", "spans", "fields_left_out"];
const PREFIX: &str = "field.";

/// The level and the application's name as lines have them, encoded once for each level.
#[derive(Clone)]
pub(crate) struct App([Box<[u8]>; LEVELS.len()]);

impl App {
    pub(crate) fn new(name: &str) -> Self {
        Self(LEVELS.map(|level| {
            let mut encoded = format!("\",\"level\":\"{level}\",\"app\":").into_bytes();
            json::text_up_to(&mut encoded, name, 256);
            encoded.into()
        }))
    }

    fn at(&self, level: Level) -> &[u8] {
        &self.0[level_index(level)]
    }
}

thread_local! {
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The ids of a line.
pub(crate) type LineIds<'a> = (&'a TraceId, &'a SpanId);

/// A line: [`begin`](Line::begin) writes the first keys in their fixed order, fields follow, [`end`](Line::end) closes it.
pub(crate) struct Line {
    out: Vec<u8>,
    level: Level,
    left_out: u32,
}

impl Line {
    /// Opens a line up to and without `message`, which the caller writes next with [`message`](Self::message).
    pub(crate) fn begin(app: &App, level: Level, target: &str, ids: Option<LineIds<'_>>) -> Self {
        let mut line = Self::open(timestamp::now(), app, level, ids);
        json::text_up_to(&mut line.out, target, 256);
        line.raw(b",\"message\":");
        line
    }

    /// Opens an access line up to and without its target, for a time that was read already.
    pub(crate) fn begin_request(time: Duration, app: &App, level: Level, ids: LineIds<'_>) -> Self {
        Self::open(time, app, level, Some(ids))
    }

    fn open(time: Duration, app: &App, level: Level, ids: Option<LineIds<'_>>) -> Self {
        // The thread's spare buffer is taken, not borrowed: a value that logs while it is formatted gets its own.
        // A thread that is ending may have destroyed it before it destroys what logs.
        let mut out = SPARE.try_with(Cell::take).unwrap_or_default();
        out.clear();
        timestamp::write_opening(&mut out, time);
        out.extend_from_slice(app.at(level));
        match ids {
            Some(ids) => out.extend_from_slice(&encode_ids(ids)),
            None => out.extend_from_slice(b",\"trace_id\":null,\"span_id\":null,\"target\":"),
        }
        Self { out, level, left_out: 0 }
    }

    pub(crate) fn message(mut self, message: fmt::Arguments<'_>) -> Self {
        json::display(&mut self.out, message);
        self
    }

    /// Appends bytes that are JSON already: `,"key":value` as often as needed.
    pub(crate) fn raw(&mut self, fragment: &[u8]) {
        self.out.extend_from_slice(fragment);
    }

    /// Appends one field; `opening` is its key with all that JSON wants around it: `,"key":`. A field that does not fit any
    /// more is left out and counted.
    pub(crate) fn field(&mut self, opening: &str, value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.out.len();
        self.out.extend_from_slice(opening.as_bytes());
        value(&mut self.out);
        self.keep_within_bound(start);
    }

    /// Appends one field of redpane's own, of few bytes: all of them together stay far below the bound.
    pub(crate) fn short_field(&mut self, opening: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.raw(opening.as_bytes());
        value(&mut self.out);
    }

    /// Appends one field of the application under the [`key`] of its name.
    pub(crate) fn user_field(&mut self, bare: &str, prefixes: usize, value: impl FnOnce(&mut Vec<u8>)) {
        let start = self.out.len();
        self.out.push(b',');
        key(&mut self.out, bare, prefixes);
        value(&mut self.out);
        self.keep_within_bound(start);
    }

    /// Appends one field that was recorded for a request; `taken` says that the line has a field of this name already.
    pub(crate) fn recorded_field(&mut self, name: &str, taken: bool, value: impl FnOnce(&mut Vec<u8>)) {
        let (bare, prefixes) = prefixed(name);
        self.user_field(bare, prefixes + usize::from(taken), value);
    }

    fn keep_within_bound(&mut self, start: usize) {
        if self.out.len() > MAX_LINE - TAIL {
            self.out.truncate(start);
            self.left_out += 1;
        }
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        if self.left_out > 0 {
            self.out.extend_from_slice(b",\"fields_left_out\":");
            number::integer(&mut self.out, self.left_out);
        }
        self.out.extend_from_slice(b"}\n");
        self.out
    }

    /// Closes the line and hands it over.
    pub(crate) fn end(self, append: impl FnOnce(Level, &[u8])) {
        let level = self.level;
        let bytes = self.finish();
        append(level, &bytes);
        let _ = SPARE.try_with(|spare| spare.set(bytes));
    }
}

/// `,"trace_id":"…","span_id":"…","target":`: made in one piece, since one copy costs as much as
/// another.
fn encode_ids((trace_id, span_id): LineIds<'_>) -> [u8; IDS.len()] {
    let mut ids = *IDS;
    ids[TRACE_ID..][..32].copy_from_slice(trace_id.as_bytes());
    ids[SPAN_ID..][..16].copy_from_slice(span_id.as_bytes());
    ids
}

const IDS: &[u8; 85] =
    b",\"trace_id\":\"00000000000000000000000000000000\",\"span_id\":\"0000000000000000\",\"target\":";
/// Where the ids stand in there.
const TRACE_ID: usize = 13;
const SPAN_ID: usize = 58;

/// A field's name without the prefixes it has, and how many its key gets: those, and one more where the bare name is
/// reserved or there are any, so that two different names never get the same key.
pub(super) fn prefixed(name: &str) -> (&str, usize) {
    let bare = name.trim_start_matches(PREFIX);
    let own = (name.len() - bare.len()) / PREFIX.len();
    (bare, own + usize::from(own > 0 || RESERVED.contains(&bare)))
}

/// Writes `"name":` with that many prefixes. Names come from the application's source code and are never cut: two that
/// differ only at their ends would become one key.
pub(super) fn key(out: &mut Vec<u8>, bare: &str, prefixes: usize) {
    out.push(b'"');
    for _ in 0..prefixes {
        out.extend_from_slice(PREFIX.as_bytes());
    }
    json::content(out, bare, usize::MAX);
    out.extend_from_slice(b"\":");
}

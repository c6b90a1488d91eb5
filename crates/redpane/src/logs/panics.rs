//! Panics as log lines: message, place and backtrace, with the ids of the request they broke.

use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::env;
use std::panic::{self, PanicHookInfo};
use std::sync::{Arc, Once, OnceLock};
use std::thread;

use tracing::Level;

use super::buffer::ExpectedLine;
use super::flush_guard;
use super::json;
use super::line::Line;
use super::log::Log;
use crate::request::context::RequestContext;
use crate::request::current::current;
use crate::trace_context::ids::{SpanId, TraceId};

pub(crate) const TARGET: &str = "redpane::panic";
/// The most bytes of a backtrace that a line keeps.
const MAX_BACKTRACE: usize = 32 * 1024;
/// The message of a panic that has none.
const NO_TEXT: &str = "a panic whose payload is no text";

thread_local! {
    /// The request whose panic this thread's hook has written a line for, by the span id that is its own.
    static LOGGED: Cell<Option<SpanId>> = const { Cell::new(None) };
}

/// The log of panics outside of requests: that of the installed telemetry.
static INSTALLED: OnceLock<Arc<Log>> = OnceLock::new();

/// From here on, panics outside of requests are lines of this log.
pub(crate) fn install(log: &Arc<Log>) {
    let _ = INSTALLED.set(Arc::clone(log));
    add_hook();
}

/// Adds a hook, once a process, in front of the one that is there.
///
/// A panic in a request is a line. Outside of requests it is a line of the installed telemetry, is flushed, since it may
/// end the process, and then reaches the hook before this one. That hook gets the panics of requests too, unless a
/// telemetry is installed: then the line stands for what the hook would print.
pub(crate) fn add_hook() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let installed = INSTALLED.get();
            let request = current();
            if let Some(context) = &request {
                context.telemetry().log_panic(context, panic);
                LOGGED.set(Some(*context.own_span_id()));
            } else if let Some(log) = installed {
                write(log, None, panic);
                flush_guard::flush(log);
            }
            if request.is_none() || installed.is_none() {
                previous(panic);
            }
        }));
    });
}

/// Writes the line of a panic. Finding the names of a backtrace can take half a second: for a request, whose worker has
/// others to serve, a thread of its own spends it. Flushes wait for that.
pub(crate) fn write(log: &Arc<Log>, context: Option<&RequestContext>, panic: &PanicHookInfo<'_>) {
    if !log.would_log(TARGET, Level::ERROR) {
        return;
    }
    let message = text_of(panic.payload());
    let mut line = log.begin(Level::ERROR, TARGET, context.map(RequestContext::ids)).message(format_args!("{message}"));
    if let Some(location) = panic.location() {
        line.field(",\"location\":", |out| json::display(out, format_args!("{location}")));
    }
    if let Some(name) = thread::current().name() {
        line.field(",\"thread\":", |out| json::text(out, name));
    }
    if !wants_backtrace() {
        return log.append(line);
    }
    let backtrace = Backtrace::force_capture();
    let pending = PendingLine { log: Arc::clone(log), _expected: log.expect_line(), line: Some(line), backtrace };
    if context.is_some() {
        // Where no thread can be had, the line is dropped here, and so written here.
        drop(thread::Builder::new().name("redpane-panic".into()).spawn(move || drop(pending)));
    }
}

/// A line that lacks its backtrace. Dropping it completes and writes it.
struct PendingLine {
    log: Arc<Log>,
    line: Option<Line>,
    backtrace: Backtrace,
    _expected: ExpectedLine,
}

impl Drop for PendingLine {
    fn drop(&mut self) {
        if let Some(mut line) = self.line.take() {
            let backtrace = self.backtrace.to_string();
            line.field(",\"backtrace\":", |out| json::text_up_to(out, &backtrace, MAX_BACKTRACE));
            self.log.append(line);
        }
    }
}

/// `RUST_BACKTRACE=0` switches backtraces off, `RUST_LIB_BACKTRACE` goes before it, as in the standard library. Without
/// either they are on: a panic in production has no second run.
fn wants_backtrace() -> bool {
    let setting = env::var_os("RUST_LIB_BACKTRACE").or_else(|| env::var_os("RUST_BACKTRACE"));
    setting.is_none_or(|setting| setting != "0")
}

/// Writes the line of a panic that was caught, unless the hook has: the application may have put another in its place.
pub(crate) fn write_caught(log: &Log, context: &RequestContext, payload: &(dyn Any + Send)) {
    if LOGGED.take().as_ref() == Some(context.own_span_id()) || !log.would_log(TARGET, Level::ERROR) {
        return;
    }
    log.append(log.begin(Level::ERROR, TARGET, Some(context.ids())).message(format_args!("{}", text_of(payload))));
}

/// Writes the line of a panic that was caught where nothing of its request is left: these are its ids.
pub(crate) fn write_outside(log: &Log, ids: (&TraceId, &SpanId), payload: &(dyn Any + Send)) {
    if log.would_log(TARGET, Level::ERROR) {
        log.append(log.begin(Level::ERROR, TARGET, Some(ids)).message(format_args!("{}", text_of(payload))));
    }
}

/// `PanicHookInfo::payload_as_str` finds the same from Rust 1.91 on.
fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or(NO_TEXT)
}

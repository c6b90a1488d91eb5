//! Panics as log lines: message, place and backtrace, with the ids of the request they broke.

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::panic::{self, PanicHookInfo};
use std::sync::{Once, OnceLock};

use tracing::Level;

use super::json;
use super::line::Line;
use crate::context::{self, RequestContext};
use crate::telemetry::Shared;
use crate::telemetry::Telemetry;

pub(crate) const TARGET: &str = "redpane::panic";
/// The most bytes of a backtrace that a line keeps.
const MAX_BACKTRACE: usize = 32 * 1024;

thread_local! {
    static LOGGED: Cell<bool> = const { Cell::new(false) };
}

/// The telemetry that logs panics outside of requests: the installed one.
static INSTALLED: OnceLock<Telemetry> = OnceLock::new();

/// From here on, panics outside of requests are log lines too, and nothing is printed for a panic any more.
pub(crate) fn install(telemetry: &Telemetry) {
    let _ = INSTALLED.set(telemetry.clone());
    observe();
}

/// Adds a hook, once a process, that logs the panics of requests and leaves all else to the hook before it.
pub(crate) fn observe() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let in_request = context::current();
            if let Some(context) = &in_request {
                log(context.telemetry(), Some(context), info);
                LOGGED.set(true);
            } else if let Some(installed) = INSTALLED.get() {
                log(&installed.shared, None, info);
            }
            if INSTALLED.get().is_none() {
                previous(info);
            }
        }));
    });
}

fn log(telemetry: &Shared, context: Option<&RequestContext>, info: &PanicHookInfo<'_>) {
    if !telemetry.would_log(TARGET, Level::ERROR) {
        return;
    }
    let message = info.payload_as_str().unwrap_or("a panic whose payload is no text");
    let mut line = Line::begin(&telemetry.app, Level::ERROR, TARGET, context).message(format_args!("{message}"));
    if let Some(location) = info.location() {
        line.field(",\"location\":", |out| json::display(out, format_args!("{location}")));
    }
    if let Some(name) = std::thread::current().name() {
        line.field(",\"thread\":", |out| json::text(out, name));
    }
    let backtrace = Backtrace::force_capture().to_string();
    line.field(",\"backtrace\":", |out| json::text_up_to(out, &backtrace, MAX_BACKTRACE));
    line.end(&telemetry.sink);
}

/// For a panic that the middleware caught: the hook has logged it, unless the application put another hook in its place.
pub(crate) fn caught(context: &RequestContext, payload: &(dyn std::any::Any + Send)) {
    if LOGGED.take() || !context.telemetry().would_log(TARGET, Level::ERROR) {
        return;
    }
    let message = payload.downcast_ref::<&str>().copied();
    let message = message.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = message.unwrap_or("a panic whose payload is no text");
    let telemetry = context.telemetry();
    let line = Line::begin(&telemetry.app, Level::ERROR, TARGET, Some(context));
    line.message(format_args!("{message}")).end(&telemetry.sink);
}

//! An alert as a log line.
//!
//! A line is as long as its alert makes it, up to twelve times where all of it must be escaped, and 250 bytes: what the whole
//! payload says is on every line, so it is cut.

use std::borrow::Cow;

use super::alert::{Alert, AlertState, BadAlert};
use super::cut::cut;
use super::incident;
use crate::log_targets::RECEIVER;

/// What the receiver's name may take of a line in any case, and at most, in bytes.
const SHORT_RECEIVER: usize = 16;
const LONG_RECEIVER: usize = 256;

/// The name of the receiver as the lines of alerts have it that are so many bytes long on average.
pub(super) fn receiver(name: &str, bytes: usize) -> Cow<'_, str> {
    cut(name, bytes.clamp(SHORT_RECEIVER, LONG_RECEIVER))
}

/// Writes the line of an alert that cannot be used, the `number`th of its payload.
pub(super) fn write_refused(number: usize, bad: &BadAlert, receiver: Option<&str>) {
    tracing::warn!(
        target: RECEIVER,
        number,
        name = bad.name,
        problem = bad.mistake,
        receiver,
        "an alert was refused"
    );
}

/// Writes one line: `WARN` for a firing alert, `INFO` for a resolved one. Never `ERROR`: an alert on error lines would
/// keep itself firing.
pub(super) fn write(alert: &Alert<'_>, receiver: Option<&str>) {
    let link = |annotation, field| alert.link(annotation, field).map(|url| incident::link(url, alert));
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                target: RECEIVER,
                name = alert.name(),
                state = alert.state().as_str(),
                severity = alert.label("severity"),
                labels = alert.labels_text(),
                value = alert.value(),
                summary = alert.summary(),
                dashboard_url = link("dashboard_url", &alert.dashboard_url),
                panel_url = link("panel_url", &alert.panel_url),
                silence_url = link("silence_url", &alert.silence_url),
                generator_url = link("generator_url", &alert.generator_url),
                runbook_url = link("runbook_url", &None),
                logs_url = link("logs_url", &None),
                starts_at = alert.starts_at(),
                ends_at = alert.ends_at(),
                receiver,
                "alert"
            )
        };
    }
    match alert.state() {
        AlertState::Firing => line!(warn),
        AlertState::Resolved => line!(info),
    }
}

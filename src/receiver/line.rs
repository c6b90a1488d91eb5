//! An alert as a log line.

use super::alert::{Alert, AlertState, Payload};
use crate::log_targets::RECEIVER;

/// Writes one line: `WARN` for a firing alert, `INFO` for a resolved one. Never `ERROR`: an alert on error lines would
/// keep itself firing.
pub(super) fn write(alert: &Alert, payload: &Payload) {
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
                dashboard_url = alert.link(&alert.dashboard_url, "dashboard_url"),
                panel_url = alert.link(&alert.panel_url, "panel_url"),
                silence_url = alert.link(&alert.silence_url, "silence_url"),
                generator_url = alert.link(&alert.generator_url, "generator_url"),
                runbook_url = alert.link(&None, "runbook_url"),
                logs_url = alert.link(&None, "logs_url"),
                starts_at = alert.starts_at(),
                ends_at = alert.ends_at(),
                receiver = payload.receiver.as_deref(),
                "alert"
            )
        };
    }
    match alert.state() {
        AlertState::Firing => line!(warn),
        AlertState::Resolved => line!(info),
    }
}

//! An alert as a log line.

use super::alert::{Alert, AlertState, Payload};
use super::incident;
use crate::log_targets::RECEIVER;

/// Writes one line: `WARN` for a firing alert, `INFO` for a resolved one. Never `ERROR`: an alert on error lines would
/// keep itself firing.
pub(super) fn write(alert: &Alert, payload: &Payload) {
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

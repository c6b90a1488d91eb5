//! The receiver's own metrics.

use redpane::Telemetry;

use super::alert::AlertState;

const RECEIVED: &str = "redpane_alerts_received_total";
const REFUSED: &str = "redpane_alerts_refused_total";
const REJECTED: &str = "redpane_alert_payloads_rejected_total";

/// Starts every counter at 0, so that `rate()` sees the first alert as an increase.
pub(crate) fn preregister(telemetry: &Telemetry) {
    metrics::with_local_recorder(&telemetry.recorder(), || {
        metrics::describe_counter!(RECEIVED, "Alerts received, by their state.");
        metrics::describe_counter!(REFUSED, "Alerts that cannot be used; a line says what is wrong with each.");
        metrics::describe_counter!(REJECTED, "Requests with a payload that is no webhook of a known kind.");
        for state in [AlertState::Firing, AlertState::Resolved] {
            metrics::counter!(RECEIVED, "state" => state.as_str()).increment(0);
        }
        metrics::counter!(REFUSED).increment(0);
        metrics::counter!(REJECTED).increment(0);
    });
}

/// Counts an alert.
pub(super) fn received(state: AlertState) {
    metrics::counter!(RECEIVED, "state" => state.as_str()).increment(1);
}

/// Counts an alert that cannot be used.
pub(super) fn refused() {
    metrics::counter!(REFUSED).increment(1);
}

/// Counts a request without a usable payload.
pub(super) fn rejected() {
    metrics::counter!(REJECTED).increment(1);
}

//! The alerts of one payload, written so that none is lost without a word.

use std::time::Duration;

use redpane::Telemetry;

use super::alert::Alert;
use super::payload::Payload;
use super::{counters, line};
use crate::log_targets::RECEIVER;

/// How long a log that does not take a line may take to move again.
const ROOM_DEADLINE: Duration = Duration::from_secs(2);
/// The longest line of an alert that was refused.
const REFUSED_LINE_BYTES: usize = 1024;
/// How many bytes of such lines a byte of these alerts may become, and how many of the lines are written in any case.
const FACTOR: usize = 12;
const ALWAYS_TOLD: usize = 4;

/// What became of the alerts of a payload.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) taken: usize,
    pub(super) refused: usize,
    /// What is wrong with the first that was refused.
    pub(super) first_mistake: Option<String>,
}

/// The log did not take a line.
#[derive(Debug)]
pub(super) struct LogFull;

/// Writes a line for each alert of a payload of so many bytes, and for each that cannot be used. What is written is bounded by
/// what came: what all lines repeat is no longer than the alerts are on average, and very many alerts that cannot be used
/// share a line.
///
/// # Errors
/// [`LogFull`] at the first line that does not reach the log's buffer: what is written by then, the sender sends again.
pub(super) async fn write(telemetry: &Telemetry, payload: &Payload<'_>, bytes: usize) -> Result<Outcome, LogFull> {
    let receiver = payload.receiver.as_deref().map(|name| line::receiver(name, bytes / payload.alerts.count.max(1)));
    let receiver = receiver.as_deref();
    let mut outcome = Outcome::default();
    let (mut left, mut untold) = (ALWAYS_TOLD * REFUSED_LINE_BYTES, 0);
    for (index, json) in payload.alerts.first.iter().enumerate() {
        // Ten thousand alerts take a while: others get their turn on this thread.
        tokio::task::coop::consume_budget().await;
        match Alert::read(json) {
            Ok(alert) => {
                logged(telemetry, || line::write(&alert, receiver)).await?;
                counters::received(alert.state());
                outcome.taken += 1;
            }
            Err(bad) => {
                left += json.get().len() * FACTOR;
                match left.checked_sub(REFUSED_LINE_BYTES) {
                    Some(rest) => {
                        left = rest;
                        logged(telemetry, || line::write_refused(index + 1, &bad, receiver)).await?;
                    }
                    None => untold += 1,
                }
                counters::refused();
                outcome.refused += 1;
                outcome.first_mistake.get_or_insert(bad.mistake);
            }
        }
    }
    if untold > 0 {
        logged(telemetry, || tracing::warn!(target: RECEIVER, more = untold, "{untold} more alerts were refused"))
            .await?;
    }
    let missing = payload.truncated_alerts;
    if missing > 0 {
        let left_out =
            || tracing::warn!(target: RECEIVER, missing, "the sender left {missing} alerts out of this payload");
        logged(telemetry, left_out).await?;
    }
    Ok(outcome)
}

/// Calls `write`, which logs one line. Where that is lost, waits until the log has moved and calls it once more: a payload
/// may well be larger than the log's buffer.
async fn logged(telemetry: &Telemetry, write: impl Fn()) -> Result<(), LogFull> {
    if reaches_the_buffer(telemetry, &write) {
        return Ok(());
    }
    let moving = telemetry.clone();
    let has_moved = tokio::task::spawn_blocking(move || moving.flush(ROOM_DEADLINE).is_ok()).await;
    let is_written = has_moved.unwrap_or(false) && reaches_the_buffer(telemetry, &write);
    is_written.then_some(()).ok_or(LogFull)
}

/// Whether what `write` logs is in the buffer. Lines that others lose meanwhile make it seem lost: then it is written twice.
fn reaches_the_buffer(telemetry: &Telemetry, write: impl Fn()) -> bool {
    let lost = telemetry.log_losses().lines;
    write();
    telemetry.log_losses().lines == lost
}

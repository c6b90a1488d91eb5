//! Where the log of a container goes on for a collector that comes with a cursor.
//!
//! A cursor is what the collector has read, not what Loki has: a collector that is killed loses what it had read and not yet
//! sent. And it has whole seconds. So the log goes on before the cursor, and before the newest line that Loki has; what
//! Loki has of that is left out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::lives::Span;
use super::loki::{Loki, LokiError, Stored};
use crate::log_targets::DOCKER_READER;

/// A log goes on this much before its cursor and before the newest line in Loki, in nanoseconds. Lines of the two outputs
/// of a container may overtake each other by less.
const PUT_BACK: u64 = 5_000_000_000;
/// A line's own time is earlier than the time at which Docker read it, by as much as it waited in the writer's buffer.
const WRITE_DELAY: u64 = 30_000_000_000;
/// Clocks of one machine agree; this is for a line that was written while Loki was asked.
const LATER: u64 = 60_000_000_000;
/// Loki refuses lines of a greater age: `reject_old_samples_max_age` of loki-config.yml. To ask for them, or to read them, is
/// of no use, and a question of more than 721 h is refused.
const MOST_AGE: u64 = 168 * 3600 * 1_000_000_000;
/// A collector that asks again may have lines of the stream before on their way: this is four times Promtail's `batchwait`.
const ON_THEIR_WAY: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 2000 });
/// Where Loki lacks lines before the cursor, a batch may wait for its next attempt: this is more than Promtail's `max_period`.
const LOOKS: usize = 7;
const BETWEEN_LOOKS: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 1000 });

/// Where a log goes on.
pub(super) struct Resume {
    /// Docker is asked for lines from this moment on.
    pub(super) since: u64,
    /// What Loki has of them, and when it was asked. Nothing where all lines are to be passed on.
    pub(super) stored: Option<(Stored, u64)>,
}

impl Resume {
    /// At the cursor itself: nothing can be left out.
    pub(super) fn at(cursor: u64, span: &Span) -> Self {
        Self { since: cursor.max(earliest(span, now())), stored: None }
    }

    /// Before the cursor, without the lines that `loki` has.
    ///
    /// # Errors
    /// A sentence, where Loki cannot answer now and the collector should come again.
    pub(super) async fn before(cursor: u64, span: &Span, loki: &Loki) -> Result<Self, String> {
        match ask(cursor, span, loki).await {
            Ok(resume) => Ok(resume),
            Err(LokiError::Unavailable(reason) | LokiError::Slow(reason)) => {
                tracing::warn!(target: DOCKER_READER, container = span.name, "{reason}");
                Err(reason)
            }
            // It would be the same the next time, and lines that are there twice are better than none.
            Err(LokiError::Refused(reason) | LokiError::TooLarge(reason)) => {
                tracing::warn!(
                    target: DOCKER_READER,
                    container = span.name,
                    "{reason}; lines around the cursor may be missing or be there twice"
                );
                Ok(Self::at(cursor, span))
            }
        }
    }
}

async fn ask(cursor: u64, span: &Span, loki: &Loki) -> Result<Resume, LokiError> {
    tokio::time::sleep(ON_THEIR_WAY).await;
    let earliest = earliest(span, now());
    let mut newest = None;
    for look in 0..LOOKS {
        if look > 0 {
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        newest = loki.newest(&span.name, earliest, span.end.unwrap_or(u64::MAX).min(now())).await?;
        let lacks_none = newest.is_some_and(|newest| newest >= cursor.saturating_sub(PUT_BACK));
        if cursor == 0 || lacks_none {
            break;
        }
    }
    let asked = now();
    let Some(newest) = newest else {
        return Ok(Resume { since: earliest, stored: Some((Stored::default(), asked)) });
    };
    // A cursor of 0 is one that was lost, or never written down.
    let known = if cursor == 0 { newest } else { newest.min(cursor) };
    let since = known.saturating_sub(PUT_BACK).max(earliest);
    let until = span.end.unwrap_or(u64::MAX).min(asked + LATER);
    let stored = loki.lines(&span.name, since.saturating_sub(WRITE_DELAY), until).await?;
    Ok(Resume { since, stored: Some((stored, asked)) })
}

/// The first moment of which a line can be stored.
fn earliest(span: &Span, now: u64) -> u64 {
    span.begin.max(now.saturating_sub(MOST_AGE))
}

fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    u64::try_from(now).unwrap_or(u64::MAX / 2)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_greatest_age_is_the_one_of_lokis_configuration() {
        let hours = super::MOST_AGE / 3_600_000_000_000;
        let config = include_str!("../../loki-config.yml");
        assert!(config.contains(&format!("reject_old_samples_max_age: {hours}h\n")), "{hours}");
    }
}

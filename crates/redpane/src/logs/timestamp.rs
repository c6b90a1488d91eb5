//! Timestamps of log lines: RFC 3339, UTC, microseconds.

use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::number;

/// `2026-01-02T03:04:05`: all of a timestamp but its fraction.
const WHOLE_SECONDS: usize = 19;

thread_local! {
    // The date changes once a second, lines come by the thousand: each thread formats it once a second.
    static SECOND: Cell<(u64, [u8; WHOLE_SECONDS])> = const { Cell::new((u64::MAX, [b'0'; WHOLE_SECONDS])) };
}

/// The time since 1970; none of a clock that is set before it.
pub(crate) fn now() -> Duration {
    since_epoch(SystemTime::now())
}

fn since_epoch(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The beginning of a line: its timestamp without the quote behind it.
const OPENING: &[u8; 41] = b"{\"timestamp\":\"0000-00-00T00:00:00.000000Z";
/// Where the seconds and their fraction stand in there.
const SECONDS: usize = 14;
const FRACTION: usize = SECONDS + WHOLE_SECONDS + 1;

/// Appends `{"timestamp":"` and a time, in one piece. A time past the year 9999 shows the last second there is.
pub(super) fn write_opening(out: &mut Vec<u8>, since_epoch: Duration) {
    const LAST_SECOND: u64 = 253_402_300_799;
    let second = since_epoch.as_secs().min(LAST_SECOND);
    let (shown, mut text) = SECOND.get();
    if shown != second {
        let time = UNIX_EPOCH + Duration::from_secs(second);
        text.copy_from_slice(&humantime::format_rfc3339_seconds(time).to_string().as_bytes()[..WHOLE_SECONDS]);
        SECOND.set((second, text));
    }
    let mut opening = *OPENING;
    opening[SECONDS..][..WHOLE_SECONDS].copy_from_slice(&text);
    opening[FRACTION..][..6].copy_from_slice(&number::decimals::<6>(u64::from(since_epoch.subsec_micros())));
    out.extend_from_slice(&opening);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(since_epoch: Duration) -> String {
        let mut out = Vec::new();
        write_opening(&mut out, since_epoch);
        String::from_utf8(out).unwrap().split_off(SECONDS)
    }

    #[test]
    fn microseconds_in_utc() {
        assert_eq!(shown(Duration::new(1_767_323_045, 6_007_999)), "2026-01-02T03:04:05.006007Z");
        assert_eq!(shown(Duration::ZERO), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn a_clock_out_of_range_still_gives_a_timestamp() {
        assert_eq!(shown(since_epoch(UNIX_EPOCH - Duration::from_secs(9))), "1970-01-01T00:00:00.000000Z");
        assert!(shown(Duration::from_secs(1 << 40)).starts_with("9999-12-31T23:59:59."));
    }
}

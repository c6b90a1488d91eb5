//! The beginning of a log line: timestamp and level stand at fixed places.

/// `{"timestamp":"2026-01-02T03:04:05.678901Z","level":"INFO",…`
const LEVEL: usize = 52;

/// The bytes of a timestamp up to its milliseconds: compared as bytes they are in the order of time.
pub(super) type Stamp = [u8; 23];

/// The timestamp of a line as it stands there; `None` of a text that is no line.
pub(super) fn stamp(line: &[u8]) -> Option<Stamp> {
    line.strip_prefix(b"{\"timestamp\":\"")?.first_chunk().copied()
}

/// Levels, the most severe first, as their numbers say.
pub(crate) const LEVELS: [&str; 5] = ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"];

/// The time of a line in milliseconds since 1970; `None` of a text that is no line.
pub(super) fn time_ms(line: &[u8]) -> Option<u64> {
    stamp_ms(&stamp(line)?)
}

/// The same of its timestamp alone.
pub(super) fn stamp_ms(stamp: &Stamp) -> Option<u64> {
    let number = |from: usize, digits: usize| -> Option<u64> {
        let text = stamp.get(from..from + digits)?;
        text.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0')))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let seconds = number(11, 2)? * 3600 + number(14, 2)? * 60 + number(17, 2)?;
    Some((days_since_1970(year, month, day)? * 86_400 + seconds) * 1000 + number(20, 3)?)
}

/// The days of a date of the Gregorian calendar.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    // A year that begins in March has its odd day at the end.
    let shifted = if month > 2 { year } else { year.checked_sub(1)? };
    let months = (month + 9) % 12;
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + (months * 153 + 2) / 5 + day;
    days.checked_sub(719_469)
}

/// The number of a line's level in [`LEVELS`].
pub(super) fn level(line: &[u8]) -> Option<usize> {
    LEVELS.iter().position(|level| line.get(LEVEL..).is_some_and(|rest| rest.starts_with(level.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(timestamp: &str) -> Option<u64> {
        time_ms(format!("{{\"timestamp\":\"{timestamp}\",\"level\":\"WARN\",\"app\":\"a\"}}\n").as_bytes())
    }

    #[test]
    fn the_time_is_that_of_the_calendar() {
        for timestamp in [
            "1970-01-01T00:00:00.000000Z",
            "2000-02-29T23:59:59.999999Z",
            "2026-01-02T03:04:05.678901Z",
            "2100-03-01T12:00:00.500000Z",
            "9999-12-31T23:59:59.000000Z",
        ] {
            let time = humantime::parse_rfc3339(timestamp).unwrap();
            let expected = time.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
            assert_eq!(at(timestamp).map(u128::from), Some(expected), "{timestamp}");
        }
        assert_eq!(at("yesterday"), None);
        assert_eq!(time_ms(b"{}"), None);
    }

    #[test]
    fn the_level_is_found() {
        let line = |level: &str| format!("{{\"timestamp\":\"2026-01-02T03:04:05.678901Z\",\"level\":\"{level}\",");
        for (number, name) in LEVELS.into_iter().enumerate() {
            assert_eq!(level(line(name).as_bytes()), Some(number));
        }
        assert_eq!(level(line("LOUD").as_bytes()), None);
        assert_eq!(level(b"{"), None);
    }
}

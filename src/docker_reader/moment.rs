//! Times as Docker writes them, in nanoseconds since 1970.

use std::time::UNIX_EPOCH;

/// `2026-11-25T02:38:47.5Z` in nanoseconds. Nothing for Docker's "never" (`0001-01-01T00:00:00Z`) or for what is no time.
pub(super) fn parse(text: &str) -> Option<u64> {
    let since = humantime::parse_rfc3339(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok().filter(|nanoseconds| *nanoseconds > 0)
}

/// A time of RFC 3339 in any zone, as the `timestamp` of a line may be.
pub(super) fn parse_in_any_zone(text: &str) -> Option<u64> {
    if text.ends_with('Z') {
        return parse(text);
    }
    let (local, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (sign, offset) = zone.split_at_checked(1)?;
    let (hours, minutes) = offset.split_once(':')?;
    let minutes = hours.parse::<u64>().ok()? * 60 + minutes.parse::<u64>().ok()?;
    let (local, offset) = (parse(&format!("{local}Z"))?, minutes * 60_000_000_000);
    match sign {
        "+" => local.checked_sub(offset),
        "-" => local.checked_add(offset),
        _ => None,
    }
}

/// As the API's `since` and `until` want it: seconds, a point, nine digits.
pub(super) fn parameter(nanoseconds: u64) -> String {
    format!("{}.{:09}", nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
}

/// Reads such a parameter; its fraction may be missing.
pub(super) fn parse_parameter(text: &str) -> Option<u64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || fraction.len() > 9 || !digits(seconds) || !digits(fraction) {
        return None;
    }
    let nanoseconds: u64 = format!("{fraction:0<9}").parse().ok()?;
    seconds.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_as_docker_does() {
        let moment = parse("2026-11-25T02:38:47.000000012Z").expect("a time");
        assert_eq!(parameter(moment), "1795574327.000000012");
        assert_eq!(parse_parameter(&parameter(moment)), Some(moment));
        assert_eq!(parse_parameter("1795574327.5"), Some(1_795_574_327_500_000_000));
        assert_eq!(parse_parameter("0"), Some(0));
        assert_eq!(parse("0001-01-01T00:00:00Z"), None);
        for (zone, seconds) in [("Z", 0), ("+00:00", 0), ("+01:30", -5400), ("-02:00", 7200)] {
            let expected = moment.checked_add_signed(seconds * 1_000_000_000);
            assert_eq!(parse_in_any_zone(&format!("2026-11-25T02:38:47.000000012{zone}")), expected, "{zone}");
        }
        for wrong in ["", "Z", "today", "2026-11-25T02:38:47", "2026-11-25T02:38:47*01:00", "2026-11-25T02:38:47é1:00"]
        {
            assert_eq!(parse_in_any_zone(wrong), None, "{wrong}");
        }
        for wrong in ["", "-1", "1.1234567890", "1e9", "now", ".5"] {
            assert_eq!(parse_parameter(wrong), None, "{wrong}");
        }
    }
}

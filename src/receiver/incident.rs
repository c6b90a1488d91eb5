//! Links of an alert, made to show its incident: rules can only say "the last hour", which is another hour for whoever
//! follows the link in the morning, and Grafana's own links leave the service out.

use super::alert::{Alert, AlertState};

/// What the bundle's rules write, in the address of a dashboard and percent-encoded in one of Explore.
const PLAIN: &str = "from=now-1h&to=now";
const ENCODED: &str = "%22from%22%3A%22now-1h%22%2C%22to%22%3A%22now%22";

/// Shown before the alert fired, and after it ended, in milliseconds.
const BEFORE: i64 = 3_600_000;
const AFTER: i64 = 300_000;

/// The longest name of a service, in bytes, that links are given: each of them repeats it, percent-encoded. Kubernetes' names
/// have 63.
const APP_BYTES: usize = 128;

/// `url` with the range of the incident in the place of the last hour, and with the alert's `app` if it leads to a dashboard.
pub(super) fn link(url: &str, alert: &Alert<'_>) -> String {
    let mut url = url.to_owned();
    if let Some(from) = alert.starts_at().and_then(unix_millis) {
        let from = from - BEFORE;
        let ended = (alert.state() == AlertState::Resolved).then(|| alert.ends_at().and_then(unix_millis)).flatten();
        let to = ended.map_or_else(|| "now".to_owned(), |end| (end + AFTER).to_string());
        url = url
            .replace(PLAIN, &format!("from={from}&to={to}"))
            .replace(ENCODED, &format!("%22from%22%3A%22{from}%22%2C%22to%22%3A%22{to}%22"));
    }
    match alert.label("app") {
        Some(app) if app.len() <= APP_BYTES && url.contains("/d/") && !url.contains("var-app=") => {
            let separator = if url.contains('?') { '&' } else { '?' };
            format!("{url}{separator}var-app={}", encode(app))
        }
        _ => url,
    }
}

/// A text as the value of a parameter.
fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Milliseconds since 1970 of a time in RFC 3339, such as `2026-11-22T10:00:00.25+01:00`; `None` for any other text.
fn unix_millis(time: &str) -> Option<i64> {
    let (date, rest) = (time.get(..10)?, time.get(11..)?);
    let (clock, rest) = (rest.get(..8)?, rest.get(8..)?);
    let fraction = rest
        .strip_prefix('.')
        .map_or("", |rest| &rest[..rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len())]);
    let zone = rest.trim_start_matches('.').get(fraction.len()..)?;
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    // A zone may be any number.
    let seconds = (days(date)? * 86_400 + seconds_of(clock)?).checked_sub(offset(zone)?)?;
    seconds.checked_mul(1000)?.checked_add(millis)
}

fn numbers<const COUNT: usize>(text: &str, separator: char) -> Option<[i64; COUNT]> {
    let parts: Option<Vec<i64>> = text.split(separator).map(|part| part.parse().ok()).collect();
    parts?.try_into().ok()
}

fn seconds_of(clock: &str) -> Option<i64> {
    let [hours, minutes, seconds] = numbers(clock, ':')?;
    Some(hours * 3600 + minutes * 60 + seconds)
}

fn offset(zone: &str) -> Option<i64> {
    let sign: i64 = match zone.chars().next()? {
        'Z' | 'z' => return Some(0),
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let [hours, minutes] = numbers(&zone[1..], ':')?;
    sign.checked_mul(hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?)
}

/// Days from 1970 to a date of the Gregorian calendar. Years begin in March here, so that the leap day is their last.
fn days(date: &str) -> Option<i64> {
    let [year, month, day] = numbers(date, '-')?;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468)
}

#[cfg(test)]
mod tests;

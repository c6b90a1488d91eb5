//! The forms of values in OpenTelemetry's variables.

use std::time::Duration;

use percent_encoding::percent_decode_str;

/// A number of milliseconds.
pub(super) fn time(milliseconds: u64) -> Duration {
    match milliseconds {
        // No limit, as the specification has it.
        0 => Duration::from_secs(365 * 24 * 60 * 60),
        _ => Duration::from_millis(milliseconds),
    }
}

/// `key=value,key=value`, spaces around them left out and values decoded. `None` for each that is no pair.
pub(super) fn pairs(list: &str) -> impl Iterator<Item = Option<(String, String)>> {
    list.split(',').filter(|pair| !pair.trim().is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (!key.trim().is_empty()).then_some((key.trim().to_owned(), decoded(value.trim())?))
    })
}

/// A text in percent-encoding.
fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

/// The attributes of a resource, keys and values decoded. `None` where one of them is no pair.
pub(super) fn attributes(list: &str) -> Option<Vec<(String, String)>> {
    // Unlike the name of a header, a key may hold what must be encoded: commas and equals signs.
    pairs(list).map(|pair| pair.and_then(|(key, value)| Some((decoded(&key)?, value)))).collect()
}

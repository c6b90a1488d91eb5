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

/// `key=value,key=value`, spaces around them left out and values decoded.
pub(super) fn pairs(list: &str) -> Option<Vec<(String, String)>> {
    let pairs = list.split(',').filter(|pair| !pair.trim().is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        (!key.trim().is_empty()).then(|| (key.trim().to_owned(), value.into_owned()))
    });
    pairs.collect()
}

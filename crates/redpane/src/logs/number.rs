//! JSON numbers (RFC 8259, section 6) from Rust values, appended to a byte buffer.

use std::fmt::{self, Write as _};

/// Appends a number; NaN and the infinities, which JSON lacks, become the texts Prometheus has for them.
pub(crate) fn float(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        let mut digits = Digits(out);
        let _ = write!(digits, "{value:?}");
    } else if value.is_nan() {
        out.extend_from_slice(b"\"NaN\"");
    } else {
        out.extend_from_slice(if value > 0.0 { b"\"+Inf\"" } else { b"\"-Inf\"" });
    }
}

/// Appends an integer.
pub(crate) fn integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends nanoseconds as seconds with nine decimals: exactly the value that the histogram adds up.
// A part of the function that writes the line of a request: lines of streams call it too, and would make a call of both.
#[inline(always)]
pub(crate) fn seconds(out: &mut Vec<u8>, nanoseconds: u64) {
    let seconds = nanoseconds / 1_000_000_000;
    if seconds > 0 {
        integer(out, seconds);
    }
    let mut fraction = *b"0.000000000";
    fraction[2..].copy_from_slice(&decimals::<9>(nanoseconds % 1_000_000_000));
    out.extend_from_slice(&fraction[usize::from(seconds > 0)..]);
}

/// `00` to `99`.
static TWO_DIGITS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    pairs
};

/// The digits of `value` with leading zeros, at most `WIDTH` of them.
pub(crate) fn decimals<const WIDTH: usize>(mut value: u64) -> [u8; WIDTH] {
    let mut digits = [b'0'; WIDTH];
    // Two at a time: half the divisions.
    let (first, pairs) = digits.split_at_mut(WIDTH % 2);
    for pair in pairs.chunks_exact_mut(2).rev() {
        pair.copy_from_slice(&TWO_DIGITS[(value % 100) as usize]);
        value /= 100;
    }
    if let [first] = first {
        *first = b'0' + (value % 10) as u8;
    }
    digits
}

struct Digits<'a>(&'a mut Vec<u8>);

impl fmt::Write for Digits<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(value: f64) -> String {
        let mut out = Vec::new();
        float(&mut out, value);
        String::from_utf8(out).unwrap()
    }

    proptest! {
        #[test]
        fn any_float_is_valid(value: f64) {
            prop_assert!(serde_json::from_str::<serde_json::Number>(&shown(value)).is_ok());
            // serde_json reads floats fast and not always to the last digit; the standard library does.
            prop_assert_eq!(shown(value).parse(), Ok(value));
        }

        #[test]
        fn decimals_are_those_of_the_standard_library(value in 0_u64..1_000_000_000) {
            prop_assert_eq!(decimals::<9>(value).to_vec(), format!("{value:09}").into_bytes());
            let micros = value % 1_000_000;
            prop_assert_eq!(decimals::<6>(micros).to_vec(), format!("{micros:06}").into_bytes());
        }
    }

    #[test]
    fn what_json_lacks_becomes_text() {
        assert_eq!(shown(f64::NAN), "\"NaN\"");
        assert_eq!(shown(f64::INFINITY), "\"+Inf\"");
        assert_eq!(shown(f64::NEG_INFINITY), "\"-Inf\"");
    }

    #[test]
    fn seconds_keep_every_nanosecond() {
        let mut out = Vec::new();
        seconds(&mut out, 12_000_000_345);
        assert_eq!(out, b"12.000000345");
    }
}

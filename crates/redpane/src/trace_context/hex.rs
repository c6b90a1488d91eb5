//! Lowercase hexadecimal digits: the text form of ids.

use std::cell::RefCell;

use rand::rngs::{OsRng, SmallRng};
use rand::{RngCore, SeedableRng};

/// The two digits of every byte.
static DIGITS: [[u8; 2]; 256] = {
    const DIGIT: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [DIGIT[byte >> 4], DIGIT[byte & 0x0f]];
        byte += 1;
    }
    pairs
};

/// Set in the value of a byte that is no digit.
const INVALID: u8 = 0x80;

/// The value of every lowercase digit, [`INVALID`] for all other bytes.
static VALUE: [u8; 256] = {
    let mut values = [INVALID; 256];
    let mut value = 0;
    while value < 16 {
        values[DIGITS[value][1] as usize] = value as u8;
        value += 1;
    }
    values
};

/// Whether `digits` are lowercase hexadecimal digits, not all of them `0`.
#[inline]
pub(super) fn is_id(digits: &[u8]) -> bool {
    // One pass without a branch: this runs over 48 bytes of every request that has a caller's trace.
    let (all, any) = digits
        .iter()
        .map(|&digit| VALUE[usize::from(digit)])
        .fold((0, 0), |(all, any), value| (all | value & INVALID, any | value));
    all == 0 && any != 0
}

/// The byte that two digits stand for.
pub(crate) fn byte(digits: &[u8]) -> Option<u8> {
    let [high, low] = [0, 1].map(|at| VALUE[usize::from(digits[at])]);
    ((high | low) & INVALID == 0).then_some(high << 4 | low)
}

/// The two digits of a byte.
pub(super) fn digits_of(byte: u8) -> [u8; 2] {
    DIGITS[usize::from(byte)]
}

thread_local! {
    // One generator a thread, seeded by the operating system: unique ids without a lock or a system call a request.
    static RANDOM: RefCell<SmallRng> = RefCell::new(
        SmallRng::try_from_rng(&mut OsRng).expect("the operating system has random numbers to give"),
    );
}

/// Makes random digits.
pub(crate) struct Generator<'a>(&'a mut SmallRng);

impl Generator<'_> {
    /// 16 random digits, never all zero.
    pub(crate) fn digits(&mut self) -> [u8; 16] {
        to_digits(self.0.next_u64().max(1))
    }
}

/// The digits of a number, eight at a time: a byte of the word for each.
fn to_digits(number: u64) -> [u8; 16] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let eight = |half: u64| {
        let pairs = (half | half << 16) & 0x0000_ffff_0000_ffff;
        let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;
        let values = (bytes | bytes << 4) & 0x0f0f_0f0f_0f0f_0f0f;
        // One in each byte that is ten or more, whose digit is a letter.
        let letters = (values + ONES * 6) >> 4 & ONES;
        values + ONES * u64::from(b'0') + letters * u64::from(b'a' - b'0' - 10)
    };
    (u128::from(eight(number >> 32)) << 64 | u128::from(eight(number & 0xffff_ffff))).to_be_bytes()
}

/// Lends this thread's generator: a request takes all its ids at once. `make` must not ask for it again.
pub(crate) fn generate<R>(make: impl FnOnce(&mut Generator<'_>) -> R) -> R {
    RANDOM.with_borrow_mut(|random| make(&mut Generator(random)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_the_standard_library() {
        let numbers = [0, 1, 9, 10, 15, 16, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, u64::MAX];
        let shifted = (0..16).map(|digit| 0x9a << (4 * digit));
        for number in numbers.into_iter().chain(shifted) {
            assert_eq!(to_digits(number), *format!("{number:016x}").as_bytes(), "{number:#x}");
        }
    }
}

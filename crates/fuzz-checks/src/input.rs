//! How an input spells a list of operations: byte 0xff stands between operations and 0xfe between their parts, two bytes
//! that no UTF-8 text holds. The first byte of an operation says which it is, the rest of its first part belongs to it.

use std::str::FromStr;

pub(crate) struct Operation<'a> {
    pub(crate) kind: u8,
    /// What follows the kind in the first part.
    pub(crate) detail: &'a [u8],
    pub(crate) parts: Vec<&'a [u8]>,
}

pub(crate) fn operations(input: &[u8]) -> impl Iterator<Item = Operation<'_>> {
    input.split(|&byte| byte == 0xff).filter_map(|operation| {
        let mut parts = operation.split(|&byte| byte == 0xfe);
        let (&kind, detail) = parts.next()?.split_first()?;
        Some(Operation { kind, detail, parts: parts.collect() })
    })
}

impl Operation<'_> {
    pub(crate) fn part(&self, at: usize) -> &[u8] {
        self.parts.get(at).copied().unwrap_or_default()
    }

    pub(crate) fn text(&self, at: usize) -> String {
        text(self.part(at))
    }

    /// The parts from `at` on, two by two: names and values.
    pub(crate) fn pairs(&self, at: usize) -> impl Iterator<Item = (String, &[u8])> {
        self.parts.get(at..).unwrap_or_default().chunks_exact(2).map(|pair| (text(pair[0]), pair[1]))
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A number in decimal, as the standard library reads it.
pub(crate) fn number<N: FromStr>(bytes: &[u8]) -> Option<N> {
    str::from_utf8(bytes).ok()?.parse().ok()
}

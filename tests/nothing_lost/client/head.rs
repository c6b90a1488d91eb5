//! Answers as bytes, several in a row.

use crate::seen::Ending;

/// The head of an answer among the bytes of several.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) request_id: String,
    pub(super) trace_id: String,
    length: Option<usize>,
    is_chunked: bool,
    /// Where its body begins and the next head, or the end of all, is.
    body: std::ops::Range<usize>,
}

impl Head {
    /// All heads that are whole. No body of the service holds what begins one.
    pub(super) fn find(bytes: &[u8]) -> Vec<Self> {
        const BEGIN: &[u8] = b"HTTP/1.1 ";
        let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
        let starts: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(BEGIN)).collect();
        let ends = starts.iter().skip(1).copied().chain([bytes.len()]);
        let parse = |(start, end): (usize, usize)| {
            let length = bytes[start..end].windows(4).position(|window| window == b"\r\n\r\n")?;
            let head = text(&bytes[start..start + length + 2]);
            let header = |name: &str| {
                let value = head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
                value.map(str::to_owned)
            };
            Some(Self {
                status: head[BEGIN.len()..][..3].parse().unwrap(),
                request_id: header("x-request-id").unwrap_or_default(),
                trace_id: header("x-trace-id").unwrap_or_default(),
                length: header("content-length").map(|length| length.parse().unwrap()),
                is_chunked: header("transfer-encoding").is_some_and(|coding| coding == "chunked"),
                body: start + length + 4..end,
            })
        };
        starts.iter().copied().zip(ends).filter_map(parse).collect()
    }

    pub(super) fn ending(&self, bytes: &[u8]) -> Ending {
        let body = &bytes[self.body.clone()];
        match self.length {
            _ if self.is_chunked && body.ends_with(b"0\r\n\r\n") => Ending::Whole(dechunked(body)),
            Some(length) if body.len() == length => Ending::Whole(length as u64),
            None if !self.is_chunked && body.is_empty() => Ending::Whole(0),
            _ => Ending::Broken,
        }
    }
}

/// The bytes that chunks hold.
fn dechunked(mut rest: &[u8]) -> u64 {
    let mut bytes = 0;
    while let Some(end) = rest.windows(2).position(|window| window == b"\r\n") {
        let size = usize::from_str_radix(str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        bytes += size;
        rest = &rest[end + 2 + size + 2..];
    }
    bytes as u64
}

//! Frames of HTTP/2 (RFC 9113, section 4), and requests in HPACK (RFC 7541) without its tables.

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

/// Flag of `SETTINGS` and `PING`.
pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
/// Both ends: a request without a body.
pub(crate) const WHOLE: u8 = END_STREAM | END_HEADERS;

/// Identifier of a setting.
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
/// What both sides may send on a stream and on a connection until they agree on something else.
pub(crate) const DEFAULT_WINDOW: i64 = 65_535;
/// The largest payload that every peer takes.
pub(crate) const MAX_PAYLOAD: usize = 16_384;
/// Bytes in front of every payload.
pub(crate) const HEAD: usize = 9;

// Error codes of `RST_STREAM` and `GOAWAY` (section 7).
pub(crate) const PROTOCOL_ERROR: [u8; 4] = 1_u32.to_be_bytes();
pub(crate) const FRAME_SIZE_ERROR: [u8; 4] = 6_u32.to_be_bytes();
/// The request was not begun, and may be sent again.
pub(crate) const REFUSED_STREAM: [u8; 4] = 7_u32.to_be_bytes();
/// The stream is of no use any more.
pub(crate) const CANCEL: [u8; 4] = 8_u32.to_be_bytes();
pub(crate) const ENHANCE_YOUR_CALM: [u8; 4] = 11_u32.to_be_bytes();

/// A header block that asks for `/`: method, scheme and path from the static table, and the authority as it is.
pub(crate) const GET: &[u8] = b"\x82\x84\x86\x41\x01a";

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// How a client begins: the preface, and these settings.
pub(crate) fn preface(settings: &[(u16, u32)]) -> Vec<u8> {
    let settings: Vec<_> = settings.iter().flat_map(|(id, value)| setting(*id, *value)).collect();
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(SETTINGS, 0, 0, &settings)[..]].concat()
}

/// One setting of a frame of them.
pub(crate) fn setting(id: u16, value: u32) -> Vec<u8> {
    [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// A request for a path without a body.
pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, WHOLE, stream, &[b"\x82\x86\x41\x01a", &literal(b"\x04", path)[..]].concat())
}

/// The head of a request with a body of JSON.
pub(crate) fn post(stream: u32, path: &str) -> Vec<u8> {
    let fields = [b"\x83\x86\x41\x01a", &literal(b"\x04", path)[..], &literal(b"\x0f\x10", "application/json")];
    frame(HEADERS, END_HEADERS, stream, &fields.concat())
}

/// A field with a name of the static table, and a value as it is, of at most 126 bytes.
fn literal(name: &[u8], value: &str) -> Vec<u8> {
    [name, &[u8::try_from(value.len()).unwrap()], value.as_bytes()].concat()
}

/// Kind, flags and payload of the whole frames.
pub(crate) fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (u8, u8, &[u8])> {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
        let payload = rest.get(..length)?;
        bytes = &rest[length..];
        Some((head[3], head[4], payload))
    })
}

/// The error code for which the connection is ended, where these frames end it.
pub(crate) fn goaway(bytes: &[u8]) -> Option<[u8; 4]> {
    let (_, _, payload) = frames(bytes).find(|(kind, ..)| *kind == GOAWAY)?;
    // Behind the last stream.
    payload.get(4..8)?.try_into().ok()
}

//! HTTP/2, frame by frame. An error of one stream may be treated as one of the connection (RFC 9113, section 5.4.1), and h2 has
//! PROTOCOL_ERROR for some that have a code of their own.

use super::exchange::{Row, Said, cut};
use crate::http2::frame::{
    CANCEL, CONTINUATION, DATA, END_STREAM, ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, GET, HEADERS, PROTOCOL_ERROR,
    RST_STREAM, SETTINGS, WHOLE, WINDOW_UPDATE, frame, preface,
};

/// Status 200 of HPACK's static table.
const OK: u8 = 0x88;

/// The preface, settings, and these frames.
fn connection(frames: &[Vec<u8>]) -> Vec<u8> {
    [preface(&[]), frames.concat()].concat()
}

/// One request with these fields behind its own.
fn request(fields: &[u8]) -> Vec<u8> {
    connection(&[frame(HEADERS, WHOLE, 1, &[GET, fields].concat())])
}

/// Bytes upon which the service must say this, and which are no request.
fn told(name: &'static str, bytes: Vec<u8>, says: Said) -> Row {
    Row { says: Some(says), ..cut(name, bytes) }
}

fn answered(name: &'static str, bytes: Vec<u8>) -> Row {
    Row { counted: vec!["GET / 200"], ..told(name, bytes, Said::Answer(OK)) }
}

pub(super) fn rows() -> Vec<Row> {
    let begin = connection(&[]);
    // A new field of 120 bytes enters the dynamic table, and is named ten thousand times.
    let bomb = [&b"\x40\x01x\x78"[..], &[b'a'; 120], &[0xbe; 10_000]].concat();
    let resets = |count: u32| -> Vec<_> {
        let streams = (0..count).map(|number| 2 * number + 1);
        streams.flat_map(|id| [frame(HEADERS, WHOLE, id, GET), frame(RST_STREAM, 0, id, &CANCEL)]).collect()
    };
    let flood = |count: usize| {
        let more = frame(CONTINUATION, 0, 1, &b"\x00\x01x\x05aaaaa".repeat(1000));
        [vec![frame(HEADERS, END_STREAM, 1, GET)], vec![more; count]].concat()
    };
    let settings =
        |count: usize| [vec![frame(SETTINGS, 0, 0, b""); count], vec![frame(HEADERS, WHOLE, 1, GET)]].concat();
    let [protocol, too_large, calm] = [PROTOCOL_ERROR, FRAME_SIZE_ERROR, ENHANCE_YOUR_CALM].map(Said::Connection);
    let malformed = Said::Stream(PROTOCOL_ERROR);
    // Some of the streams may have become requests before their resets were read.
    let rapid = Row {
        counted: vec!["GET / 200", "GET / 499"],
        may_be_cut: true,
        ..told("rapid reset", connection(&resets(2000)), calm)
    };
    let from_server = frame(HEADERS, WHOLE, 2, GET);
    vec![
        // As the others are made, and right: what they are refused for is what is wrong with them.
        answered("a request", request(b"")),
        answered("a request with a field", request(b"\x00\x01x\x01a")),
        answered("five thousand settings and a request", connection(&settings(5000))),
        rapid,
        told("garbage after the preface", [&begin[..], &[0xff; 64]].concat(), too_large),
        told("headers without an end", connection(&flood(2000)), calm),
        told("headers that unpack to a megabyte", request(&bomb), calm),
        // Section 4.3 has COMPRESSION_ERROR.
        told("an index that does not exist", request(b"\xff\xff\xff\xff\xff\xff"), protocol),
        told("a name in capitals", request(b"\x00\x01X\x01a"), protocol),
        told("a line end in a value", request(b"\x00\x01x\x03a\r\n"), protocol),
        told("a header of a connection", request(b"\x00\x0aconnection\x05close"), malformed),
        told("a transfer coding", request(b"\x00\x11transfer-encoding\x07chunked"), malformed),
        told("no path", connection(&[frame(HEADERS, WHOLE, 1, b"\x82\x86\x41\x01a")]), malformed),
        told("a stream of the server's", connection(&[from_server]), protocol),
        told("data of no stream", connection(&[frame(DATA, END_STREAM, 7, b"x")]), protocol),
        told("a frame that is too large", connection(&[frame(DATA, END_STREAM, 1, &[b'x'; 20_000])]), too_large),
        told("a window that grows by nothing", connection(&[frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\0")]), protocol),
        // Section 6.5.2 has FLOW_CONTROL_ERROR.
        told("settings beyond their bounds", connection(&[frame(SETTINGS, 0, 0, b"\0\x04\xff\xff\xff\xff")]), protocol),
    ]
}

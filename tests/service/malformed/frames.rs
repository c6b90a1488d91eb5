//! HTTP/2, frame by frame.

use super::{Row, cut};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
/// `END_STREAM` and `END_HEADERS`.
const WHOLE: u8 = 5;
const END_STREAM: u8 = 1;
/// `GET http://a/` in HPACK: three indexed fields, and the authority as it is.
const GET: &[u8] = b"\x82\x84\x86\x41\x01a";

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The preface, settings, and these frames.
fn connection(frames: &[Vec<u8>]) -> Vec<u8> {
    [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(SETTINGS, 0, 0, b"")[..], &frames.concat()].concat()
}

/// One request with these fields behind its own.
fn request(fields: &[u8]) -> Vec<u8> {
    connection(&[frame(HEADERS, WHOLE, 1, &[GET, fields].concat())])
}

pub(super) fn rows() -> Vec<Row> {
    let preface = connection(&[]);
    // A new field of 120 bytes enters the dynamic table, and is named ten thousand times.
    let bomb = [&b"\x40\x01x\x78"[..], &[b'a'; 120], &[0xbe; 10_000]].concat();
    let resets = |count: u32| -> Vec<_> {
        let streams = (0..count).map(|number| 2 * number + 1);
        streams.flat_map(|id| [frame(HEADERS, WHOLE, id, GET), frame(RST_STREAM, 0, id, b"\0\0\0\x08")]).collect()
    };
    let flood = |count: usize| {
        let more = frame(CONTINUATION, 0, 1, &b"\x00\x01x\x05aaaaa".repeat(1000));
        [vec![frame(HEADERS, END_STREAM, 1, GET)], vec![more; count]].concat()
    };
    // Some of the streams may have become requests before their resets were read.
    let rapid = Row {
        counted: vec!["GET / 200", "GET / 499"],
        may_be_cut: true,
        ..cut("rapid reset", connection(&resets(2000)))
    };
    vec![
        rapid,
        cut("a preface without its end", "PRI * HTTP/2.0\r\n\r\n"),
        cut("garbage after the preface", [&preface[..], &[0xff; 64]].concat()),
        cut("headers without an end", connection(&flood(2000))),
        cut("headers that unpack to a megabyte", request(&bomb)),
        cut("an index that does not exist", request(b"\xff\xff\xff\xff\xff\xff")),
        cut("a name in capitals", request(b"\x00\x01X\x01a")),
        cut("a line end in a value", request(b"\x00\x01x\x03a\r\n")),
        cut("a header of a connection", request(b"\x00\x0aconnection\x05close")),
        cut("a transfer coding", request(b"\x00\x11transfer-encoding\x07chunked")),
        cut("no path", connection(&[frame(HEADERS, WHOLE, 1, b"\x82\x86\x41\x01a")])),
        cut("a stream of the server's", connection(&[frame(HEADERS, WHOLE, 2, GET)])),
        cut("data of no stream", connection(&[frame(DATA, END_STREAM, 7, b"x")])),
        cut("a frame that is too large", connection(&[frame(DATA, END_STREAM, 1, &[b'x'; 20_000])])),
        cut("a window that grows by nothing", connection(&[frame(WINDOW_UPDATE, 0, 0, b"\0\0\0\0")])),
        cut("settings beyond their bounds", connection(&[frame(SETTINGS, 0, 0, b"\0\x04\xff\xff\xff\xff")])),
        cut("five thousand settings", connection(&vec![frame(SETTINGS, 0, 0, b""); 5000])),
    ]
}

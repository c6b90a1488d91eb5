//! HTTP/2, frame by frame.

use super::{Row, cut};
use crate::http2::frame::{
    CANCEL, CONTINUATION, DATA, END_STREAM, GET, HEADERS, RST_STREAM, SETTINGS, WHOLE, WINDOW_UPDATE, frame, preface,
};

/// The preface, settings, and these frames.
fn connection(frames: &[Vec<u8>]) -> Vec<u8> {
    [preface(&[]), frames.concat()].concat()
}

/// One request with these fields behind its own.
fn request(fields: &[u8]) -> Vec<u8> {
    connection(&[frame(HEADERS, WHOLE, 1, &[GET, fields].concat())])
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
    // Some of the streams may have become requests before their resets were read.
    let rapid = Row {
        counted: vec!["GET / 200", "GET / 499"],
        may_be_cut: true,
        ..cut("rapid reset", connection(&resets(2000)))
    };
    vec![
        rapid,
        cut("a preface without its end", "PRI * HTTP/2.0\r\n\r\n"),
        cut("garbage after the preface", [&begin[..], &[0xff; 64]].concat()),
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

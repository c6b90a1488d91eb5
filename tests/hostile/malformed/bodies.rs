//! Bodies whose length is in doubt, and what hides behind them.

use super::{ECHO, HELLO, Row, SECOND, closing, refused, row};

/// `POST /echo` with these headers and this body, and the second request behind it.
fn echo(headers: &str, body: &str) -> String {
    coded_to("POST /echo", headers, body)
}

/// The same to another route.
fn coded_to(target: &str, headers: &str, body: &str) -> String {
    let head = format!("{target} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n{headers}\r\n\r\n");
    format!("{head}{body}{SECOND}")
}

/// `12` in chunks, and these trailers.
fn trailers(lines: &str) -> String {
    format!("2\r\n12\r\n0\r\n{lines}\r\n")
}

/// The same with `12` in chunks.
fn coded(coding: &str) -> String {
    echo(coding, "2\r\n12\r\n0\r\n\r\n")
}

fn chunked(body: &str) -> String {
    echo("transfer-encoding: chunked", body)
}

/// The same with a length.
fn sized(length: &str) -> String {
    echo(&format!("content-length: {length}"), "12")
}

pub(super) fn smuggling() -> Vec<Row> {
    const DONE: &str = "POST /echo 200";
    let after_http_1_0 =
        coded("connection: keep-alive\r\ntransfer-encoding: chunked").replacen("HTTP/1.1", "HTTP/1.0", 1);
    let hidden = format!("GET /hello/a HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n{SECOND}", SECOND.len());
    vec![
        // RFC 9112, section 6.1: the chunks count, and the connection ends with the answer.
        row("a length and chunks", coded("content-length: 4\r\ntransfer-encoding: chunked"), &[200], &[DONE]),
        row(
            "chunks and a length",
            echo("transfer-encoding: chunked\r\ncontent-length: 6", "0\r\n\r\n"),
            &[400],
            &[ECHO],
        ),
        refused("two lengths", echo("content-length: 2\r\ncontent-length: 3", "12"), 400),
        // Section 6.3: the same length twice may be taken for one.
        row("the same length twice", echo("content-length: 2\r\ncontent-length: 2", "12"), &[200, 200], &[DONE, HELLO]),
        refused("the same length in a list", sized("2, 2"), 400),
        refused("two lengths in a list", sized("2, 3"), 400),
        // Section 6.3: the last coding must be chunked.
        refused("chunked, identity", coded("transfer-encoding: chunked, identity"), 400),
        refused("chunked and identity", coded("transfer-encoding: chunked\r\ntransfer-encoding: identity"), 400),
        refused("gzip", coded("transfer-encoding: gzip"), 400),
        refused("xchunked", coded("transfer-encoding: xchunked"), 400),
        refused("a coding in quotes", coded("transfer-encoding: \"chunked\""), 400),
        refused("a coding after a vertical tab", coded("transfer-encoding: \x0bchunked"), 400),
        refused("a coding after a line fold", coded("transfer-encoding:\r\n chunked"), 400),
        refused("no coding", echo("transfer-encoding: \r\ncontent-length: 2", "12"), 400),
        refused("a space before the colon of the coding", coded("transfer-encoding : chunked"), 400),
        refused("a space before the colon of the length", echo("content-length : 2", "12"), 400),
        refused("chunks in HTTP/1.0", after_http_1_0, 400),
        // Codings that nobody understands, though chunked is the last one.
        row("identity, chunked", coded("transfer-encoding: identity, chunked"), &[400], &[ECHO]),
        row(
            "identity and chunked",
            coded("transfer-encoding: identity\r\ntransfer-encoding: chunked"),
            &[400],
            &[ECHO],
        ),
        row("gzip, chunked", coded("transfer-encoding: gzip, chunked"), &[400], &[ECHO]),
        row("chunked twice", coded("transfer-encoding: chunked, chunked"), &[400], &[ECHO]),
        // Just another header, and just another way to write one.
        row(
            "an underscore",
            echo("transfer_encoding: chunked\r\ncontent-length: 2", "12"),
            &[200, 200],
            &[DONE, HELLO],
        ),
        row("capitals", coded("TRANSFER-ENCODING: CHUNKED"), &[200, 200], &[DONE, HELLO]),
        row("a request as the body of another", hidden, &[200], &[HELLO]),
        // A connection ends with a request that has trailers. hyper reads one that ends in a bare LF on to the next CR LF,
        // through the request behind it: docs/upstream/hyper-trailers.md. What it swallowed is never taken for answered.
        closing("trailers that look like headers", chunked(&trailers("content-length: 5\r\nhost: b\r\n")), 200, DONE),
        closing("a trailer that ends in a bare LF", chunked(&trailers("a: b\n")), 200, DONE),
        closing("a bare LF between two trailers", chunked(&trailers("a: b\nc: d\r\n")), 400, ECHO),
        closing("the last trailer ends in a bare LF", chunked(&trailers("a: b\r\nc: d\n")), 200, DONE),
        closing(
            "a trailer with a bare LF that nobody reads",
            coded_to("GET /hello/a", "transfer-encoding: chunked", "0\r\na: b\n\r\n"),
            200,
            HELLO,
        ),
        closing(
            "chunks that nobody reads",
            coded_to("GET /hello/a", "transfer-encoding: chunked", "2\r\n12\r\n0\r\n\r\n"),
            200,
            HELLO,
        ),
        row("null bytes in the body", echo("content-length: 3", "\0\0\0"), &[400, 200], &[ECHO, HELLO]),
    ]
}

pub(super) fn sizes() -> Vec<Row> {
    const DONE: &str = "POST /echo 200";
    let broken = |name, body: &str| row(name, chunked(body), &[400], &[ECHO]);
    let too_large = sized("18446744073709551613");
    vec![
        refused("a negative length", sized("-2"), 400),
        refused("a length with a sign", sized("+2"), 400),
        refused("a length in hexadecimal", sized("0x2"), 400),
        refused("a length with a space", sized("2 2"), 400),
        refused("a length with a point", sized("2.0"), 400),
        refused("an empty length", sized(""), 400),
        refused("a length beyond 64 bits", sized("18446744073709551616"), 400),
        refused("the largest length of 64 bits", sized("18446744073709551615"), 431),
        row("nearly the largest length", too_large, &[413], &["POST /echo 413"]),
        row("a length with zeros in front", sized("0000000002"), &[200, 200], &[DONE, HELLO]),
        broken("a negative chunk", "-2\r\n12\r\n0\r\n\r\n"),
        broken("a chunk size with a sign", "+2\r\n12\r\n0\r\n\r\n"),
        broken("a chunk size in C", "0x2\r\n12\r\n0\r\n\r\n"),
        broken("a space before a chunk size", " 2\r\n12\r\n0\r\n\r\n"),
        broken("a chunk beyond 64 bits", "10000000000000000\r\n12\r\n0\r\n\r\n"),
        broken("a chunk that is longer than its size", "2\r\n123\r\n0\r\n\r\n"),
        broken("a chunk that is shorter than its size", "3\r\n12\r\n0\r\n\r\n"),
        broken("chunks of bare LF", "2\n12\n0\n\n"),
        broken("a chunk extension of bare LF", "2;a\n12\r\n0\r\n\r\n"),
        broken("a chunk extension with a bare CR", "2;a\rb\r\n12\r\n0\r\n\r\n"),
        broken("a chunk extension of 20 kB", &format!("2;{}\r\n12\r\n0\r\n\r\n", "a".repeat(20_000))),
        broken(
            "chunk extensions of 40 kB in all",
            &format!("{}0\r\n\r\n", "1;aaaaaaaaaaaaaaaaa\r\n1\r\n".repeat(2000)),
        ),
        broken("10,000 trailers", &format!("2\r\n12\r\n0\r\n{}\r\n", "a: b\r\n".repeat(10_000))),
        row("a chunk extension", chunked("2;a=\"b\"\r\n12\r\n0\r\n\r\n"), &[200, 200], &[DONE, HELLO]),
        row(
            "a chunk of 64 bits that never comes",
            chunked("ffffffffffffffff\r\n12\r\n0\r\n\r\n"),
            &[503],
            &["POST /echo 503"],
        ),
    ]
}

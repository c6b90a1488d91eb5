//! Clients that are slow, or that close a half of their connection.

use super::{HELLO, Manner, Row, SECOND, cut, row};

const ECHO: &str = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";

pub(super) fn rows() -> Vec<Row> {
    let body = |rest: &str| format!("{ECHO}{rest}");
    let timed_out = |name, rest: &str| row(name, body(rest), &[503], &["POST /echo 503"]);
    let manner = |manner, row: Row| Row { manner, ..row };
    // hyper takes a client that closes its sending half for one that leaves, unless the answer is faster.
    let after = row("half closed after the request", SECOND, &[200], &[HELLO, "GET /hello/{name} 499"]);
    let half = |row: Row| manner(Manner::HalfClosed, row);
    vec![
        cut("not a byte", ""),
        cut("one byte", "G"),
        cut("half the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\n"),
        cut("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        cut("half a head", "GET / HTTP/1.1\r\nhost: a\r\n"),
        manner(Manner::Dripping, cut("a head that drips", "GET / HTTP/1.1\r\nhost: a\r\n")),
        timed_out("half a body", "content-length: 5\r\n\r\n1"),
        timed_out("half a chunk", "transfer-encoding: chunked\r\n\r\n5\r\n1"),
        timed_out("no last chunk", "transfer-encoding: chunked\r\n\r\n2\r\n12\r\n"),
        half(cut("half closed without a byte", "")),
        half(cut("half closed in the head", "GET / HTTP/1.1\r\nhost: a\r\n")),
        half(row("half closed in the body", body("content-length: 5\r\n\r\n1"), &[400], &["POST /echo 400"])),
        half(row(
            "half closed in a chunk",
            body("transfer-encoding: chunked\r\n\r\n5\r\n1"),
            &[400],
            &["POST /echo 400"],
        )),
        half(Row { may_be_cut: true, ..after }),
    ]
}

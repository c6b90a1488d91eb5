//! `Forwarded` and `X-Forwarded-For` of each request.

use super::{BLOCK, V1, believing, exchange, request, v2};

/// The peer.
const PEER: &str = "peer";

/// Sends each request on a connection of its own, and compares the client that its line names.
async fn compare(networks: &str, rows: &[(&[u8], &str, &str)]) {
    let served = believing(networks).await;
    for (sent, (begin, headers, expected)) in rows.iter().enumerate() {
        let (own, answer) = exchange(served.address, [begin, request(headers).as_bytes()].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{headers}: {answer}");
        let lines = served.observed.access_lines(sent as u64 + 1).await;
        let expected = if *expected == PEER { &own } else { *expected };
        assert_eq!(lines[sent].str("client"), expected, "{}{headers}", begin.escape_ascii());
    }
}

#[tokio::test]
async fn the_nearest_address_that_is_not_trusted_is_the_client() {
    compare(
        "127.0.0.0/8,10.0.0.0/8",
        &[
            (b"", "", PEER),
            (b"", "x-forwarded-for: 203.0.113.9\r\n", "203.0.113.9"),
            (b"", "x-forwarded-for: 198.51.100.1, 203.0.113.9\r\n", "203.0.113.9"),
            (b"", "x-forwarded-for: 198.51.100.1, 203.0.113.9, 10.0.0.7\r\n", "203.0.113.9"),
            (b"", "x-forwarded-for: 198.51.100.1\r\nx-forwarded-for: 203.0.113.9\r\n", "203.0.113.9"),
            (b"", "x-forwarded-for: 198.51.100.1\r\nx-forwarded-for: 10.0.0.7\r\n", "198.51.100.1"),
            (b"", "x-forwarded-for: 203.0.113.9:1234\r\n", "203.0.113.9:1234"),
            (b"", "x-forwarded-for: 2001:db8::9\r\n", "2001:db8::9"),
            (b"", "x-forwarded-for: [2001:db8::9]:1234\r\n", "[2001:db8::9]:1234"),
            (b"", "x-forwarded-for: 203.0.113.9, ::ffff:10.0.0.7\r\n", "203.0.113.9"),
            (b"", "x-forwarded-for: 10.0.0.8, 10.0.0.7\r\n", "10.0.0.8"),
            (b"", "x-forwarded-for: 203.0.113.9, unknown\r\n", PEER),
            (b"", "x-forwarded-for: 203.0.113.9, nonsense, 10.0.0.7\r\n", "10.0.0.7"),
            (b"", "x-forwarded-for:\r\n", PEER),
            (b"", "forwarded: for=203.0.113.9\r\n", "203.0.113.9"),
            (b"", "forwarded: for=198.51.100.1, for=203.0.113.9;proto=http, for=10.0.0.7\r\n", "203.0.113.9"),
            (b"", "forwarded: for=\"[2001:db8::9]:1234\"\r\n", "[2001:db8::9]:1234"),
            (b"", "forwarded: for=203.0.113.9, for=_hidden\r\n", PEER),
            (b"", "forwarded: for=203.0.113.9, for=unknown, for=10.0.0.7\r\n", "10.0.0.7"),
            (b"", "forwarded: for=\"x\r\nforwarded: for=203.0.113.9\r\n", "203.0.113.9"),
            (b"", "forwarded: for=\"x, for=203.0.113.9\r\n", PEER),
        ],
    )
    .await;
}

/// A proxy writes one of the two and lets the other pass as its client sent it.
#[tokio::test]
async fn both_headers_count_only_where_they_agree() {
    compare(
        "127.0.0.1/32",
        &[
            (b"", "forwarded: for=203.0.113.9\r\nx-forwarded-for: 203.0.113.9\r\n", "203.0.113.9"),
            (b"", "forwarded: for=\"203.0.113.9:7\"\r\nx-forwarded-for: 203.0.113.9\r\n", "203.0.113.9:7"),
            (b"", "forwarded: for=203.0.113.9\r\nx-forwarded-for: 198.51.100.1\r\n", PEER),
            (b"", "forwarded: for=_x\r\nx-forwarded-for: 198.51.100.1\r\n", PEER),
            (b"", "forwarded: \r\nx-forwarded-for: 198.51.100.1\r\n", "198.51.100.1"),
        ],
    )
    .await;
}

#[tokio::test]
async fn they_continue_where_the_proxy_protocol_ends() {
    let from_trusted = b"PROXY TCP4 10.0.0.7 10.0.0.1 5 6\r\n";
    let (local, unknown) = (v2(0x20, 0, &[]), v2(0x21, 0, &[]));
    let header = "x-forwarded-for: 198.51.100.1\r\n";
    compare(
        "127.0.0.0/8,10.0.0.0/8",
        &[
            // The client itself spoke HTTP through a proxy that passes bytes on: it may write what it likes.
            (V1.as_bytes(), header, "203.0.113.9:56324"),
            (&v2(0x21, 0x11, &BLOCK), "forwarded: for=198.51.100.1\r\n", "203.0.113.9:56324"),
            (b"PROXY UNKNOWN\r\n", header, PEER),
            (&unknown, header, PEER),
            (from_trusted, header, "198.51.100.1"),
            (from_trusted, "", "10.0.0.7:5"),
            (&local, header, "198.51.100.1"),
        ],
    )
    .await;
}

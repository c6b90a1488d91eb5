//! Request lines and headers.

use super::{HELLO, Row, SECOND, cut, refused, refused_midway, row};

const END: &str = "host: a\r\nconnection: close\r\n\r\n";

/// A request for a greeting with these bytes between its line and its end.
fn with(headers: impl AsRef<[u8]>) -> Vec<u8> {
    [b"GET /hello/a HTTP/1.1\r\n", headers.as_ref(), END.as_bytes()].concat()
}

fn line(line: impl AsRef<[u8]>) -> Vec<u8> {
    [line.as_ref(), b"\r\n", END.as_bytes()].concat()
}

pub(super) fn lines() -> Vec<Row> {
    let long = |bytes: usize| line(format!("GET /hello/{} HTTP/1.1", "x".repeat(bytes)));
    let method = |bytes: usize| line(format!("{} / HTTP/1.1", "X".repeat(bytes)));
    vec![
        cut("nothing but empty lines", "\r\n\r\n\r\n"),
        row("empty lines first", [b"\r\n\r\n", &with("")[..]].concat(), &[200], &[HELLO]),
        row(
            "a method in lower case is another method",
            line("get /hello/a HTTP/1.1"),
            &[405],
            &["_OTHER /hello/{name} 405"],
        ),
        row("a method of 60 kB", method(60_000), &[405], &["_OTHER / 405"]),
        refused("no version", line("GET /hello/a"), 400),
        refused("HTTP/0.9", line("GET /hello/a HTTP/0.9"), 400),
        refused("HTTP/1.2", line("GET /hello/a HTTP/1.2"), 400),
        refused("HTTP/2.0 without its preface", line("GET /hello/a HTTP/2.0"), 400),
        refused("HTTP/3.0", line("GET /hello/a HTTP/3.0"), 400),
        refused("a version that is none", line("GET /hello/a FTP/1.1"), 400),
        row("absolute form", line("GET http://b/hello/a HTTP/1.1"), &[200], &[HELLO]),
        row("authority form", line("GET b:80 HTTP/1.1"), &[404], &["GET unmatched 404"]),
        // RFC 9110, section 9.3.6: without a tunnel, what follows is the next request.
        row(
            "CONNECT and a request behind it",
            format!("CONNECT b:80 HTTP/1.1\r\nhost: b:80\r\n\r\n{SECOND}"),
            &[404, 200],
            &["CONNECT unmatched 404", HELLO],
        ),
        row("an asterisk", line("GET * HTTP/1.1"), &[404], &["GET unmatched 404"]),
        row("a fragment", line("GET /hello/a#b HTTP/1.1"), &[200], &[HELLO]),
        row("a target of 65 kB", long(65_000), &[200], &[HELLO]),
        refused("a target of 64 KiB, which is all that a head may have", long(65_536), 431),
        refused("two spaces", line("GET  /hello/a HTTP/1.1"), 400),
        refused("a space in the target", line("GET /hello/a b HTTP/1.1"), 400),
        refused("a space in front", line(" GET /hello/a HTTP/1.1"), 400),
        refused("a space behind", line("GET /hello/a HTTP/1.1 "), 400),
        refused("tabs", line("GET\t/hello/a\tHTTP/1.1"), 400),
        refused("a relative target", line("GET hello/a HTTP/1.1"), 400),
        refused("no UTF-8", line(b"GET /\xff\xfe HTTP/1.1"), 400),
        refused("a null byte in the method", line("G\0T / HTTP/1.1"), 400),
        refused("a null byte in the target", line("GET /a\0b HTTP/1.1"), 400),
        refused("a control character in the target", line("GET /a\x01b HTTP/1.1"), 400),
        refused("DEL in the target", line("GET /a\x7fb HTTP/1.1"), 400),
        refused("a target that is no URI", line("GET /<script> HTTP/1.1"), 400),
        refused("line ends of bare CR", "GET /hello/a HTTP/1.1\rhost: a\r\r", 400),
        // RFC 9112, section 2.2: a recipient may take a bare LF for a line end.
        row("line ends of bare LF", "GET /hello/a HTTP/1.1\nhost: a\nconnection: close\n\n", &[200], &[HELLO]),
        refused(
            "the ClientHello of TLS",
            [&b"\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03"[..], &[0x7f; 240]].concat(),
            400,
        ),
        refused("SSH", "SSH-2.0-OpenSSH_9.2\r\n", 400),
        refused("bytes of all kinds", (0..=255).collect::<Vec<u8>>().repeat(8), 400),
    ]
}

pub(super) fn headers() -> Vec<Row> {
    let many = |count: usize| with((0..count).map(|number| format!("a{number}: b\r\n")).collect::<String>());
    let huge = |bytes: usize| with(format!("x-huge: {}\r\n", "x".repeat(bytes)));
    let refusal = "GET /hello/{name} 400";
    vec![
        row("98 headers and two more", many(98), &[200], &[HELLO]),
        refused("more than 100 headers", many(101), 431),
        refused("10,000 headers", many(10_000), 431),
        row("a header of 60 kB", huge(60_000), &[200], &[HELLO]),
        refused("a header of 70 kB", huge(70_000), 431),
        refused_midway("a header of 3 MB", huge(3_000_000), 431),
        refused_midway("a header name of 1 MB", with(format!("{}: x\r\n", "x".repeat(1_000_000))), 431),
        refused("a null byte in a name", with("x\0y: a\r\n"), 400),
        refused("a null byte in a value", with("x: a\0b\r\n"), 400),
        refused("an escape sequence in a value", with("user-agent: a\x1b[31mb\r\n"), 400),
        refused("DEL in a value", with("user-agent: a\x7fb\r\n"), 400),
        refused("a bare CR in a value", with("x: a\rb\r\n"), 400),
        refused("a folded line", with("x: a\r\n b\r\n"), 400),
        refused("a folded first line", with(" x: a\r\n"), 400),
        refused("no colon", with("no colon\r\n"), 400),
        refused("a space before the colon", with("x : a\r\n"), 400),
        refused("no name", with(": a\r\n"), 400),
        // RFC 9112, section 3.2.
        row("no Host", format!("GET /hello/a HTTP/1.1\r\n\r\n{SECOND}"), &[400], &[refusal]),
        row("two Hosts", with("host: b\r\n"), &[400], &[refusal]),
        row(
            "a Host that is none",
            format!("GET /hello/a HTTP/1.1\r\nhost: a b/c@\r\n\r\n{SECOND}"),
            &[400],
            &[refusal],
        ),
        row("no Host before HTTP/1.1", "GET /hello/a HTTP/1.0\r\n\r\n", &[200], &[HELLO]),
        // A server may ignore an upgrade (RFC 9110, section 7.8).
        row(
            "an upgrade to HTTP/2",
            with("upgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"),
            &[200],
            &[HELLO],
        ),
        row("an expectation that nobody knows", with("expect: 200-maybe\r\n"), &[200], &[HELLO]),
    ]
}

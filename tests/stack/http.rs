//! A client for servers on this machine: one HTTP/1.0 request on a connection of its own.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// How long a server may be silent: above every timeout that the bundle has of its own.
const SILENCE: Duration = Duration::from_secs(75);

/// A request. The path has its query; header names and values are sent as they are.
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) headers: &'a [(&'a str, &'a str)],
    pub(crate) body: &'a str,
}

/// An answer that came whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The first header of this name, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(':'));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// The JSON of an answer with status 200; panics with the answer if it is another.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }
}

/// Sends a request to a port of this machine and reads the answer to its end.
///
/// # Errors
/// Whatever broke, also an answer shorter than its `Content-Length`.
pub(crate) fn send(port: u16, request: &Request<'_>) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(SILENCE))?;
    let Request { method, path, headers, body } = request;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.0\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let broken = |why: &str| io::Error::new(io::ErrorKind::UnexpectedEof, format!("{why} in {text:?}"));
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| broken("no end of the head"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| broken("no status"))?;
    let answer = Answer { status, head: head.to_owned(), body: body.to_owned() };
    let announced = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|announced| announced > body.len()) {
        return Err(broken("a short body"));
    }
    Ok(answer)
}

/// A GET that must be answered.
pub(crate) fn get(port: u16, path: &str) -> Answer {
    send(port, &Request { method: "GET", path, headers: &[], body: "" })
        .unwrap_or_else(|error| panic!("GET {path} on port {port}: {error}"))
}

/// A text as part of a query string.
pub(crate) fn encode(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

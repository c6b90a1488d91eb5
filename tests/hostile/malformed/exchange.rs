//! A row of the table, sent by a client of its own, and what is wrong with the answer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use test_support::Line;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http2::frame::{GOAWAY, HEADERS, RST_STREAM, frames};
use crate::service::labels;

const PATIENCE: Duration = Duration::from_secs(30);

/// How a client sends.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Manner {
    AtOnce,
    /// And closes its sending half.
    HalfClosed,
    /// The bytes, and then one header line every 50 ms.
    Dripping,
}

/// One kind of malice.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) manner: Manner,
    pub(super) bytes: Vec<u8>,
    /// The statuses of the answers; none: it is cut.
    pub(super) answers: Vec<u16>,
    /// Label sets of the requests that reach the middleware.
    pub(super) counted: Vec<&'static str>,
    /// Whether it may be cut at a moment that nobody knows: then any of the answers and counts is right.
    pub(super) may_be_cut: bool,
    /// Whether the connection may end with a reset, which can overtake the answers: where the service does not read all of it.
    pub(super) may_be_reset: bool,
    /// Whether the last answer must say that it closes the connection.
    pub(super) closes: bool,
    /// Of HTTP/2: what the service must say, upon which the client leaves. No time that runs out makes it say so.
    pub(super) says: Option<Said>,
}

/// What a service says over HTTP/2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Said {
    /// `GOAWAY` with this error code.
    Connection([u8; 4]),
    /// `RST_STREAM` with this error code.
    Stream([u8; 4]),
    /// A head that begins with this byte: a status of HPACK's static table.
    Answer(u8),
}

/// Bytes that are answered with these statuses, and counted like this.
pub(super) fn row(name: &'static str, bytes: impl Into<Vec<u8>>, answers: &[u16], counted: &[&'static str]) -> Row {
    let (answers, counted) = (answers.to_vec(), counted.to_vec());
    let (may_be_cut, may_be_reset, closes) = (false, false, false);
    Row {
        name,
        manner: Manner::AtOnce,
        bytes: bytes.into(),
        answers,
        counted,
        may_be_cut,
        may_be_reset,
        closes,
        says: None,
    }
}

/// Bytes that are refused before they are a request.
pub(super) fn refused(name: &'static str, bytes: impl Into<Vec<u8>>, status: u16) -> Row {
    row(name, bytes, &[status], &[])
}

/// More bytes than the service reads before it refuses them.
pub(super) fn refused_midway(name: &'static str, bytes: impl Into<Vec<u8>>, status: u16) -> Row {
    Row { may_be_reset: true, ..refused(name, bytes, status) }
}

/// One request that is answered, and whose connection is closed by that answer, whatever follows.
pub(super) fn closing(name: &'static str, bytes: impl Into<Vec<u8>>, status: u16, counted: &'static str) -> Row {
    Row { closes: true, ..row(name, bytes, &[status], &[counted]) }
}

/// Bytes that nobody answers.
pub(super) fn cut(name: &'static str, bytes: impl Into<Vec<u8>>) -> Row {
    row(name, bytes, &[], &[])
}

/// A client's own address, and what it was answered.
pub(super) struct Exchange {
    row: Row,
    pub(super) client: SocketAddr,
    pub(super) answers: Vec<u16>,
    /// Whether the connection ended with a reset, which can overtake an answer.
    is_reset: bool,
    /// Whether an answer says that it closes the connection.
    says_close: bool,
    /// Of HTTP/2.
    said: Option<Said>,
}

/// Sends a row and reads until the service closes the connection, which it must, or over HTTP/2 says what it must.
pub(super) async fn exchange(stream: TcpStream, row: Row) -> Exchange {
    let client = stream.local_addr().unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let (bytes, manner) = (row.bytes.clone(), row.manner);
    // A service that has seen enough does not read the rest.
    let writing = tokio::spawn(async move {
        let _ = writer.write_all(&bytes).await;
        if manner == Manner::HalfClosed {
            let _ = writer.shutdown().await;
        }
        while manner == Manner::Dripping && writer.write_all(b"a: b\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        writer
    });
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, async {
        while reader.read_buf(&mut answer).await? > 0 {
            if row.says.is_some() && said(&answer, row.says) == row.says {
                break;
            }
        }
        io::Result::Ok(())
    });
    let read = read.await.unwrap_or_else(|_| panic!("{}: the connection stays open after {answer:?}", row.name));
    writing.abort();
    let text = String::from_utf8_lossy(&answer);
    // `HTTP/1.1 200`, and of HTTP/2 nothing.
    let status = |rest: &str| rest.get(..3)?.parse().ok();
    let answers =
        text.match_indices("HTTP/1.").filter_map(|(at, begin)| status(&text[at + begin.len() + 2..])).collect();
    let says_close = text.contains("\r\nconnection: close\r\n");
    let said = row.says.and_then(|_| said(&answer, row.says));
    Exchange { row, client, answers, is_reset: read.is_err(), says_close, said }
}

/// `expected`, where it is among what these frames say, else the first thing that they say.
fn said(bytes: &[u8], expected: Option<Said>) -> Option<Said> {
    let code = |payload: &[u8]| payload.try_into().ok();
    let mut all = frames(bytes).filter_map(|(kind, _, payload)| match kind {
        GOAWAY => Some(Said::Connection(code(payload.get(4..8)?)?)),
        RST_STREAM => Some(Said::Stream(code(payload)?)),
        HEADERS => Some(Said::Answer(*payload.first()?)),
        _ => None,
    });
    let first = all.next();
    if first == expected || all.any(|one| Some(one) == expected) { expected } else { first }
}

impl Exchange {
    /// What is wrong with answers or access lines, if anything is.
    pub(super) fn mistake(&self, lines: &[&Line]) -> Option<String> {
        let Self { row, answers, is_reset, said, .. } = self;
        let counted: Vec<_> = lines.iter().map(|line| labels(line)).collect();
        let was_cut = row.answers.starts_with(answers) && (*is_reset || row.may_be_cut);
        let ends_well = !*is_reset || row.may_be_reset || row.may_be_cut || row.says.is_some();
        let was_counted_in_part = row.may_be_cut && counted.iter().all(|one| row.counted.contains(&&one[..]));
        let closed = !row.closes || *is_reset || self.says_close;
        let is_right = *said == row.says
            && ends_well
            && closed
            && (*answers == row.answers || was_cut)
            && (counted == row.counted || was_counted_in_part);
        let reset = if *is_reset { " (reset)" } else { "" };
        let said = said.map_or_else(String::new, |said| format!(", said {said:?}"));
        (!is_right).then(|| format!("{}: answered {answers:?}{reset}{said}, counted {counted:?}", row.name))
    }
}

//! A container's log without the lines that are stored already.
//!
//! Docker sends pieces, each with eight bytes before it: whether it is of standard output or error, and its length. A piece
//! begins with its time; a line of more than 16 KB is several pieces, and only the last one ends with a line feed.

use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use http_body::Frame;

use super::moment;
use super::stored::Stored;

/// `log` without one line for each that is `stored`. Lines that Docker noted after `asked` cannot be, so from the first of
/// them on all are passed on as they come.
pub(super) fn of(log: Body, stored: Stored, asked: u64) -> Body {
    Body::new(Unsent { log, sieve: Some(Sieve { stored, asked, buffer: Vec::new(), begun: HashMap::new() }) })
}

struct Unsent {
    log: Body,
    /// Nothing once every line is to be passed on.
    sieve: Option<Sieve>,
}

struct Sieve {
    stored: Stored,
    asked: u64,
    /// The beginning of a piece.
    buffer: Vec<u8>,
    /// The pieces of a line that has no end yet, and its text, of each of the two outputs.
    begun: HashMap<u8, (Vec<u8>, Vec<u8>)>,
}

impl HttpBody for Unsent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let frame = ready!(Pin::new(&mut self.log).poll_frame(context));
            let Some(sieve) = self.sieve.as_mut() else {
                return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
            };
            let passed = match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => {
                        let (passed, finished) = sieve.pass(&bytes);
                        if finished {
                            self.sieve = None;
                        }
                        passed
                    }
                    Err(_) => continue,
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => {
                    let rest = sieve.rest();
                    self.sieve = None;
                    rest
                }
            };
            if !passed.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(passed.into()))));
            }
        }
    }
}

impl Sieve {
    /// What of `bytes`, and of those before, is to be passed on, and whether all that follows is.
    fn pass(&mut self, bytes: &[u8]) -> (Vec<u8>, bool) {
        self.buffer.extend_from_slice(bytes);
        let mut passed = Vec::new();
        loop {
            let Some(length) = self.buffer.get(4..8) else { return (passed, false) };
            let end = 8 + u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
            if self.buffer.len() < end {
                return (passed, false);
            }
            let piece: Vec<u8> = self.buffer.drain(..end).collect();
            let (time, text) = split(&piece[8..]);
            if self.begun.is_empty() && time.is_some_and(|time| time > self.asked) {
                passed.extend(piece);
                passed.append(&mut self.buffer);
                return (passed, true);
            }
            let (pieces, line) = self.begun.entry(piece[0]).or_default();
            line.extend_from_slice(text);
            pieces.extend_from_slice(&piece);
            if line.ends_with(b"\n") {
                let (pieces, line) = self.begun.remove(&piece[0]).expect("it was just begun");
                // As Promtail does before it sends the line.
                let end = line.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
                if !self.stored.take(&line[..end]) {
                    passed.extend(pieces);
                }
            }
        }
    }

    /// What is left when the log ends within a line.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest: Vec<u8> = self.begun.drain().flat_map(|(_, (pieces, _))| pieces).collect();
        rest.append(&mut self.buffer);
        rest
    }
}

/// Docker's time before a piece, and the piece.
fn split(piece: &[u8]) -> (Option<u64>, &[u8]) {
    let space = piece.iter().position(|byte| *byte == b' ').unwrap_or(0);
    match std::str::from_utf8(&piece[..space]).ok().and_then(moment::parse) {
        Some(time) => (Some(time), &piece[space + 1..]),
        None => (None, piece),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use http_body_util::BodyExt;

    use super::*;

    struct Chunks(VecDeque<Bytes>);

    impl HttpBody for Chunks {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Poll::Ready(self.0.pop_front().map(|chunk| Ok(Frame::data(chunk))))
        }
    }

    fn piece(output: u8, second: u32, text: &str) -> Vec<u8> {
        let text = format!("2026-11-25T00:00:{second:02}Z {text}");
        let mut piece = vec![output, 0, 0, 0];
        piece.extend((text.len() as u32).to_be_bytes());
        piece.extend(text.bytes());
        piece
    }

    /// The texts that are passed on, whatever the sizes of the chunks are in which Docker sends them.
    async fn passed(pieces: &[Vec<u8>], stored: &[&str], asked: &str) -> Vec<Vec<u8>> {
        let whole = pieces.concat();
        let mut answers = Vec::new();
        for size in [1, 7, 64, whole.len()] {
            let chunks = whole.chunks(size).map(Bytes::copy_from_slice).collect();
            let body = of(Body::new(Chunks(chunks)), Stored::of(stored), moment::parse(asked).unwrap());
            answers.push(body.collect().await.unwrap().to_bytes().to_vec());
        }
        answers
    }

    const LATE: &str = "2026-11-25T00:00:30Z";

    #[tokio::test]
    async fn each_stored_line_is_left_out_once() {
        let pieces = [piece(1, 1, "a\n"), piece(2, 1, "b\r\n"), piece(1, 2, "a\n"), piece(1, 3, "c\n")];
        for answer in passed(&pieces, &["a", "b", "other"], LATE).await {
            assert_eq!(answer, [pieces[2].clone(), pieces[3].clone()].concat());
        }
    }

    #[tokio::test]
    async fn lines_of_several_pieces_are_whole_or_not_there() {
        let long = [piece(1, 1, "one "), piece(2, 1, "error\n"), piece(1, 1, "two\n"), piece(1, 1, "begun ")];
        for answer in passed(&long, &["one two"], LATE).await {
            assert_eq!(answer, [long[1].clone(), long[3].clone()].concat());
        }
        for answer in passed(&long, &["one "], LATE).await {
            assert_eq!(answer, [&long[1], &long[0], &long[2], &long[3]].map(Clone::clone).concat());
        }
    }

    #[tokio::test]
    async fn later_lines_are_passed_on_unread() {
        let pieces = [piece(1, 1, "a\n"), piece(1, 9, "b\n"), piece(1, 9, "a\n"), b"whatever".to_vec()];
        for answer in passed(&pieces, &["a", "b", "a"], "2026-11-25T00:00:05Z").await {
            assert_eq!(answer, pieces[1..].concat());
        }
    }
}

//! A container's log without the lines that Loki has.
//!
//! Docker sends pieces, each with eight bytes before it: whether it is of standard output or error, and its length. A piece
//! begins with its time; a line of more than 16 KB is several pieces of one time, and only the last one ends with a line
//! feed. Lines are put together, cut and dated as Promtail does, because that is how Loki has them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use http_body::Frame;
use serde::Deserialize;

use super::loki::Stored;
use super::moment;

/// Promtail's `max_line_size`: it sends so much of a line, and leaves out the rest.
const MOST_OF_A_LINE: usize = 2 << 20;

/// `log` without the lines that are `stored`. Lines that Docker noted after `asked` cannot be, so from the first of them on
/// all are passed on as they come.
pub(super) fn of(log: Body, stored: Stored, asked: u64) -> Body {
    Body::new(Deduplicated {
        log,
        deduplicator: Some(Deduplicator { stored, asked, buffer: Vec::new(), begun: HashMap::new() }),
    })
}

struct Deduplicated {
    log: Body,
    /// Nothing once every line is to be passed on.
    deduplicator: Option<Deduplicator>,
}

struct Deduplicator {
    stored: Stored,
    asked: u64,
    /// The beginning of a piece.
    buffer: Vec<u8>,
    /// The line that has no end yet, of each of the two outputs.
    begun: HashMap<u8, Line>,
}

/// A line up to here.
struct Line {
    time: Option<u64>,
    /// As Docker sent it, and its text: nothing once it is known whether the line is passed on.
    pieces: Vec<u8>,
    text: Vec<u8>,
    passed: Option<bool>,
}

impl HttpBody for Deduplicated {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let frame = ready!(Pin::new(&mut self.log).poll_frame(context));
            let Some(deduplicator) = self.deduplicator.as_mut() else {
                return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
            };
            let passed = match frame {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => {
                        let (passed, finished) = deduplicator.pass(&bytes);
                        if finished {
                            self.deduplicator = None;
                        }
                        passed
                    }
                    Err(_) => continue,
                },
                Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
                None => {
                    let rest = deduplicator.rest();
                    self.deduplicator = None;
                    rest
                }
            };
            if !passed.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(passed.into()))));
            }
        }
    }
}

impl Deduplicator {
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
            let ends = text.ends_with(b"\n");
            if self.begun.get(&piece[0]).is_some_and(|line| line.time != time) {
                // A line that never got its end.
                let line = self.begun.remove(&piece[0]).expect("it was just looked at");
                passed.extend(self.unless_stored(line));
            }
            if self.begun.is_empty() && time.is_some_and(|time| time > self.asked) {
                passed.extend(piece);
                passed.append(&mut self.buffer);
                return (passed, true);
            }
            let new = || Line { time, pieces: Vec::new(), text: Vec::new(), passed: None };
            let mut line = self.begun.remove(&piece[0]).unwrap_or_else(new);
            match line.passed {
                Some(true) => passed.extend_from_slice(&piece),
                Some(false) => {}
                None => {
                    line.text.extend_from_slice(without_end(text));
                    line.pieces.extend_from_slice(&piece);
                }
            }
            if line.passed.is_none() && (ends || line.text.len() > MOST_OF_A_LINE) {
                let pieces = self.unless_stored(Line { pieces: std::mem::take(&mut line.pieces), ..line });
                line = Line { passed: Some(!pieces.is_empty()), ..new() };
                passed.extend(pieces);
            }
            if !ends {
                self.begun.insert(piece[0], line);
            }
        }
    }

    /// The pieces that wait for the end of `line`, if Loki does not have it.
    fn unless_stored(&self, line: Line) -> Vec<u8> {
        let cut = &line.text[..line.text.len().min(MOST_OF_A_LINE)];
        let time = own_time(&line.text).or(line.time);
        if time.is_some_and(|time| self.stored.has(time, cut)) { Vec::new() } else { line.pieces }
    }

    /// What is left when the log ends within a line.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest: Vec<u8> = self.begun.drain().flat_map(|(_, line)| line.pieces).collect();
        rest.append(&mut self.buffer);
        rest
    }
}

/// The time that a line carries itself: Promtail takes it instead of Docker's.
fn own_time(line: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Timed<'a> {
        #[serde(borrow)]
        timestamp: Cow<'a, str>,
    }
    // An array would be taken for its fields.
    line.trim_ascii_start().starts_with(b"{").then_some(())?;
    moment::parse_in_any_zone(&serde_json::from_slice::<Timed<'_>>(line).ok()?.timestamp)
}

fn without_end(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
    &text[..end]
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

    fn moment_of(second: u32) -> u64 {
        moment::parse(&format!("2026-11-25T00:00:{second:02}Z")).unwrap()
    }

    async fn collected(pieces: &[u8], size: usize, stored: &[(u32, &str)], asked: u32) -> Vec<u8> {
        let mut has = Stored::default();
        for (second, text) in stored {
            has.insert(moment_of(*second), text.as_bytes());
        }
        let chunks = pieces.chunks(size).map(Bytes::copy_from_slice).collect();
        let body = of(Body::new(Chunks(chunks)), has, moment_of(asked));
        body.collect().await.unwrap().to_bytes().to_vec()
    }

    /// What is passed on, whatever the sizes of the chunks are in which Docker sends them.
    async fn passed(pieces: &[Vec<u8>], stored: &[(u32, &str)], asked: u32) -> Vec<Vec<u8>> {
        let whole = pieces.concat();
        let mut answers = Vec::new();
        for size in [1, 7, 64, whole.len()] {
            answers.push(collected(&whole, size, stored, asked).await);
        }
        answers
    }

    #[tokio::test]
    async fn a_line_is_left_out_where_loki_has_it_at_its_time() {
        let pieces = [piece(1, 1, "a\n"), piece(2, 1, "b\r\n"), piece(1, 2, "a\n"), piece(1, 3, "c\n")];
        for answer in passed(&pieces, &[(1, "a"), (1, "b"), (4, "c")], 30).await {
            assert_eq!(answer, [pieces[2].clone(), pieces[3].clone()].concat());
        }
    }

    #[tokio::test]
    async fn a_line_with_a_time_of_its_own_is_compared_at_that_time() {
        let own = r#"{"message":"m","timestamp":"2026-11-25T01:00:05+01:00"}"#;
        let list = r#"["2026-11-25T00:00:05Z"]"#;
        let pieces = [piece(1, 9, &format!("{own}\n")), piece(1, 9, &format!("{list}\n"))];
        for answer in passed(&pieces, &[(5, own), (5, list)], 30).await {
            assert_eq!(answer, pieces[1]);
        }
    }

    #[tokio::test]
    async fn lines_of_several_pieces_are_whole_or_not_there() {
        let long = [piece(1, 1, "one "), piece(2, 1, "error\n"), piece(1, 1, "two\n"), piece(1, 1, "begun ")];
        for answer in passed(&long, &[(1, "one two")], 30).await {
            assert_eq!(answer, [long[1].clone(), long[3].clone()].concat());
        }
        for answer in passed(&long, &[(1, "one ")], 30).await {
            assert_eq!(answer, [&long[1], &long[0], &long[2], &long[3]].map(Clone::clone).concat());
        }
    }

    #[tokio::test]
    async fn another_time_ends_a_line_that_never_got_its_end() {
        let pieces = [piece(1, 1, "one "), piece(1, 2, "two "), piece(1, 3, "three\n")];
        for answer in passed(&pieces, &[(1, "one "), (3, "three")], 30).await {
            assert_eq!(answer, pieces[1]);
        }
    }

    #[tokio::test]
    async fn a_line_that_is_longer_than_promtail_sends_is_passed_on_before_its_end() {
        let part = "x".repeat(16 * 1024);
        let sent = "x".repeat(MOST_OF_A_LINE);
        let parts = MOST_OF_A_LINE / part.len() + 10;
        let line: Vec<u8> = (0..parts).flat_map(|_| piece(1, 1, &part)).collect();
        let whole = [line, piece(1, 1, "end\n"), piece(1, 2, "next\n")].concat();
        assert_eq!(collected(&whole, 65536, &[(1, &sent)], 30).await, piece(1, 2, "next\n"));
        assert!(collected(&whole, 65536, &[], 30).await == whole, "all of it");

        let mut deduplicator =
            Deduplicator { stored: Stored::default(), asked: moment_of(30), buffer: vec![], begun: HashMap::new() };
        let mut given = 0;
        for _ in 0..3 * parts {
            given += deduplicator.pass(&piece(1, 1, &part)).0.len();
        }
        assert_eq!(given, 3 * parts * piece(1, 1, &part).len(), "without an end it would be kept for ever");
    }

    #[tokio::test]
    async fn later_lines_are_passed_on_unread() {
        let pieces = [piece(1, 1, "a\n"), piece(1, 9, "b\n"), piece(1, 9, "a\n"), b"whatever".to_vec()];
        for answer in passed(&pieces, &[(1, "a"), (9, "b"), (9, "a")], 5).await {
            assert_eq!(answer, pieces[1..].concat());
        }
    }
}

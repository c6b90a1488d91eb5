//! Questions to Loki: which lines of a container it has.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use super::http_client;

/// Most lines in one answer: half of what Loki is configured to give.
const PAGE: usize = 5000;
/// Most bytes of one answer. One line of Promtail's `max_line_size` always has room, however much of it is escaped.
const MOST_BYTES: usize = 16 << 20;
/// Time for a whole answer.
const DEADLINE: Duration = Duration::from_secs(if cfg!(test) { 5 } else { 30 });
/// How often a question that is refused is asked, and how long after the time before: the reason may go away.
const ATTEMPTS: usize = 3;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(if cfg!(test) { 10 } else { 1000 });

/// A Loki. It is asked one question at a time: after a restart a collector asks for all containers at once, and the
/// answers must fit into this container's memory.
#[derive(Debug)]
pub(super) struct Loki {
    address: String,
    turn: Semaphore,
}

/// Loki gave no answer that can be used.
#[derive(Debug)]
pub(super) enum LokiError {
    /// It cannot answer now.
    Unavailable(String),
    /// The answer did not come in time.
    Slow(String),
    /// The answer is larger than Loki may send or this process takes.
    TooLarge(String),
    /// It will not answer this question.
    Refused(String),
}

/// The lines that Loki has: a hash of time and text of each, as a restart may mean some ten thousand of them.
#[derive(Debug, Default)]
pub(super) struct Stored {
    hashes: RandomState,
    lines: HashSet<u64>,
}

impl Stored {
    pub(super) fn insert(&mut self, time: u64, line: &[u8]) {
        self.lines.insert(self.hashes.hash_one((time, line)));
    }

    /// Whether Loki has this line at this time, in nanoseconds.
    pub(super) fn has(&self, time: u64, line: &[u8]) -> bool {
        self.lines.contains(&self.hashes.hash_one((time, line)))
    }
}

impl Loki {
    pub(super) fn at(address: &str) -> Self {
        Self { address: address.to_owned(), turn: Semaphore::new(1) }
    }

    /// The time of the newest line that it has of the container `name` between two moments in nanoseconds.
    pub(super) async fn newest(&self, name: &str, from: u64, until: u64) -> Result<Option<u64>, LokiError> {
        if from >= until {
            return Ok(None);
        }
        let page = self.query(name, "backward", 1, from, until).await?;
        Ok(page.into_iter().map(|(time, _)| time).max())
    }

    /// All lines that it has of the container `name` between two moments in nanoseconds.
    pub(super) async fn lines(&self, name: &str, mut from: u64, until: u64) -> Result<Stored, LokiError> {
        let mut stored = Stored::default();
        let mut limit = PAGE;
        while from < until {
            let page = match self.query(name, "forward", limit, from, until).await {
                Err(LokiError::TooLarge(_) | LokiError::Slow(_)) if limit > 1 => {
                    limit /= 2;
                    continue;
                }
                answer => answer?,
            };
            for (time, line) in &page {
                stored.insert(*time, line.as_bytes());
            }
            match page.iter().map(|(time, _)| *time).max() {
                // The last moment of a page is asked for again. More lines of one moment than a page has are not seen: they
                // are sent once more.
                Some(last) if page.len() >= limit => from = last.max(from + 1),
                _ => break,
            }
        }
        Ok(stored)
    }

    /// One page: times and texts.
    async fn query(
        &self,
        name: &str,
        direction: &str,
        limit: usize,
        from: u64,
        until: u64,
    ) -> Result<Vec<(u64, String)>, LokiError> {
        let question = format!(
            "/loki/api/v1/query_range?direction={direction}&limit={limit}&start={from}&end={until}&query=%7Bcontainer%3D%22{name}%22%7D"
        );
        let _turn = self.turn.acquire().await.expect("the semaphore is never closed");
        for _ in 1..ATTEMPTS {
            match self.ask(&question).await {
                Err(LokiError::Refused(_)) => tokio::time::sleep(BETWEEN_ATTEMPTS).await,
                answer => return answer,
            }
        }
        self.ask(&question).await
    }

    async fn ask(&self, question: &str) -> Result<Vec<(u64, String)>, LokiError> {
        let sentence = |reason: &dyn std::fmt::Display| {
            format!("Loki at {} does not say which lines it has: {reason}", self.address)
        };
        let unavailable = |reason: &dyn std::fmt::Display| LokiError::Unavailable(sentence(reason));
        let read = async {
            let stream = TcpStream::connect(&self.address).await.map_err(|error| unavailable(&error))?;
            let answer =
                http_client::get(stream, &self.address, question).await.map_err(|error| unavailable(&error))?;
            let status = answer.status();
            let bytes = match Limited::new(answer.into_body(), MOST_BYTES).collect().await {
                Ok(body) => body.to_bytes(),
                Err(error) if error.is::<LengthLimitError>() => return Err(LokiError::TooLarge(sentence(&error))),
                Err(error) => return Err(unavailable(&error)),
            };
            if status == StatusCode::OK {
                return serde_json::from_slice::<Answer>(&bytes)
                    .map(Answer::entries)
                    .map_err(|error| unavailable(&error));
            }
            let text = String::from_utf8_lossy(&bytes);
            let said = sentence(&format!("it answered {status}: {text}"));
            Err(match status {
                StatusCode::PAYLOAD_TOO_LARGE => LokiError::TooLarge(said),
                _ if text.contains("ResourceExhausted") => LokiError::TooLarge(said),
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => LokiError::Unavailable(said),
                _ if status.is_client_error() => LokiError::Refused(said),
                _ => LokiError::Unavailable(said),
            })
        };
        let late = || LokiError::Slow(sentence(&format!("no whole answer within {} s", DEADLINE.as_secs())));
        tokio::time::timeout(DEADLINE, read).await.unwrap_or_else(|_| Err(late()))
    }
}

/// What is read of an answer of Loki.
#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    values: Vec<(String, String)>,
}

impl Answer {
    fn entries(self) -> Vec<(u64, String)> {
        let values = self.data.result.into_iter().flat_map(|stream| stream.values);
        values.filter_map(|(time, line)| Some((time.parse().ok()?, line))).collect()
    }
}

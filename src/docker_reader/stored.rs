//! What Loki has already: the only one who knows.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use http::StatusCode;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::net::TcpStream;

use super::http_client::{self, DEADLINE};

/// Most lines in one answer: half of what Loki is configured to give.
const PAGE: usize = 5000;
/// A line's own time is earlier than the time at which Docker read it, by as much as it waited in the writer's buffer.
const WAITED: u64 = 30_000_000_000;
/// Clocks of one machine agree; this is for a line that was written while it was asked.
const LATER: u64 = 60_000_000_000;

/// The lines that Loki has: a hash of time and text of each, as a restart may mean some ten thousand of them.
#[derive(Debug, Default)]
pub(super) struct Stored {
    hashes: RandomState,
    lines: HashSet<u64>,
}

impl Stored {
    /// Lines of the container `name` from `since` on, in nanoseconds, as Docker noted them.
    ///
    /// # Errors
    /// A sentence, when Loki gives no answer that can be used.
    pub(super) async fn ask(loki: &str, name: &str, since: u64, now: u64) -> Result<Self, String> {
        let mut stored = Self::default();
        let mut from = since.saturating_sub(WAITED);
        loop {
            let query = format!(
                "/loki/api/v1/query_range?direction=forward&limit={PAGE}&start={from}&end={}&query=%7Bcontainer%3D%22{name}%22%7D",
                now + LATER
            );
            let answer = json(loki, &query).await?;
            let page = entries(&answer);
            let last = page.iter().map(|(time, _)| *time).max();
            for (time, line) in &page {
                stored.insert(*time, line.as_bytes());
            }
            match last {
                // More lines of one moment than a page has are not counted: they would be sent once more.
                Some(last) if page.len() >= PAGE => from = last.max(from + 1),
                _ => return Ok(stored),
            }
        }
    }

    pub(super) fn insert(&mut self, time: u64, line: &[u8]) {
        self.lines.insert(self.hashes.hash_one((time, line)));
    }

    /// Whether Loki has this line at this time, in nanoseconds.
    pub(super) fn has(&self, time: u64, line: &[u8]) -> bool {
        self.lines.contains(&self.hashes.hash_one((time, line)))
    }
}

async fn json(loki: &str, path_and_query: &str) -> Result<Value, String> {
    let read = async {
        let stream = TcpStream::connect(loki).await.map_err(|error| error.to_string())?;
        let answer = http_client::get(stream, loki, path_and_query).await?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        if status != StatusCode::OK {
            return Err(format!("it answered {status}: {}", String::from_utf8_lossy(&bytes)));
        }
        serde_json::from_slice(&bytes).map_err(|error| error.to_string())
    };
    let answer = tokio::time::timeout(DEADLINE, read).await;
    let answer = answer.unwrap_or_else(|_| Err(format!("no whole answer within {} s", DEADLINE.as_secs())));
    answer.map_err(|reason| format!("Loki at {loki} does not say which lines it has: {reason}"))
}

/// Times and texts of an answer.
fn entries(answer: &Value) -> Vec<(u64, &str)> {
    let streams = answer["data"]["result"].as_array().into_iter().flatten();
    let values = streams.flat_map(|stream| stream["values"].as_array().into_iter().flatten());
    values.filter_map(|value| Some((value[0].as_str()?.parse().ok()?, value[1].as_str()?))).collect()
}

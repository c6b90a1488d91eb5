//! Malformed and hostile HTTP on real sockets against the real service: what is answered and what is cut, what of it is a
//! request and counted as one, and that nothing of it stays.

mod bodies;
mod frames;
mod heads;
mod slow;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::helpers::process::{Process, Reading, listening, redpane};
use crate::helpers::{Line, Samples, client, eventually};

const ECHO: &str = "POST /echo 400";
const HELLO: &str = "GET /hello/{name} 200";
/// A request to hide behind another: only where HTTP says that the first one is over may it be taken for one.
const SECOND: &str = "GET /hello/second HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(30);
/// How often all rows are sent.
const PASSES: usize = 3;
/// What the service may keep of it: an allocator gives back late what the largest heads took, up to 2 MiB each.
const KEPT_BYTES: f64 = 48.0 * 1024.0 * 1024.0;
/// What a further pass may add to that, for what is in use at the moment of the scrape.
const GROWN_BYTES: f64 = 8.0 * 1024.0 * 1024.0;

/// How a client sends.
#[derive(Clone, Copy, PartialEq)]
enum Manner {
    AtOnce,
    /// And closes its sending half.
    HalfClosed,
    /// The bytes, and then one header line every 50 ms.
    Dripping,
}

/// One kind of malice.
#[derive(Clone)]
struct Row {
    name: &'static str,
    manner: Manner,
    bytes: Vec<u8>,
    /// The statuses of the answers; none: it is cut.
    answers: Vec<u16>,
    /// Label sets of the requests that reach the middleware.
    counted: Vec<&'static str>,
    /// Whether it may be cut at a moment that nobody knows: then any of the answers and counts is right.
    may_be_cut: bool,
}

/// Bytes that are answered with these statuses, and counted like this.
fn row(name: &'static str, bytes: impl Into<Vec<u8>>, answers: &[u16], counted: &[&'static str]) -> Row {
    let (answers, counted) = (answers.to_vec(), counted.to_vec());
    Row { name, manner: Manner::AtOnce, bytes: bytes.into(), answers, counted, may_be_cut: false }
}

/// Bytes that are refused before they are a request.
fn refused(name: &'static str, bytes: impl Into<Vec<u8>>, status: u16) -> Row {
    row(name, bytes, &[status], &[])
}

/// Bytes that nobody answers.
fn cut(name: &'static str, bytes: impl Into<Vec<u8>>) -> Row {
    row(name, bytes, &[], &[])
}

/// A client's own address, and what it was answered.
struct Exchange {
    row: Row,
    client: SocketAddr,
    answers: Vec<u16>,
    /// Whether the connection ended with a reset, which can overtake an answer.
    is_reset: bool,
}

/// Sends a row and reads until the service closes the connection, which it must.
async fn exchange(stream: TcpStream, row: Row) -> Exchange {
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
    let read = timeout(PATIENCE, reader.read_to_end(&mut answer)).await;
    let read = read.unwrap_or_else(|_| panic!("{}: the connection stays open after {answer:?}", row.name));
    writing.abort();
    let text = String::from_utf8_lossy(&answer);
    // `HTTP/1.1 200`, and of HTTP/2 nothing.
    let status = |rest: &str| rest.get(..3)?.parse().ok();
    let answers =
        text.match_indices("HTTP/1.").filter_map(|(at, begin)| status(&text[at + begin.len() + 2..])).collect();
    Exchange { row, client, answers, is_reset: read.is_err() }
}

impl Exchange {
    /// What is wrong with answers or access lines, if anything is.
    fn mistake(&self, lines: &[&Line]) -> Option<String> {
        let Self { row, answers, is_reset, .. } = self;
        let counted: Vec<_> = lines.iter().map(|line| labels(line)).collect();
        let was_cut = row.answers.starts_with(answers) && (*is_reset || row.may_be_cut);
        let was_counted_in_part = row.may_be_cut && counted.iter().all(|one| row.counted.contains(&&one[..]));
        let is_right = (*answers == row.answers || was_cut) && (counted == row.counted || was_counted_in_part);
        let reset = if *is_reset { " (reset)" } else { "" };
        (!is_right).then(|| format!("{}: answered {answers:?}{reset}, counted {counted:?}", row.name))
    }
}

fn labels(line: &Line) -> String {
    format!("{} {} {}", line.str("method"), line.str("route"), line["status"])
}

fn rows() -> Vec<Row> {
    [heads::lines(), heads::headers(), bodies::smuggling(), bodies::sizes(), frames::rows(), slow::rows()].concat()
}

async fn scrape(address: SocketAddr) -> Samples {
    Samples::parse(client::get(address, "/metrics").await.text())
}

/// Waits until only this scrape is in flight and no connection but its own is open; gives the scrape.
async fn at_rest(address: SocketAddr, descriptors: Option<f64>) -> Samples {
    eventually("all connections are closed", async || {
        let samples = scrape(address).await;
        let open = samples.value("process_open_fds", &[]);
        let is_idle = samples.value("http_requests_in_flight", &[]) == 1.0;
        (is_idle && descriptors.is_none_or(|wanted| open <= wanted)).then_some(samples)
    })
    .await
}

/// The access lines of every request that was counted.
async fn lines(process: &Process, samples: &Samples) -> Vec<Line> {
    let quiet = samples.sum("http_requests_total", &[("route", "/metrics")]);
    let counted = samples.sum("http_requests_total", &[]) - quiet;
    eventually("every request that was counted has its line", async || {
        let lines: Vec<_> = process.lines().into_iter().filter(Line::is_access).collect();
        (lines.len() as f64 == counted).then_some(lines)
    })
    .await
}

fn by_client(lines: &[Line]) -> HashMap<SocketAddr, Vec<&Line>> {
    let mut by_client = HashMap::<_, Vec<_>>::new();
    for line in lines {
        by_client.entry(line.str("client").parse().unwrap()).or_default().push(line);
    }
    by_client
}

/// The metrics say of each label set what the lines say.
fn assert_counted<'a>(samples: &Samples, lines: impl Iterator<Item = &'a Line>) {
    let mut counts = HashMap::<String, f64>::new();
    lines.for_each(|line| *counts.entry(labels(line)).or_default() += 1.0);
    let mut logged: Vec<_> = counts.into_iter().collect();
    logged.sort_by(|one, other| one.0.cmp(&other.0));
    let counted: Vec<_> = samples.requests().into_iter().filter(|(labels, _)| labels != "GET /metrics 200").collect();
    assert_eq!(counted, logged);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_http_is_answered_or_cut_and_what_reaches_the_service_is_counted() {
    let variables = [("REDPANE_HEADER_TIMEOUT", "2s"), ("REDPANE_REQUEST_TIMEOUT", "1s")];
    let (process, address) = listening(redpane(&[], &variables), Reading::AsItComes).await;
    let before = at_rest(address, None).await;
    let descriptors = before.value("process_open_fds", &[]);
    let memory = |samples: &Samples| samples.value("process_resident_memory_bytes", &[]);
    let (mut kept, mut known) = (Vec::new(), 0);
    for _ in 0..PASSES {
        // All connect before one sends: a port is free again as soon as the service resets, and two clients with one
        // address would look like one.
        let mut connected = Vec::new();
        for row in rows() {
            connected.push((TcpStream::connect(address).await.unwrap(), row));
        }
        let mut exchanges = JoinSet::new();
        connected.into_iter().for_each(|(stream, row)| drop(exchanges.spawn(exchange(stream, row))));
        let exchanges = exchanges.join_all().await;
        let samples = at_rest(address, Some(descriptors)).await;
        let lines = lines(&process, &samples).await;
        // Ports come again in later passes, so each looks at its own lines only.
        let new = by_client(&lines[known..]);
        let own = |exchange: &Exchange| new.get(&exchange.client).map_or(&[][..], Vec::as_slice);
        let mistakes: Vec<_> = exchanges.iter().filter_map(|exchange| exchange.mistake(own(exchange))).collect();
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        assert_counted(&samples, lines.iter());
        known = lines.len();
        kept.push(memory(&samples));
    }
    let first = kept[0];
    assert!(first < memory(&before) + KEPT_BYTES, "resident memory grew from {} to {first} bytes", memory(&before));
    assert!(kept.iter().all(|bytes| *bytes < first + GROWN_BYTES), "resident memory grows pass by pass: {kept:?}");
    assert_eq!(client::get(address, "/hello/ada").await.status, StatusCode::OK, "it still serves");
}

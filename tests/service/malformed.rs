//! Malformed and hostile HTTP on real sockets against the real service: what is answered and what is cut, what of it is a
//! request and counted as one, and that nothing of it stays.

mod bodies;
mod exchange;
mod frames;
mod heads;
mod slow;

use std::collections::HashMap;
use std::net::SocketAddr;

use http::StatusCode;
use test_support::process::{Process, Reading, listening};
use test_support::{Line, Samples, client, eventually};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use exchange::{Exchange, Manner, Row, closing, cut, exchange, refused, row};

use super::redpane;

const ECHO: &str = "POST /echo 400";
const HELLO: &str = "GET /hello/{name} 200";
/// A request to hide behind another: only where HTTP says that the first one is over may it be taken for one.
const SECOND: &str = "GET /hello/second HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
/// How often all rows are sent.
const PASSES: usize = 3;
/// What the service may keep of it: an allocator gives back late what the largest heads took, up to 2 MiB each.
const KEPT_BYTES: f64 = 48.0 * 1024.0 * 1024.0;
/// What a further pass may add to that, for what is in use at the moment of the scrape.
const GROWN_BYTES: f64 = 8.0 * 1024.0 * 1024.0;

fn labels(line: &Line) -> String {
    format!("{} {} {}", line.str("method"), line.str("route"), line["status"])
}

fn rows() -> Vec<Row> {
    [heads::lines(), heads::headers(), bodies::smuggling(), bodies::sizes(), frames::rows(), slow::rows()].concat()
}

async fn scrape(address: SocketAddr) -> Samples {
    Samples::parse(client::get(address, "/metrics").await.text())
}

/// Waits until nothing is in flight and no connection but its own is open; gives the scrape.
async fn at_rest(address: SocketAddr, descriptors: Option<f64>) -> Samples {
    eventually("all connections are closed", async || {
        let samples = scrape(address).await;
        let open = samples.value("process_open_fds", &[]);
        let is_idle = samples.value("http_requests_in_flight", &[]) == 0.0;
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

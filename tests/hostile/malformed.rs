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
use test_support::{Line, Samples, client};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use exchange::{Exchange, Manner, Row, closing, cut, exchange, refused, refused_midway, row};

use crate::service::Service;
use crate::trial;

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

fn rows() -> Vec<Row> {
    [heads::lines(), heads::headers(), bodies::smuggling(), bodies::sizes(), frames::rows(), slow::rows()].concat()
}

fn by_client(lines: &[Line]) -> HashMap<SocketAddr, Vec<&Line>> {
    let mut by_client = HashMap::<_, Vec<_>>::new();
    for line in lines {
        by_client.entry(line.str("client").parse().unwrap()).or_default().push(line);
    }
    by_client
}

/// Sends each of these rows once; gives the scrape when nothing of it is left. Each is answered and counted as it should be.
async fn send(rows: Vec<Row>, service: &mut Service, descriptors: f64) -> Samples {
    let known = service.lines.len();
    // All connect before one sends: a port is free again as soon as the service resets, and two clients with one
    // address would look like one.
    let mut connected = Vec::new();
    for row in rows {
        connected.push((TcpStream::connect(service.address).await.unwrap(), row));
    }
    let mut exchanges = JoinSet::new();
    connected.into_iter().for_each(|(stream, row)| drop(exchanges.spawn(exchange(stream, row))));
    let exchanges = exchanges.join_all().await;
    let samples = service.at_rest(Some(descriptors)).await;
    service.read_lines(&samples).await;
    // Ports come again in later passes, so each looks at its own lines only.
    let new = by_client(&service.lines[known..]);
    let own = |exchange: &Exchange| new.get(&exchange.client).map_or(&[][..], Vec::as_slice);
    let mistakes: Vec<_> = exchanges.iter().filter_map(|exchange| exchange.mistake(own(exchange))).collect();
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    samples
}

/// Sends every row once; gives the scrape when nothing of it is left.
pub(crate) async fn pass(service: &mut Service, descriptors: f64) -> Samples {
    send(rows(), service, descriptors).await
}

/// A connection may idle for an hour here: what the service says of these, it says because of what they sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_is_refused_with_its_error_code() {
    let _alone = trial::alone().await;
    let mut service = Service::start(&[("REDPANE_HEADER_TIMEOUT", "1h"), ("REDPANE_REQUEST_TIMEOUT", "1h")]).await;
    let descriptors = service.at_rest(None).await.value("process_open_fds", &[]);
    send(frames::rows(), &mut service, descriptors).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_http_is_answered_or_cut_and_what_reaches_the_service_is_counted() {
    let _alone = trial::alone().await;
    let mut service = Service::start(&[("REDPANE_HEADER_TIMEOUT", "2s"), ("REDPANE_REQUEST_TIMEOUT", "1s")]).await;
    let before = service.at_rest(None).await;
    let descriptors = before.value("process_open_fds", &[]);
    let memory = |samples: &Samples| samples.value("process_resident_memory_bytes", &[]);
    let mut kept = Vec::new();
    for _ in 0..PASSES {
        kept.push(memory(&pass(&mut service, descriptors).await));
    }
    let first = kept[0];
    assert!(first < memory(&before) + KEPT_BYTES, "resident memory grew from {} to {first} bytes", memory(&before));
    assert!(kept.iter().all(|bytes| *bytes < first + GROWN_BYTES), "resident memory grows pass by pass: {kept:?}");
    assert_eq!(client::get(service.address, "/hello/ada").await.status, StatusCode::OK, "it still serves");
}

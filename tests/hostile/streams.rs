//! What becomes of single streams of HTTP/2 where others of their connection go on, and of all of them at the end.

use std::time::Duration;

use test_support::{Line, client, eventually};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::attackers::{Counts, connect};
use crate::http2::Connection;
use crate::http2::frame::{CANCEL, DATA, END_STREAM, REFUSED_STREAM, RST_STREAM, frames, get, preface};
use crate::service::Service;
use crate::unread::text;

const PATIENCE: Duration = Duration::from_secs(20);
const TIMEOUT: (&str, &str) = ("REDPANE_REQUEST_TIMEOUT", "1s");

async fn connection(service: &Service) -> Connection {
    Connection::new(connect(service.address, &Counts::default()).await)
}

/// Asks for a small answer and takes it; gives the resets that came meanwhile.
async fn ask(connection: &mut Connection) -> Vec<(u32, Vec<u8>)> {
    let stream = connection.get("/hello/ada");
    connection.allow(stream, 1000);
    connection.allow(0, 1000);
    let mut resets = Vec::new();
    let answered = async {
        loop {
            let received = connection.next().await.expect("the connection stays");
            match received.kind {
                RST_STREAM => resets.push((received.stream, received.payload)),
                DATA if received.stream == stream && received.flags & END_STREAM != 0 => return,
                _ => {}
            }
        }
    };
    timeout(PATIENCE, answered).await.expect("it is answered");
    resets
}

/// RFC 9113, section 5.4.2: an error of one stream does not touch the others.
async fn only_the_one_is_reset(window: u32) {
    let service = Service::start(&[TIMEOUT]).await;
    let mut connection = connection(&service).await;
    let stalled = connection.post("/echo", text());
    connection.allow(stalled, window);
    let reset = async {
        loop {
            if let Some(reset) = ask(&mut connection).await.into_iter().find(|(stream, _)| *stream == stalled) {
                return reset.1;
            }
        }
    };
    assert_eq!(timeout(PATIENCE, reset).await.expect("it is reset"), CANCEL);
    for _ in 0..10 {
        ask(&mut connection).await;
    }
    let lines = eventually("all requests have a line", async || {
        let lines: Vec<_> = service.process.lines().into_iter().filter(Line::is_access).collect();
        lines.iter().any(|line| line["route"] == "/echo").then_some(lines)
    })
    .await;
    for line in lines {
        let outcome = if line["route"] == "/echo" { "aborted" } else { "complete" };
        assert_eq!(line.str("outcome"), outcome, "{}", line.text);
    }
    let samples = service.scrape().await;
    assert_eq!(samples.sum("redpane_client_streams_reset_total", &[("reason", "stalled")]), 1.0);
    assert_eq!(samples.sum("redpane_client_connections_cut_total", &[]), 0.0);
}

#[tokio::test]
async fn a_stream_without_a_window_is_reset_alone() {
    only_the_one_is_reset(1).await;
}

#[tokio::test]
async fn a_stream_whose_window_is_used_up_is_reset_alone() {
    only_the_one_is_reset(20_000).await;
}

/// RFC 9113, section 8.1, allows a reset behind an answer; there are clients that do not read the answer then.
#[tokio::test]
async fn a_stream_whose_body_is_not_wanted_is_not_reset() {
    let service = Service::start(&[]).await;
    let mut connection = Connection::taking(connect(service.address, &Counts::default()).await);
    let stream = connection.post("/nothing", text());
    let mut is_answered = false;
    let sent = async {
        while !is_answered || !connection.has_sent_all() {
            // Windows and acknowledgements are no frames here: a look now and then.
            let Ok(received) = timeout(Duration::from_millis(50), connection.next()).await else { continue };
            let received = received.expect("the connection stays");
            assert_ne!(received.kind, RST_STREAM, "{received:?}");
            is_answered |= received.stream == stream && received.kind == DATA && received.flags & END_STREAM != 0;
        }
    };
    timeout(PATIENCE, sent).await.expect("all of it is taken");
}

/// Far above the limit a stream is refused before it costs anything, and its client may send the request again.
#[tokio::test]
async fn streams_are_refused_where_far_too_much_is_held() {
    let service = Service::start(&[("REDPANE_CLIENT_MEMORY", "2MiB"), ("REDPANE_REQUEST_TIMEOUT", "60s")]).await;
    let mut greedy = Vec::new();
    for _ in 0..20 {
        let mut connection = connection(&service).await;
        (0..90).for_each(|_| _ = connection.get("/hello/ada"));
        connection.push().await;
        greedy.push(connection);
    }
    let mut refused = 0;
    for mut connection in greedy {
        // Either it was cut, or what it was refused is there.
        while let Ok(Some(received)) = timeout(Duration::from_millis(500), connection.next()).await {
            refused += usize::from(received.kind == RST_STREAM && received.payload == REFUSED_STREAM);
        }
    }
    let samples = service.scrape().await;
    let counted = samples.sum("redpane_client_streams_reset_total", &[("reason", "memory")]);
    // A connection that was cut takes some of them with it.
    assert!(refused > 0 && counted >= refused as f64, "{refused} seen, {counted} counted");
    assert_eq!(client::get(service.address, "/healthz").await.status, 200);
}

/// What the protocol has in its buffer when the connection is cut was not handed over.
#[tokio::test]
async fn answers_that_were_not_written_are_not_complete() {
    const AT_ONCE: usize = 50;
    let mut service = Service::start(&[("REDPANE_SHUTDOWN_GRACE", "500ms")]).await;
    let mut socket = connect(service.address, &Counts::default()).await;
    // With windows for everything.
    assert!(socket.send(&preface(&[])).await);
    let mut asked = 0;
    let in_flight = async |service: &Service| service.scrape().await.value("http_requests_in_flight", &[]);
    loop {
        let requests: Vec<_> = (0..AT_ONCE)
            .flat_map(|number| get(u32::try_from(2 * (asked + number) + 1).unwrap(), "/hello/ada"))
            .collect();
        assert!(socket.send(&requests).await);
        asked += AT_ONCE;
        let is_stuck = eventually("all are answered, or the system takes no more", async || {
            let before = service.process.lines().iter().filter(|line| line.is_access()).count();
            if in_flight(&service).await == 0.0 && before >= asked {
                return Some(false);
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            let after = service.process.lines().iter().filter(|line| line.is_access()).count();
            (before == after && after < asked).then_some(true)
        })
        .await;
        if is_stuck || asked > 20_000 {
            break;
        }
    }
    assert!(asked < 20_000, "it is never stuck");
    service.process.signal("TERM");
    assert_eq!(service.process.exit_code().await, 1, "{}", service.process.errors());
    // Whoever writes now gets a reset, and loses what it has not read.
    let mut received = Vec::new();
    let read = timeout(PATIENCE, socket.reader.read_to_end(&mut received)).await.expect("it ends");
    read.expect("the service has read everything, so what it sent can be read");
    let whole = frames(&received).filter(|(kind, flags, _)| *kind == DATA && *flags & END_STREAM != 0).count();
    let lines = service.process.lines();
    let complete = lines.iter().filter(|line| line.is_access() && line.str("outcome") == "complete").count();
    assert!(complete <= whole, "{complete} are called complete, and the system had {whole} of {asked}");
    assert_eq!(lines.iter().filter(|line| line.is_access()).count(), asked);
}

/// Clients that reset their connections while many streams are being answered, after the shutdown began.
#[tokio::test]
async fn every_line_is_written_before_the_last_one() {
    const CONNECTIONS: usize = 60;
    const STREAMS: usize = 90;
    let faults = [("REDPANE_FAULTS", "true"), ("REDPANE_LOG_BUFFER_BYTES", "64MiB")];
    let mut service = Service::start(&faults).await;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = connection(&service).await;
        (0..STREAMS).for_each(|_| _ = connection.get("/faults/delay/60000"));
        connection.push().await;
        connections.push(connection);
    }
    let all = (CONNECTIONS * STREAMS) as f64;
    eventually("all are in flight", async || {
        (service.scrape().await.value("http_requests_in_flight", &[]) == all).then_some(())
    })
    .await;
    service.process.signal("TERM");
    service.process.line("shutting down: not ready any more").await;
    connections.into_iter().for_each(Connection::abort);
    assert_eq!(service.process.exit_code().await, 0, "{}", service.process.errors());
    let lines = service.process.lines();
    let (last, before) = lines.split_last().unwrap();
    assert_eq!(last.str("message"), "shut down: no request was cut", "{}", last.text);
    assert_eq!(before.iter().filter(|line| line.is_access()).count(), CONNECTIONS * STREAMS);
    assert!(TcpStream::connect(service.address).await.is_err(), "nobody listens any more");
}

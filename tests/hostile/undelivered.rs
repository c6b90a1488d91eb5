//! What the log says of answers that were not handed over whole.

use std::time::Duration;

use test_support::process::Process;
use test_support::{Line, eventually};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use crate::attackers::{Counts, connect};
use crate::http2::Connection;
use crate::http2::frame::HEADERS;
use crate::service::Service;

const MIB: usize = 1024 * 1024;
/// More than the kernel takes for a client that does not read: 4 MiB unless it was told otherwise.
const BODY: usize = 16 * MIB;
const LIMIT: (&str, &str) = ("REDPANE_BODY_LIMIT", "16MiB");
/// The body, its copy and the answer.
const MEMORY: (&str, &str) = ("REDPANE_CLIENT_MEMORY", "64MiB");
const PATIENCE: Duration = Duration::from_secs(20);

/// The line of the only request there was.
async fn only_line(process: &Process) -> Line {
    eventually("a request has its line", async || process.lines().into_iter().find(Line::is_access)).await
}

/// A client of HTTP/1 that posts a large body to be given back, and does not read.
async fn deaf(service: &Service) -> crate::attackers::Socket {
    let mut socket = connect(service.address, &Counts::default()).await;
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length:";
    assert!(socket.send(format!("{head} {BODY}\r\n\r\n").as_bytes()).await);
    assert!(socket.send(&[b"\"", &vec![b'a'; BODY - 2][..], b"\""].concat()).await, "all of it is taken");
    socket
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_the_line_says_what_it_got() {
    let service = Service::start(&[LIMIT, MEMORY, ("REDPANE_REQUEST_TIMEOUT", "2s")]).await;
    let _socket = deaf(&service).await;
    let line = only_line(&service.process).await;
    assert_eq!((line.str("outcome"), &line["status"]), ("aborted", &200.into()), "{}", line.text);
    assert!(line["response_bytes"].as_u64().unwrap() < BODY as u64, "{}", line.text);
    assert_eq!(line["request_bytes"], BODY, "{}", line.text);
    service.at_rest(None).await;
}

/// Slow, but never without progress for as long as the service waits. Half a megabyte takes several times that.
#[tokio::test]
async fn a_client_that_reads_slowly_is_not_cut_off() {
    let service = Service::start(&[LIMIT, MEMORY, ("REDPANE_REQUEST_TIMEOUT", "2s")]).await;
    let mut socket = deaf(&service).await;
    let (mut got, mut buffer) = (0, vec![0; 4096]);
    while got < MIB / 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        got += timeout(PATIENCE, socket.reader.read(&mut buffer)).await.expect("it goes on").unwrap();
        let line = service.process.lines().into_iter().find(Line::is_access);
        assert!(line.is_none(), "ended after {got} bytes: {line:?}");
    }
}

#[tokio::test]
async fn a_stream_that_is_reset_before_its_first_byte_got_none() {
    let service = Service::start(&[]).await;
    let mut connection = Connection::new(connect(service.address, &Counts::default()).await);
    let stream = connection.get("/hello/ada");
    let answered = async { while connection.next().await.expect("the connection stays").kind != HEADERS {} };
    timeout(PATIENCE, answered).await.expect("the head of the answer needs no window");
    connection.cancel(stream);
    // It goes out while the connection is attended to.
    let (line, _) = tokio::join!(only_line(&service.process), timeout(Duration::from_secs(1), connection.next()));
    assert_eq!((line.str("outcome"), &line["status"]), ("aborted", &200.into()), "{}", line.text);
    assert_eq!(line["response_bytes"], 0, "{}", line.text);
}

#[tokio::test]
async fn an_answer_that_is_not_handed_over_before_the_end_is_cut_and_told() {
    let mut service = Service::start(&[LIMIT, MEMORY, ("REDPANE_SHUTDOWN_GRACE", "1s")]).await;
    let mut socket = deaf(&service).await;
    // Only an answer is not read: what was sent is there, and its head comes out.
    let mut head = [0];
    timeout(PATIENCE, socket.reader.peek(&mut head)).await.expect("the answer begins").unwrap();
    service.process.signal("TERM");
    assert_eq!(service.process.exit_code().await, 1, "{}", service.process.errors());
    let lines = service.process.lines();
    let last = lines.last().unwrap();
    assert!(last["cut"].as_u64().is_some_and(|cut| cut > 0), "{}", last.text);
    let line = lines.iter().find(|line| line.is_access()).expect("it has its line");
    assert_eq!(line.str("outcome"), "aborted", "{}", line.text);
}

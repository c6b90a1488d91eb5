//! Bodies that nobody wants: a client that sends all of it before it reads must get its answer all the same.

use std::net::SocketAddr;
use std::time::Duration;

use test_support::process::{Reading, listening};
use test_support::{client, eventually, raw};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::redpane;

const BODY: usize = 1024 * 1024;
const PIECE: usize = 64 * 1024;
/// Between two pieces: the answer is there long before the last of them.
const PAUSE: Duration = Duration::from_millis(5);

/// Sends a head and a body piece by piece; gives the head of the answer.
async fn upload(address: SocketAddr, head: &str) -> String {
    let head = format!("{head}host: a\r\ncontent-length: {BODY}\r\n\r\n");
    let mut stream = raw::send(address, head).await;
    for piece in vec![b' '; BODY].chunks(PIECE) {
        stream.write_all(piece).await.expect("all of it can be sent");
        tokio::time::sleep(PAUSE).await;
    }
    raw::read_until(&mut stream, "\r\n\r\n").await
}

#[tokio::test]
async fn a_client_that_is_refused_can_send_its_body_and_reads_why() {
    let (_process, address) = listening(redpane(&[], &[]), Reading::AsItComes).await;
    for (head, status) in [
        ("POST /nothing HTTP/1.1\r\n", 404),
        ("POST /hello/ada HTTP/1.1\r\n", 405),
        ("POST /echo HTTP/1.1\r\ncontent-type: text/plain\r\n", 415),
        ("POST /echo HTTP/1.1\r\ncontent-type: application/json\r\nhost: b\r\n", 400),
    ] {
        let answer = upload(address, head).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{head}{answer}");
    }
}

/// What was not wanted is not the next request.
#[tokio::test]
async fn the_next_request_follows_the_body_that_was_not_wanted() {
    let (_process, address) = listening(redpane(&[], &[]), Reading::AsItComes).await;
    let next = "GET /hello/ada HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    let asked = "POST /nothing HTTP/1.1\r\nhost: a\r\ncontent-length: 200000\r\n\r\n";
    let mut stream = raw::send(address, asked).await;
    raw::read_until(&mut stream, "}").await;
    stream.write_all(&[b' '; 200_000]).await.unwrap();
    stream.write_all(next.as_bytes()).await.unwrap();
    let answer = raw::read_to_end(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("Hello, ada!\"}"), "{answer}");
}

#[tokio::test]
async fn a_client_that_comes_when_memory_is_short_reads_when_to_come_again() {
    const MEMORY: (&str, &str) = ("REDPANE_CLIENT_MEMORY", "2MiB");
    let (_process, address) = listening(redpane(&[], &[MEMORY]), Reading::AsItComes).await;
    let head =
        format!("POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: {BODY}\r\n\r\n");
    let mut greedy = Vec::<TcpStream>::new();
    let answer = eventually("there is no room", async || {
        // One of those that hold it is cut after a second.
        let mut stream = raw::send(address, &head).await;
        stream.write_all(&vec![b' '; BODY - 16]).await.ok()?;
        greedy.push(stream);
        (client::get(address, "/hello/ada").await.status == 503).then_some(())?;
        let answer = upload(address, "POST /echo HTTP/1.1\r\ncontent-type: application/json\r\n").await;
        answer.starts_with("HTTP/1.1 503 ").then_some(answer)
    })
    .await;
    assert!(answer.contains("\r\nretry-after: 2\r\n"), "{answer}");
}

/// RFC 9110, section 10.1.1: a client that waits for a word before it sends its body may send another request in its place once
/// it was refused. So it must be told that there is no other on this connection.
#[tokio::test]
async fn a_client_that_waits_for_a_word_and_is_refused_is_told_that_the_connection_ends() {
    let (_process, address) = listening(redpane(&[], &[]), Reading::AsItComes).await;
    for (head, status) in [
        ("POST /nothing HTTP/1.1\r\n", 404),
        ("GET /checkout HTTP/1.1\r\n", 200),
        ("POST /echo HTTP/1.1\r\ncontent-type: text/plain\r\n", 415),
    ] {
        let asked = format!("{head}host: a\r\nexpect: 100-continue\r\ncontent-length: 200000\r\n\r\n");
        let answer = raw::exchange(address, asked).await.to_ascii_lowercase();
        assert!(answer.starts_with(&format!("http/1.1 {status} ")), "no other word comes first: {head}{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{head}{answer}");
    }
}

#[tokio::test]
async fn a_client_that_waits_for_a_word_and_gets_it_goes_on() {
    let (_process, address) = listening(redpane(&[], &[]), Reading::AsItComes).await;
    let head = "POST /echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    let mut stream = raw::send(address, format!("{head}expect: 100-continue\r\ncontent-length: 5\r\n\r\n")).await;
    assert_eq!(raw::read_until(&mut stream, "\r\n\r\n").await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"[1,2]").await.unwrap();
    assert!(raw::read_until(&mut stream, "[1,2]").await.starts_with("HTTP/1.1 200 "));
    stream.write_all(b"GET /hello/ada HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    assert!(raw::read_until(&mut stream, "}").await.starts_with("HTTP/1.1 200 "), "on the same connection");
}

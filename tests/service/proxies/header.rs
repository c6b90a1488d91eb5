//! The header of the PROXY protocol before the first request.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use http::{Method, StatusCode, Version};
use test_support::process::{Process, Reading, listening};
use test_support::{Line, Samples, client, raw};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{BLOCK, UNREADABLE, V1, believing, clients, exchange, own_address, redpane, request, v2};

/// Headers, and the client they name; `None` for the peer.
fn headers() -> Vec<(Vec<u8>, Option<&'static str>)> {
    let ipv6 = [&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..], &[0; 16], &BLOCK[8..]].concat();
    let with_tlvs = [&BLOCK[..], &[0x05, 0, 3, 1, 2, 3], &[0xE0, 0x10, 0], &[b'x'; 4096]].concat();
    vec![
        (Vec::new(), None),
        (V1.into(), Some("203.0.113.9:56324")),
        ("PROXY TCP6 2001:db8::9 2001:db8::1 56324 443\r\n".into(), Some("[2001:db8::9]:56324")),
        ("PROXY UNKNOWN\r\n".into(), None),
        ("PROXY UNKNOWN 203.0.113.9 10.0.0.1 56324 443\r\n".into(), None),
        (v2(0x21, 0x11, &BLOCK), Some("203.0.113.9:56324")),
        (v2(0x21, 0x21, &ipv6), Some("[2001:db8::9]:56324")),
        (v2(0x21, 0x11, &with_tlvs), Some("203.0.113.9:56324")),
        (v2(0x20, 0x00, &[]), None),
        (v2(0x20, 0x11, &BLOCK), None),
        (v2(0x21, 0x31, &[b'/'; 216]), None),
        (v2(0x21, 0x00, &[]), None),
    ]
}

#[tokio::test]
async fn it_names_the_client_of_every_request_of_its_connection() {
    let served = believing("127.0.0.0/8").await;
    let headers = headers();
    let first = "GET /hello/grace HTTP/1.1\r\nhost: a\r\n\r\n";
    let mut expected = Vec::new();
    for (header, named) in &headers {
        let (own, answer) = exchange(served.address, [header, first.as_bytes(), request("").as_bytes()].concat()).await;
        assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "{}: {answer}", header.escape_ascii());
        expected.extend(vec![named.map_or(own, str::to_owned); 2]);
    }
    let lines = served.observed.access_lines(2 * headers.len() as u64).await;
    assert_eq!(clients(&lines), expected);
}

#[tokio::test]
async fn it_may_come_byte_by_byte() {
    let served = believing("127.0.0.0/8").await;
    let mut sent = 0;
    for (header, named) in headers().into_iter().filter(|(header, _)| header.len() < 300) {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for byte in [&header, request("").as_bytes()].concat() {
            stream.write_all(&[byte]).await.unwrap();
            // The service, on this thread too, reads it before the next one is sent.
            tokio::task::yield_now().await;
        }
        let own = own_address(&stream);
        let answer = raw::read_to_end(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{}: {answer}", header.escape_ascii());
        sent += 1;
        let lines = served.observed.access_lines(sent).await;
        assert_eq!(lines.last().unwrap().str("client"), named.unwrap_or(&own), "{}", header.escape_ascii());
    }
}

#[tokio::test]
async fn http_2_follows_it() {
    let served = believing("127.0.0.0/8").await;
    for header in [v2(0x21, 0x11, &BLOCK), V1.into()] {
        let mut sender = client::http2_over(raw::send(served.address, &header).await).await;
        for path in ["/hello/ada", "/hello/grace"] {
            let asked = client::request(Method::GET, path).version(Version::HTTP_2).body("".into()).unwrap();
            let answer = sender.send_request(client::for_http2(served.address, asked)).await.unwrap();
            assert_eq!(client::read(answer).await.status, StatusCode::OK);
        }
    }
    assert_eq!(clients(&served.observed.access_lines(4).await), ["203.0.113.9:56324"; 4]);
}

/// The program, which installs its log for events too, with the peers of these tests trusted.
async fn trusting(arguments: &[&str]) -> (Process, SocketAddr) {
    listening(redpane(arguments, &[("REDPANE_TRUSTED_PROXIES", "127.0.0.1")]), Reading::AsItComes).await
}

fn unreadable(process: &Process) -> Vec<Line> {
    process.lines().into_iter().filter(|line| line["message"] == UNREADABLE).collect()
}

#[tokio::test]
async fn a_malformed_one_closes_the_connection_and_a_line_says_why() {
    for (header, problem) in [
        (b"PROXY TCP4 203.0.113.9 10.0.0.1 56324\r\n".to_vec(), "a line of version 1 is"),
        ([b"PROXY UNKNOWN ", &[b'x'; 200][..]].concat(), "at most 107 bytes"),
        (v2(0x25, 0x11, &BLOCK), "this one has 0x25"),
        (v2(0x21, 0x77, &BLOCK), "this one has 0x77"),
    ] {
        let (process, address) = trusting(&[]).await;
        let (own, answer) = exchange(address, [&header, request("").as_bytes()].concat()).await;
        assert_eq!(answer, "", "{}", header.escape_ascii());
        let line = process.line(UNREADABLE).await;
        assert_eq!((line.str("level"), line.str("peer"), &line["connections"]), ("WARN", &own[..], &1.into()));
        assert!(line.str("problem").contains(problem), "{}", line.text);
        let shown = header[..header.len().min(107)].escape_ascii().to_string();
        assert!(line.str("header").starts_with(&shown), "{}", line.text);
        let answer = client::get(address, "/hello/ada").await;
        assert_eq!(answer.status, StatusCode::OK, "others are served");
        answer.belongs_to(&process.line("request").await);
    }
}

#[tokio::test]
async fn a_second_one_is_no_http() {
    let served = believing("127.0.0.1/32").await;
    let (_, answer) = exchange(served.address, format!("{V1}{V1}{}", request(""))).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    served.observed.finished(0).await;
}

#[tokio::test]
async fn lines_about_malformed_ones_are_one_a_second() {
    let (process, address) = trusting(&[]).await;
    let begin = Instant::now();
    let mut sent = 0;
    while unreadable(&process).len() < 2 {
        assert_eq!(exchange(address, "PROXY nonsense\r\n").await.1, "");
        sent += 1;
        assert!(begin.elapsed() < Duration::from_secs(30), "{sent} connections and no second line");
    }
    assert!(begin.elapsed() >= Duration::from_secs(1), "two lines after {sent} connections");
    let told: u64 = unreadable(&process).iter().map(|line| line["connections"].as_u64().unwrap()).sum();
    assert!((2..=sent).contains(&told), "{told} of {sent}");
}

#[tokio::test]
async fn one_that_stops_in_the_middle_is_cut_off() {
    let half = v2(0x21, 0x11, &BLOCK)[..20].to_vec();
    for (bytes, is_half) in
        [(half, true), (V1.as_bytes()[..12].to_vec(), true), (b"PRO".to_vec(), false), (vec![], false)]
    {
        let (process, address) = trusting(&["--header-timeout=200ms"]).await;
        assert_eq!(exchange(address, &bytes).await.1, "", "{}", bytes.escape_ascii());
        if is_half {
            assert_eq!(process.line(UNREADABLE).await.str("problem"), "it is not whole within the header timeout");
        }
        let (process, address) = trusting(&["--header-timeout=1h"]).await;
        let mut stream = raw::send(address, &bytes).await;
        stream.shutdown().await.unwrap();
        assert_eq!(raw::read_to_end(&mut stream).await, "", "{}", bytes.escape_ascii());
        if is_half {
            let line = process.line(UNREADABLE).await;
            assert_eq!(line.str("problem"), "it ends with the connection, before it is whole");
        }
        let metrics = client::get(address, "/metrics").await;
        assert_eq!(Samples::parse(metrics.text()).sum("http_requests_total", &[]), 0.0, "no request");
        assert_eq!(unreadable(&process).len(), usize::from(is_half), "{}", bytes.escape_ascii());
    }
}

#[tokio::test]
async fn half_of_one_does_not_hold_up_the_end() {
    let (mut process, address) = trusting(&["--header-timeout=1h", "--shutdown-grace=1h"]).await;
    let half = raw::send(address, &V1.as_bytes()[..20]).await;
    // Accepted in the order of their arrival: the half one is there when the next has its answer.
    assert_eq!(client::get(address, "/hello/ada").await.status, StatusCode::OK);
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0);
    drop(half);
}

//! Proxies in front: whom the access line names as the client, with and without trust.

mod forwarded;
mod header;

use std::net::SocketAddr;

use test_support::Line;
use test_support::process::{Reading, listening};
use test_support::raw;
use tokio::net::TcpStream;

use super::redpane;
use crate::served::Served;

const V1: &str = "PROXY TCP4 203.0.113.9 10.0.0.1 56324 443\r\n";
/// The beginning of version 2.
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const UNREADABLE: &str = "connection closed: the PROXY protocol header of a trusted proxy cannot be read";

/// A header of version 2.
fn v2(version_and_command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let length = u16::try_from(block.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[version_and_command, family], &length, block].concat()
}

/// 203.0.113.9:56324 as version 2 has it.
const BLOCK: [u8; 12] = [203, 0, 113, 9, 10, 0, 0, 1, 0xdc, 0x04, 0x01, 0xbb];

/// A service that believes these proxies.
async fn believing(networks: &str) -> Served {
    let networks = networks.split(',').map(|network| network.parse().unwrap()).collect();
    Served::with(|config| config.trusted_proxies = networks).await
}

/// A request with more header lines, after which the connection closes.
fn request(headers: &str) -> String {
    format!("GET /hello/ada HTTP/1.1\r\nhost: a\r\nconnection: close\r\n{headers}\r\n")
}

/// Sends bytes on one connection; gives its own address and the answer.
async fn exchange(address: SocketAddr, bytes: impl AsRef<[u8]>) -> (String, String) {
    let mut stream = raw::send(address, bytes).await;
    (own_address(&stream), raw::read_to_end(&mut stream).await)
}

fn own_address(stream: &TcpStream) -> String {
    stream.local_addr().unwrap().to_string()
}

fn clients(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.str("client")).collect()
}

#[tokio::test]
async fn nobody_is_believed_unless_the_settings_say_so() {
    let (process, address) = listening(redpane(&[], &[]), Reading::AsItComes).await;
    let headers = "forwarded: for=203.0.113.9\r\nx-forwarded-for: 203.0.113.9\r\n";
    let (own, answer) = exchange(address, request(headers)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(process.line("request").await.str("client"), own);
    for header in [V1.as_bytes().to_vec(), v2(0x21, 0x11, &BLOCK)] {
        let (_, answer) = exchange(address, [&header, request("").as_bytes()].concat()).await;
        assert!(answer.starts_with("HTTP/1.1 400") || answer.is_empty(), "it is no HTTP: {answer}");
    }
    assert_eq!(process.lines().iter().filter(|line| line.is_access()).count(), 1, "and no request");
}

#[tokio::test]
async fn the_setting_reaches_both_listeners_and_the_log_says_it() {
    let variables = [("REDPANE_METRICS_LISTEN", "127.0.0.1:0"), ("REDPANE_FAULTS", "true")];
    let flag = "--trusted-proxies=127.0.0.0/8, 10.1.2.3";
    let (process, address) = listening(redpane(&[flag], &variables), Reading::AsItComes).await;
    let listening = process.line("listening").await;
    assert_eq!(listening.str("trusted_proxies"), "127.0.0.0/8,10.1.2.3/32");
    let metrics = listening.str("metrics_listen").parse().unwrap();
    for (address, path) in [(address, "/faults/status/404"), (metrics, "/nope")] {
        let asked = request("").replace("/hello/ada", path);
        let (_, answer) = exchange(address, format!("{V1}{asked}")).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    }
    let lines = test_support::eventually("both requests have their lines", async || {
        let lines: Vec<_> = process.lines().into_iter().filter(Line::is_access).collect();
        (lines.len() == 2).then_some(lines)
    });
    assert_eq!(clients(&lines.await), ["203.0.113.9:56324"; 2]);
}

#[tokio::test]
async fn a_proxy_is_known_by_its_address_alone() {
    let headers = "x-forwarded-for: 203.0.113.9\r\n";
    for (networks, is_trusted) in [
        ("127.0.0.1/32", true),
        ("127.0.0.0/8", true),
        ("::/0,127.0.0.1/32", true),
        ("0.0.0.0/0", true),
        ("127.0.0.2/32", false),
        ("10.0.0.0/8,::/0", false),
    ] {
        let served = believing(networks).await;
        let (own, _) = exchange(served.address, request(headers)).await;
        let expected = if is_trusted { "203.0.113.9" } else { &own };
        assert_eq!(served.observed.only_request().await.str("client"), expected, "{networks}");
    }
}

/// A balancer of connections: what its clients write into their headers reaches the service as they wrote it.
#[tokio::test]
async fn a_proxy_may_be_believed_with_the_proxy_protocol_alone() {
    let local = "127.0.0.0/8".parse().unwrap();
    let served = Served::with(|config| config.proxy_protocol_from = vec![local]).await;
    let headers = request("forwarded: for=8.8.8.8\r\nx-forwarded-for: 8.8.8.8\r\n");
    // Its client is on the proxy's own network, as everybody is who comes through Docker's.
    let beside = "PROXY TCP4 127.0.0.9 127.0.0.1 56324 443\r\n";
    let mut expected = Vec::new();
    for (begin, client) in [("", None), (V1, Some("203.0.113.9:56324")), (beside, Some("127.0.0.9:56324"))] {
        let (own, answer) = exchange(served.address, format!("{begin}{headers}")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        expected.push(client.map_or(own, str::to_owned));
    }
    assert_eq!(clients(&served.observed.access_lines(3).await), expected);
}

#[tokio::test]
async fn ipv6_and_ipv4_mapped_peers() {
    for (listen, connect, networks, is_trusted) in [
        ("[::1]:0", "::1", "::1/128", true),
        ("[::1]:0", "::1", "127.0.0.0/8", false),
        ("[::]:0", "127.0.0.1", "127.0.0.0/8", true),
        ("[::]:0", "127.0.0.1", "10.0.0.0/8", false),
    ] {
        if std::net::TcpListener::bind(listen).is_err() {
            eprintln!("this machine has no IPv6: {listen} is left out");
            continue;
        }
        let served = Served::with(|config| {
            config.listen = listen.parse().unwrap();
            config.trusted_proxies = vec![networks.parse().unwrap()];
        });
        let served = served.await;
        let address = SocketAddr::new(connect.parse().unwrap(), served.address.port());
        let begin = if is_trusted { V1 } else { "" };
        let (_, answer) = exchange(address, format!("{begin}{}", request("x-forwarded-for: 203.0.113.7\r\n"))).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{listen} {networks}: {answer}");
        let line = served.observed.only_request().await;
        let is_believed = line.str("client") == "203.0.113.9:56324";
        assert_eq!(is_believed, is_trusted, "{listen} {networks}: {}", line.text);
    }
}

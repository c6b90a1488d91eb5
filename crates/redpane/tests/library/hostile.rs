//! Input that means harm, or does it by accident: one valid, bounded line each, and nobody else is disturbed.

mod events;

use std::net::SocketAddr;

use axum::Router;
use axum::routing::{any, get};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use test_support::{Line, Observed, raw};
use tokio::net::TcpListener;

/// Sends these bytes to a router that answers everything; gives the answer and the one access line.
async fn exchange(bytes: impl AsRef<[u8]>) -> (String, Line) {
    let observed = Observed::new();
    let address = observed.serve(Router::new().route("/{*path}", any(|| async { "fine" }))).await;
    let answer = raw::exchange(address, bytes).await;
    (answer, observed.only_request().await)
}

fn asked(path: &[u8], headers: &[u8]) -> Vec<u8> {
    [b"GET ", path, b" HTTP/1.1\r\nhost: a\r\nconnection: close\r\n", headers, b"\r\n"].concat()
}

#[tokio::test]
async fn quotes_and_escapes_in_the_path() {
    for path in
        ["/a\"b\\c", "/%0a%0d%00%22", "/{x}", "/'script'&amp;", "/a%", "/%ff%fe", "//a//b/", "/../../etc/passwd"]
    {
        let (answer, line) = exchange(asked(path.as_bytes(), b"")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
        assert_eq!(line["path"], path, "as it came, not decoded");
    }
}

#[tokio::test]
async fn a_path_in_utf_8() {
    let (answer, line) = exchange(asked("/café/日本/🦀".as_bytes(), b"")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(line["path"], "/café/日本/🦀");
}

#[tokio::test]
async fn a_very_long_path() {
    let path = format!("/{}\"", "é".repeat(15_000));
    let (answer, line) = exchange(asked(path.as_bytes(), b"")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let kept = line.str("path").strip_suffix("…[cut]").expect("the cut is visible");
    assert!(path.starts_with(kept) && kept.len() > 2000, "{} bytes are kept", kept.len());
}

#[tokio::test]
async fn a_user_agent_of_any_bytes() {
    let cases: [(&[u8], &str); 4] = [
        (b"\"quotes\" \\ and\ttabs", "\"quotes\" \\ and\ttabs"),
        ("café 🦀".as_bytes(), "café 🦀"),
        (b"invalid \xff\xfe utf-8", "invalid \u{fffd}\u{fffd} utf-8"),
        (b"${jndi:ldap://x} {} %s %n \x80", "${jndi:ldap://x} {} %s %n \u{fffd}"),
    ];
    for (sent, logged) in cases {
        let (answer, line) = exchange(asked(b"/x", &[b"user-agent: ", sent, b"\r\n"].concat())).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert_eq!(line["user_agent"], logged);
    }
}

#[tokio::test]
async fn a_path_and_a_user_agent_that_hide_or_reorder_text() {
    let hidden = events::HIDDEN;
    let headers = format!("user-agent: {hidden}\r\n");
    let (answer, line) = exchange(asked(format!("/{hidden}").as_bytes(), headers.as_bytes())).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!((line.str("path"), line.str("user_agent")), (&format!("/{hidden}")[..], hidden));
    assert!(!line.text.contains(|c| hidden.contains(c)), "{:?}", line.text);
}

/// A header that breaks into another line must become another header or an error, never another log line.
#[tokio::test]
async fn a_forged_log_line_stays_in_its_field() {
    let forged = "x\",\"level\":\"ERROR\",\"app\":\"forged\"}";
    let (_, line) = exchange(asked(b"/x", format!("user-agent: {forged}\r\n").as_bytes())).await;
    assert_eq!(line["user_agent"], forged);
    assert_eq!((line.str("level"), line.str("app")), ("INFO", "test"));
}

/// A server whose buffers take far more than usual.
async fn serve_large(router: Router) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let mut server = auto::Builder::new(TokioExecutor::new());
                server.http1().max_buf_size(16 * 1024 * 1024);
                server.serve_connection(TokioIo::new(stream), service).await
            });
        }
    });
    address
}

#[tokio::test]
async fn headers_of_a_megabyte() {
    let megabyte = "\u{1F980}\"".repeat(200_000);
    for header in ["user-agent", "x-request-id", "traceparent", "tracestate", "x-anything"] {
        let observed = Observed::new();
        let router = Router::new().route("/x", get(|| async { "fine" }));
        let address = serve_large(observed.telemetry.clone().instrument(router)).await;
        let answer = raw::exchange(address, asked(b"/x", format!("{header}: {megabyte}\r\n").as_bytes())).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{header}: {answer}");
        let line = observed.only_request().await;
        assert!(line.text.len() < 4096, "{header}: {} bytes", line.text.len());
        assert!(answer.contains(line.str("trace_id")) && answer.contains(line.str("request_id")));
        if header == "user-agent" {
            assert!(line.str("user_agent").ends_with("…[cut]"));
        }
    }
}

#[tokio::test]
async fn a_route_template_with_quotes_and_backslashes() {
    let observed = Observed::new();
    let address = observed.serve(Router::new().route("/say/\"hi\\\"/{x}", get(|| async { "hi" }))).await;
    raw::exchange(address, asked(b"/say/\"hi\\\"/1", b"")).await;
    assert_eq!(observed.only_request().await["route"], "/say/\"hi\\\"/{x}");
}

/// Paths, methods and hosts that are made up do not grow the metrics.
#[tokio::test]
async fn made_up_requests_are_few_series() {
    let observed = Observed::new();
    let address = observed.serve(Router::new().route("/x/{id}", get(|| async { "fine" }))).await;
    for number in 0..50 {
        let head = format!(" HTTP/1.1\r\nhost: host{number}\r\nconnection: close\r\n\r\n");
        raw::exchange(address, format!("GET /x/{number}{head}")).await;
        raw::exchange(address, format!("GET /made-up/{number}{head}")).await;
        raw::exchange(address, format!("METHOD{number} /x/1{head}")).await;
    }
    observed.access_lines(150).await;
    let counted = ["GET /x/{id} 200", "GET unmatched 404", "_OTHER /x/{id} 405"];
    assert_eq!(observed.samples().requests(), counted.map(|labels| (labels.into(), 50.0)));
}

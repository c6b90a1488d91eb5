//! `redpane healthcheck`: asks a running service whether it lives. For images that have neither a shell nor curl.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::web;

/// Time for a whole check: connect, ask, and get an answer.
pub const TIMEOUT: Duration = Duration::from_secs(3);
/// The longest problem that is read, in bytes.
const MAX_PROBLEM: usize = 4096;

/// The URL of the service that listens on `address`, as seen from the same machine: an unspecified address is
/// reached over loopback.
#[must_use]
pub fn default_url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    format!("http://{}/healthz", SocketAddr::new(ip, address.port()))
}

/// Why a check did not find a healthy service.
#[derive(Debug)]
pub struct Unhealthy {
    url: String,
    reason: String,
}

impl fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not healthy: {}", self.url, self.reason)
    }
}

impl std::error::Error for Unhealthy {}

/// Sends `GET url`. Any 2xx is healthy.
///
/// # Errors
/// [`Unhealthy`] when the URL cannot be used, nobody answers within [`TIMEOUT`], or the answer is no 2xx.
pub async fn check(url: &str) -> Result<(), Unhealthy> {
    let result = match tokio::time::timeout(TIMEOUT, ask(url)).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {} s", TIMEOUT.as_secs())),
    };
    result.map_err(|reason| Unhealthy { url: url.to_owned(), reason })
}

async fn ask(url: &str) -> Result<(), String> {
    let (authority, uri) = target(url)?;
    let stream = TcpStream::connect(&authority).await.map_err(|error| format!("cannot connect: {error}"))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| format!("cannot start HTTP: {error}"))?;
    let connection = tokio::spawn(connection);
    let request = Request::get(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header(header::HOST, authority)
        .header(header::USER_AGENT, concat!("redpane-healthcheck/", env!("CARGO_PKG_VERSION")))
        .body(Body::empty())
        .map_err(|error| format!("cannot make a request of it: {error}"))?;
    let verdict = match sender.send_request(request).await {
        Ok(answer) => verdict(answer).await,
        Err(error) => Err(format!("no valid answer: {error}")),
    };
    connection.abort();
    verdict
}

/// A problem (RFC 9457) says in its `detail` what is wrong; Docker shows it beside the state of the container.
async fn verdict(answer: Response<Incoming>) -> Result<(), String> {
    let status = answer.status();
    if status.is_success() {
        return Ok(());
    }
    let body = Limited::new(answer.into_body(), MAX_PROBLEM).collect().await.ok();
    let problem: Option<Value> = body.and_then(|body| serde_json::from_slice(&body.to_bytes()).ok());
    match problem.as_ref().and_then(|problem| problem["detail"].as_str()) {
        Some(detail) => Err(format!("it answered {status}: {}", detail.escape_debug())),
        None => Err(format!("it answered {status}")),
    }
}

/// Where to connect (`host:port`) and what to ask for.
fn target(url: &str) -> Result<(String, Uri), String> {
    const EXPECTED: &str = "the URL must be like http://127.0.0.1:8000/healthz";
    let uri: Uri = url.parse().map_err(|error| format!("{EXPECTED} ({error})"))?;
    if web::has_bad_port(&uri) {
        return Err(format!("{EXPECTED} (the port must be a number from 1 to 65535)"));
    }
    match (uri.scheme_str(), uri.host()) {
        (Some("http"), Some(host)) if !host.is_empty() => Ok((format!("{host}:{}", uri.port_u16().unwrap_or(80)), uri)),
        (Some(scheme), Some(_)) => Err(format!("{EXPECTED} (scheme {scheme} is not supported)")),
        _ => Err(EXPECTED.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unspecified_address_is_asked_over_loopback() {
        let url = |address: &str| default_url(address.parse().expect("an address"));
        assert_eq!(url("0.0.0.0:8000"), "http://127.0.0.1:8000/healthz");
        assert_eq!(url("[::]:8000"), "http://[::1]:8000/healthz");
        assert_eq!(url("10.1.2.3:80"), "http://10.1.2.3:80/healthz");
        assert_eq!(url("[fe80::1]:81"), "http://[fe80::1]:81/healthz");
    }

    #[test]
    fn a_url_gives_host_and_port() {
        let authority = |url: &str| target(url).map(|(authority, _)| authority);
        assert_eq!(authority("http://api:9000/x?y=1").as_deref(), Ok("api:9000"));
        assert_eq!(authority("http://[::1]/").as_deref(), Ok("[::1]:80"));
        for wrong in ["https://api/", "api:8000", "/healthz", "http://", "", "http://a b/"] {
            let error = authority(wrong).expect_err(wrong);
            assert!(error.contains("http://127.0.0.1:8000/healthz"), "{wrong}: {error}");
        }
    }

    #[tokio::test]
    async fn a_problem_says_what_is_wrong() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = default_url(listener.local_addr().expect("an address"));
        let refuse = || async { (http::StatusCode::SERVICE_UNAVAILABLE, r#"{"detail":"set SOCKET"}"#) };
        let app = axum::Router::new().route("/healthz", axum::routing::get(refuse));
        tokio::spawn(axum::serve(listener, app).into_future());
        let error = check(&url).await.expect_err("503 is not healthy").to_string();
        assert!(error.ends_with("it answered 503 Service Unavailable: set SOCKET"), "{error}");
    }

    #[tokio::test]
    async fn nobody_listening_is_unhealthy_and_named() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
        let error = check(&default_url(free)).await.expect_err("the port was closed again").to_string();
        assert!(error.starts_with(&format!("http://{free}/healthz is not healthy: cannot connect")), "{error}");
    }
}

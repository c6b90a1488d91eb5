//! From where somebody asks: `Host` (DNS rebinding), `Origin` and `Sec-Fetch-Site` (requests that another site makes a browser send).

use std::net::IpAddr;

use axum::extract::Request;
use http::uri::Authority;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};

use super::problem::{Problem, shown};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Refuses what a site other than this one may have made a browser send. Where `loopback_only`, the name that is asked for must be
/// one of this machine: no other can be made to lead here.
pub(super) fn check(loopback_only: bool, request: &Request) -> Result<(), Problem> {
    let refuse = |detail: String| Err(Problem::new(StatusCode::FORBIDDEN, detail));
    let text = |name: &HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = host(request);
    if loopback_only && !host.as_ref().is_some_and(is_loopback) {
        let given = host.as_ref().map_or_else(|| "missing".into(), |host| shown(host.as_str()));
        return refuse(format!("the Host is {given}: without a token it must be localhost or a loopback address"));
    }
    if let Some(origin) = text(&header::ORIGIN) {
        let authority = origin.split_once("://").and_then(|(_, authority)| authority.parse::<Authority>().ok());
        if authority.is_none() || authority != host {
            return refuse(format!("the Origin is {}, which is not this host", shown(origin)));
        }
    }
    let is_navigation = request.method() == Method::GET
        && request.uri().path() == "/"
        && text(&SEC_FETCH_MODE).is_none_or(|mode| mode == "navigate");
    match text(&SEC_FETCH_SITE) {
        Some("cross-site" | "same-site") if !is_navigation => {
            refuse("another site made the browser ask for this".into())
        }
        _ => Ok(()),
    }
}

/// The host that is asked for, with its port.
fn host(request: &Request) -> Option<Authority> {
    let from_header = |headers: &HeaderMap| headers.get(header::HOST)?.to_str().ok()?.parse().ok();
    request.uri().authority().cloned().or_else(|| from_header(request.headers()))
}

/// Names of this machine that no other machine can answer to, with a port or without, and nothing else.
fn is_loopback(host: &Authority) -> bool {
    let port = host.as_str().strip_prefix(host.host());
    let is_port =
        |port: &str| port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    if !port.is_some_and(is_port) {
        return false;
    }
    let name = host.host().trim_end_matches('.').to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name.ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

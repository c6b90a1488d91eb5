//! Refuses requests: those that HTTP/1.1 forbids and hyper accepts, and those for which there is no memory. A proxy in front
//! may read a forbidden request differently, which is how requests are smuggled past it.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::Ipv6Addr;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use http_body::Body;
use redpane::problem::Problem;
use tower::{Layer, Service};

use super::head::Head;
use crate::web::Busy;

/// Why a request is not for the application. In its extensions, where it goes the way of the refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// HTTP/1.1 forbids it; this says what.
    Forbidden(&'static str),
    /// There is no memory for it.
    Busy,
}

impl Refused {
    /// Whether, and why, a request with this head is refused; `has_room`: there is memory for it.
    pub(super) fn of<B: Body>(request: &http::Request<B>, head: &Head<'_>, has_room: bool) -> Option<Self> {
        // A request without a body has no transfer coding: hyper gives a body to each that has one.
        let may_be_coded = !request.body().is_end_stream();
        let forbidden = refusal(request.version(), request.headers(), head, may_be_coded);
        forbidden.map(Self::Forbidden).or((!has_room).then_some(Self::Busy))
    }

    fn answer(self) -> Response {
        match self {
            Self::Forbidden(detail) => {
                let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
                (close, Problem::new(StatusCode::BAD_REQUEST).detail(detail)).into_response()
            }
            Self::Busy => Busy.problem().into_response(),
        }
    }
}

/// Answers in place of a route: 400, which closes the connection, or 503. A layer inside of the instrumentation: a refused
/// request is counted and logged under its route.
#[derive(Clone)]
pub(super) struct Refuse;

impl<S> Layer<S> for Refuse {
    type Service = Self;

    fn layer(&self, _: S) -> Self {
        Self
    }
}

impl Service<Request> for Refuse {
    type Response = Response;
    type Error = Infallible;
    type Future = Ready<Result<Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let refused = request.extensions().get().copied().unwrap_or(Refused::Busy);
        ready(Ok(refused.answer()))
    }
}

/// Why a request is refused, if it is. HTTP/2 has its own framing, and hyper checks its authority.
fn refusal(version: Version, headers: &HeaderMap, head: &Head<'_>, may_be_coded: bool) -> Option<&'static str> {
    if version > Version::HTTP_11 {
        return None;
    }
    // RFC 9112, section 3.2: exactly one host, and none only before HTTP/1.1.
    match head.host {
        None if version == Version::HTTP_11 => Some("HTTP/1.1 needs a Host header; this request has none"),
        _ if head.hosts > 1 => Some("this request has more than one Host header; one is right"),
        Some(host) if !is_host(host) => Some("the Host header must be a host name or address, and may have a port"),
        _ if may_be_coded => unknown_coding(headers),
        _ => None,
    }
}

/// Transfer codings other than one `chunked`; hyper has made sure that the last one is `chunked`. RFC 9112, section 6.1,
/// recommends 501. 400 instead: alerts fire on 5xx, and this is a client's fault.
fn unknown_coding(headers: &HeaderMap) -> Option<&'static str> {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    let is_chunked = |coding: &HeaderValue| coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    let is_known = match codings.next() {
        None => true,
        Some(first) => is_chunked(first) && codings.next().is_none(),
    };
    (!is_known).then_some("the only transfer coding that is understood is chunked, once")
}

/// An empty host is valid where the target has no authority (RFC 9110, section 7.2).
fn is_host(value: &HeaderValue) -> bool {
    let value = value.as_bytes();
    is_plain_host(value) || !value.contains(&b'@') && Authority::try_from(value).is_ok_and(|it| is_strict(&it))
}

/// What the parser lets pass: a port has digits only, and what is in brackets is an address (RFC 3986, sections 3.2.2 and 3.2.3).
fn is_strict(authority: &Authority) -> bool {
    let (host, port) = authority.as_str().split_at(authority.host().len());
    let literal = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let is_address = |literal: &str| literal.parse::<Ipv6Addr>().is_ok() || literal.starts_with(['v', 'V']);
    port.bytes().skip(1).all(|byte| byte.is_ascii_digit()) && literal.is_none_or(is_address)
}

/// Bytes of which names and addresses of IPv4 consist.
static IN_NAMES: [bool; 256] = {
    let mut bytes = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        bytes[byte] = (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'-' | b'.');
        byte += 1;
    }
    bytes
};

/// Nearly every host is, and the parser of all the others copies it first.
fn is_plain_host(value: &[u8]) -> bool {
    let port = value.iter().rposition(|byte| *byte == b':').unwrap_or(value.len());
    let (name, port) = value.split_at(port);
    name.iter().all(|byte| IN_NAMES[usize::from(*byte)])
        && (!name.is_empty() || port.is_empty())
        && port.len() <= 6
        && port.iter().skip(1).all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(version: Version, headers: &[(header::HeaderName, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        refusal(version, &headers, &Head::of(&headers), true).is_some()
    }

    #[test]
    fn exactly_one_valid_host() {
        use header::HOST;
        for right in ["", "a", "a:80", "a:", "example.com", "127.0.0.1:8000", "[::1]:8000", "[::1]", "[v1.a]", "a_b:80"]
        {
            assert!(!refused(Version::HTTP_11, &[(HOST, right)]), "{right}");
        }
        for wrong in
            ["a b", "a/b", "user@a", "a:b:c", "[::1", "a, b", "a:8b", "a:99999b", "a:-1", "a_b:8b", "[zz]", "[::1]:x"]
        {
            assert!(refused(Version::HTTP_11, &[(HOST, wrong)]), "{wrong}");
        }
        for host in ["a", "a:80", "127.0.0.1:8000", "a:99999", "a:", ":80", "a:b", "[::1]:80", "a_b", "a:80:90"] {
            let parsed = Authority::try_from(host).is_ok();
            assert!(!is_plain_host(host.as_bytes()) || parsed, "{host} is no host for the parser");
        }
        assert!(refused(Version::HTTP_11, &[]));
        assert!(refused(Version::HTTP_11, &[(HOST, "a"), (HOST, "a")]));
        assert!(refused(Version::HTTP_10, &[(HOST, "a"), (HOST, "b")]));
        assert!(!refused(Version::HTTP_10, &[]));
        assert!(!refused(Version::HTTP_2, &[]));
    }

    #[test]
    fn chunked_once_and_nothing_else() {
        let host = (header::HOST, "a");
        let coded = |values: &[&'static str]| {
            let codings = values.iter().map(|value| (header::TRANSFER_ENCODING, *value));
            refused(Version::HTTP_11, &std::iter::once(host.clone()).chain(codings).collect::<Vec<_>>())
        };
        assert_eq!([coded(&[]), coded(&["chunked"]), coded(&["Chunked "])], [false; 3]);
        for wrong in [&["gzip, chunked"][..], &["chunked, chunked"], &["identity", "chunked"], &["chunked", "chunked"]]
        {
            assert!(coded(wrong), "{wrong:?}");
        }
    }
}

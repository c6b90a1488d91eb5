//! Who may ask: `Host` and `Origin` (DNS rebinding, requests that another site makes a browser send), and the token.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

use super::page;
use super::problem::{Problem, shown};
use super::state::Pane;
use super::token::Token;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// The most bytes of a form with a token.
const FORM: usize = 8 * 1024;
/// A line about a refused token comes at most this often.
const WARN_EVERY: Duration = Duration::from_secs(1);

/// What is asked of whoever comes.
pub(crate) enum Access {
    /// Nothing: the application has its own login.
    Application,
    /// To be on this machine, under one of its own names.
    Loopback,
    /// To know the token.
    Token(Token),
}

/// See the module.
pub(super) struct Guard {
    pub(super) pane: Arc<Pane>,
    access: Access,
    warned: Mutex<Option<Instant>>,
}

impl Guard {
    pub(super) fn new(pane: &Arc<Pane>, access: Access) -> Self {
        Self { pane: Arc::clone(pane), access, warned: Mutex::new(None) }
    }

    fn warn(&self, detail: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|last| last.elapsed() >= WARN_EVERY)
            && let Some(host) = self.pane.host()
        {
            *warned = Some(Instant::now());
            host.warn("a request of the pane was refused", detail);
        }
    }

    /// Lets a request through, or answers it.
    pub(super) async fn check(&self, request: Request) -> Result<Request, Response> {
        if let Err(problem) = check_site(&self.access, &request) {
            return Err(problem.into_response());
        }
        match &self.access {
            Access::Token(token)
                if !token.is_in(request.headers()) && !request.uri().path().starts_with("/assets/") =>
            {
                Err(self.ask_for(token, request).await)
            }
            _ => Ok(request),
        }
    }

    /// The answer to a request without the token: it may bring it.
    async fn ask_for(&self, token: &Token, request: Request) -> Response {
        let (is_page, is_read) = (request.uri().path() == "/", matches!(*request.method(), Method::GET | Method::HEAD));
        if request.uri().path() == "/login" && request.method() == Method::POST {
            let (parts, body) = request.into_parts();
            let form = to_bytes(body, FORM).await.unwrap_or_default();
            if token.is_given_by(&form) {
                return opened(token);
            }
            self.warn("the form had a wrong token");
            return page::login(&parts.headers);
        }
        if is_page
            && is_read
            && let Some(query) = request.uri().query()
        {
            if token.is_given_by(query.as_bytes()) {
                return opened(token);
            }
            if query.split('&').any(|pair| pair.starts_with("token=")) {
                self.warn("the address had a wrong token");
            }
        }
        if request.headers().contains_key(header::AUTHORIZATION) {
            self.warn("the header Authorization had a wrong token");
        }
        if is_page && is_read {
            return page::login(request.headers());
        }
        let detail = "a token is needed: Authorization: Bearer and what REDPANE_PANE_TOKEN says, or open the page and type it in";
        Problem::new(StatusCode::UNAUTHORIZED, detail).header(header::WWW_AUTHENTICATE, "Bearer").into_response()
    }
}

/// The answer to the right token: it becomes a cookie, and leaves the address.
fn opened(token: &Token) -> Response {
    let cookie = HeaderValue::try_from(token.set_cookie()).unwrap_or(HeaderValue::from_static(""));
    let headers = [
        (header::LOCATION, HeaderValue::from_static("./")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::SET_COOKIE, cookie),
    ];
    (StatusCode::SEE_OTHER, headers, Body::empty()).into_response()
}

fn check_site(access: &Access, request: &Request) -> Result<(), Problem> {
    let refuse = |detail: String| Err(Problem::new(StatusCode::FORBIDDEN, detail));
    let text = |name: &HeaderName| request.headers().get(name).map(|value| value.to_str().unwrap_or("?"));
    let host = host(request);
    if matches!(access, Access::Loopback) && !host.as_ref().is_some_and(is_loopback) {
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

/// Names of this machine that no other machine can answer to.
fn is_loopback(host: &Authority) -> bool {
    let name = host.host().trim_end_matches('.').to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost"
        || name.ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Headers of every answer.
pub(super) fn harden(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
                          connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

//! Who may ask: what the address and the [`site`] say, and who knows the token.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};

use super::problem::{Problem, shown};
use super::state::Pane;
use super::token::Token;
use super::{page, site};

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

/// When a refused token was last a line, and how many were refused since.
#[derive(Default)]
struct Warned {
    last: Option<Instant>,
    since: u64,
}

/// See the module.
pub(super) struct Guard {
    pub(super) pane: Arc<Pane>,
    access: Access,
    warned: Mutex<Warned>,
}

impl Guard {
    pub(super) fn new(pane: &Arc<Pane>, access: Access) -> Self {
        Self { pane: Arc::clone(pane), access, warned: Mutex::default() }
    }

    fn warn(&self, detail: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.last.is_some_and(|last| last.elapsed() < WARN_EVERY) {
            warned.since += 1;
        } else if let Some(host) = self.pane.host() {
            let detail = match warned.since {
                0 => detail.to_owned(),
                since => format!("{detail}; {since} more were refused since the line before"),
            };
            *warned = Warned { last: Some(Instant::now()), since: 0 };
            host.warn("a request of the pane was refused", &detail);
        }
    }

    /// Whether a browser can log in here.
    pub(super) fn has_login(&self) -> bool {
        matches!(self.access, Access::Token(_))
    }

    /// Lets a request through, or answers it.
    pub(super) async fn check(&self, request: Request) -> Result<Request, Response> {
        if let Err(problem) = site::check(matches!(self.access, Access::Loopback), &request) {
            return Err(problem.into_response());
        }
        let Access::Token(token) = &self.access else { return Ok(request) };
        let (path, query) = (request.uri().path(), request.uri().query());
        if path == "/login" {
            return Err(self.log_in(token, request).await);
        }
        if !token.is_in(request.headers()) && !path.starts_with("/assets/") {
            return Err(self.ask_for(token, &request));
        }
        // Somebody who is let in already: the token leaves the address all the same.
        if path == "/" && query.is_some_and(|query| query.split('&').any(is_token)) {
            return Err(see(&view(query), None));
        }
        Ok(request)
    }

    /// The answer to the form. Its address has the view that was asked for.
    async fn log_in(&self, token: &Token, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let view = view(parts.uri.query());
        match parts.method {
            Method::POST => {
                let form = to_bytes(body, FORM).await.unwrap_or_default();
                if token.is_given_by(&form) {
                    return see(&view, Some(token));
                }
                self.warn("the form had a wrong token");
                page::login(&parts.headers, &view, true)
            }
            // A reload of the form, or somebody who went back to it.
            Method::GET | Method::HEAD => see(&view, None),
            method => {
                let detail = format!("{} is not possible here; the Allow header says what is", shown(method.as_str()));
                Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
                    .header(header::ALLOW, "GET, HEAD, POST")
                    .into_response()
            }
        }
    }

    /// The answer to a request without the token: its address may have it.
    fn ask_for(&self, token: &Token, request: &Request) -> Response {
        if request.headers().contains_key(header::AUTHORIZATION) {
            self.warn("the header Authorization had a wrong token");
        }
        if request.uri().path() == "/" && matches!(*request.method(), Method::GET | Method::HEAD) {
            let query = request.uri().query().unwrap_or_default();
            let view = view(Some(query));
            if token.is_given_by(query.as_bytes()) {
                return see(&view, Some(token));
            }
            let is_wrong = query.split('&').any(is_token);
            if is_wrong {
                self.warn("the address had a wrong token");
            }
            return page::login(request.headers(), &view, is_wrong);
        }
        let detail = "a token is needed: Authorization: Bearer and what REDPANE_PANE_TOKEN says, or open the page and type it in";
        Problem::new(StatusCode::UNAUTHORIZED, detail).header(header::WWW_AUTHENTICATE, "Bearer").into_response()
    }
}

/// Whether a part of a query is the token.
fn is_token(pair: &str) -> bool {
    pair.split('=').next() == Some("token")
}

/// What a query says beside the token, with a question mark in front: what is looked at.
fn view(query: Option<&str>) -> String {
    let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !is_token(pair));
    let view = pairs.collect::<Vec<_>>().join("&");
    if view.is_empty() { view } else { format!("?{view}") }
}

/// Leads to the page. The right token becomes a cookie, and leaves the address.
fn see(view: &str, token: Option<&Token>) -> Response {
    let text = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("./"));
    let fixed =
        [(header::LOCATION, text(format!("./{view}"))), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let cookie = token.map(|token| [(header::SET_COOKIE, text(token.set_cookie()))]);
    let mut answer = (StatusCode::SEE_OTHER, fixed, Body::empty()).into_response();
    answer.headers_mut().extend(cookie.into_iter().flatten());
    answer
}

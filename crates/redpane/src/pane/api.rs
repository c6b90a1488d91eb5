//! The addresses of a pane, and the way of a request: who asks, what is asked for, how the answer is sent.

use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderMap, Method, StatusCode, header};

use super::answer::Answer;
use super::guard::{Access, Guard};
use super::hardening::harden;
use super::problem::{Problem, shown};
use super::state::Pane;
use super::{compression, lines_query, live, log_filter, overview, page, routes, series, trace};

/// All addresses, to be a part of an application's router. What is at none of them goes to the fallback of that.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(pane: &Arc<Pane>) -> Router<S> {
    let guard = Arc::new(Guard::new(pane, Access::Application));
    let handler = any(move |OriginalUri(seen): OriginalUri, request: Request| async move {
        answer(&guard, seen.path(), request).await
    });
    let paths = ["/", "/assets/{hash}/{*name}", "/api/{*rest}"];
    paths.into_iter().fold(Router::new(), |router, path| router.route(path, handler.clone()))
}

/// Answers a request. `address` is its path as the client sees it: where the pane is nested, the request has the rest of it.
pub(super) async fn answer(guard: &Guard, address: &str, request: Request) -> Response {
    let (gzip, is_head) = (compression::accepts_gzip(request.headers()), request.method() == Method::HEAD);
    let answer = match guard.check(request).await {
        Ok(request) => answer_trusted(guard, address, request).await.unwrap_or_else(IntoResponse::into_response),
        Err(refused) => refused,
    };
    // The answer to HEAD has no body, whose size would say whether it is compressed.
    harden(compression::compress(answer, gzip && !is_head).await)
}

async fn answer_trusted(guard: &Guard, address: &str, request: Request) -> Answer {
    let pane = &guard.pane;
    let uri = request.uri().clone();
    let (path, query) = (uri.path(), uri.query());
    let allowed = methods(path)
        .ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", shown(address))))?;
    if !allowed.split(", ").any(|method| method == request.method().as_str()) {
        let method = shown(request.method().as_str());
        let detail = format!("{method} is not possible here; the Allow header says what is");
        return Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).header(header::ALLOW, allowed));
    }
    match (path, request.method()) {
        ("/", _) => Ok(page::index(request.headers(), address, guard.has_login())),
        ("/api/overview", _) => overview::answer(pane, query),
        ("/api/routes", _) => routes::answer(pane, query),
        ("/api/series", _) => series::answer(pane, query),
        ("/api/lines", _) => lines_query::answer(pane, query).await,
        ("/api/live", _) => live::answer(pane, query),
        ("/api/log-filter", &Method::PUT) => log_filter::set(pane, request).await,
        ("/api/log-filter", &Method::DELETE) => log_filter::restore(pane, query),
        ("/api/log-filter", _) => log_filter::get(pane, query),
        _ => match path.strip_prefix("/api/traces/") {
            Some(id) => trace::answer(pane, id, query).await,
            None => file(path, request.headers()),
        },
    }
}

fn file(path: &str, headers: &HeaderMap) -> Answer {
    let name = path.strip_prefix("/assets/").unwrap_or_default();
    let missing = || Problem::new(StatusCode::NOT_FOUND, format!("there is no file {} of this build", shown(name)));
    page::file(name, headers).ok_or_else(missing)
}

/// The methods of a path, as `Allow` says them; `None` where there is nothing.
fn methods(path: &str) -> Option<&'static str> {
    match path {
        "/api/log-filter" => Some("GET, HEAD, PUT, DELETE"),
        "/" | "/api/overview" | "/api/routes" | "/api/series" | "/api/lines" | "/api/live" => Some("GET, HEAD"),
        _ if path.starts_with("/assets/") || path.starts_with("/api/traces/") => Some("GET, HEAD"),
        _ => None,
    }
}

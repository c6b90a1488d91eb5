//! The layer around services that are no routers: any body, any error, any protocol.

mod bodies;
mod errors;
mod http2;
mod labels;
mod routers;
mod trust;
mod twice;

use std::convert::Infallible;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Empty, Full};
use test_support::Line;
use tower::{Service, ServiceExt};

/// An answer that was read to its end in process.
#[derive(Debug)]
struct Read<E> {
    status: StatusCode,
    headers: HeaderMap,
    /// What the body came to, or the error that it ended with.
    body: Result<Bytes, E>,
}

fn asked(method: Method, path: &str) -> Request<Empty<Bytes>> {
    Request::builder().method(method).uri(path).body(Empty::new()).unwrap()
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    asked(Method::GET, path)
}

/// Calls a service without a socket, and reads the answer to its end.
async fn call<S, B, R>(service: &mut S, request: Request<B>) -> Result<Read<R::Error>, S::Error>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    let response = service.ready().await?.call(request).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes);
    Ok(Read { status: head.status, headers: head.headers, body })
}

/// Answers every request.
async fn hello<B>(_: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(Response::new("hello".into()))
}

/// Asserts the essence of an access line: `INFO complete GET unmatched 200`.
#[track_caller]
fn assert_line(line: &Line, essence: &str) {
    let status = line["status"].to_string();
    let [level, outcome, method, route] = ["level", "outcome", "method", "route"].map(|key| line.str(key));
    assert_eq!([level, outcome, method, route, &status].join(" "), essence, "{}", line.text);
}

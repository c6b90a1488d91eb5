//! One request through a router in-process, for both benchmarks.

use std::convert::Infallible;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::body::{Body, HttpBody};
use axum::response::Response;
use axum::{Router, routing::get};
use http::Request;
use tower::Service;

pub(crate) fn router() -> Router {
    Router::new().route("/hello/{name}", get(|| async { "hello, world" }))
}

/// A request as curl sends it through one proxy.
pub(crate) fn request() -> Request<Body> {
    Request::get("/hello/ada")
        .header("host", "localhost:8000")
        .header("user-agent", "curl/8.5.0")
        .header("accept", "*/*")
        .header("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        .body(Body::empty())
        .expect("a valid request")
}

/// Runs what never waits. A runtime would be measured with it.
pub(crate) fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing here waits"),
    }
}

pub(crate) fn serve(app: &mut Router, request: Request<Body>) {
    let response: Result<Response, Infallible> = ready(app.call(request));
    let Ok(response) = response;
    let mut body = response.into_body();
    while !body.is_end_stream() {
        let frame = ready(std::future::poll_fn(|cx| pin!(&mut body).poll_frame(cx)));
        black_box(frame.expect("not at its end").expect("a body that cannot fail"));
    }
}

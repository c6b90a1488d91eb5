//! Requests through a router without sockets and without a runtime, for callgrind to count.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use tower::Service;

/// Some of what is done every so many requests.
const REQUESTS_PER_UPKEEP: u32 = 1_000;

/// Sends the request that often, reads each answer to its end, and calls `upkeep` every 1,000 requests.
///
/// # Errors
/// If the router waits for something, a body breaks, or the answer is no success.
// By its name callgrind knows when to count.
#[inline(never)]
pub fn drive(
    app: Router,
    requests: u32,
    request: impl Fn() -> Result<Request>,
    mut upkeep: impl FnMut(),
) -> Result<()> {
    // As `axum::serve` does: without it, handlers become services anew for each request.
    let mut app = app.with_state::<()>(());
    for number in 1..=requests {
        let response: Result<Response, Infallible> = ready(app.call(request()?))?;
        let Ok(response) = response;
        if !response.status().is_success() {
            bail!("the answer is {}", response.status());
        }
        let mut body = response.into_body();
        while !body.is_end_stream() {
            match ready(poll_fn(|cx| pin!(&mut body).poll_frame(cx)))? {
                Some(frame) => _ = black_box(frame?),
                // A body of no known length says so only when it is asked again.
                None => break,
            }
        }
        if number % REQUESTS_PER_UPKEEP == 0 {
            upkeep();
        }
    }
    Ok(())
}

/// A request as wrk sends it.
///
/// # Errors
/// If the path is none.
pub fn get(path: &str) -> Result<Request> {
    Request::get(path).header("host", "127.0.0.1:8000").body(Body::empty()).context("not a request")
}

/// Runs what never waits. A runtime would be counted with it.
fn ready<T>(future: impl Future<Output = T>) -> Result<T> {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => bail!("the router waits for something, and nothing here wakes it"),
    }
}

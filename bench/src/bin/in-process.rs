//! Requests through a router without sockets, for callgrind to count: `in-process bare|redpane|usual REQUESTS`.

use std::convert::Infallible;
use std::env;
use std::future::{Future, poll_fn};
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use redpane::Redpane;
use redpane_bench::{app, usual};
use tower::Service;

/// The server drains the queue of axum-prometheus every five seconds; the cost is one of samples, not of drains.
const REQUESTS_PER_UPKEEP: u32 = 1_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [assembly, requests] = arguments.as_slice() else {
        bail!("two arguments are needed, as in: in-process bare 20000");
    };
    let requests: u32 = requests.parse().with_context(|| format!("{requests:?} is no number of requests"))?;
    let router = app::router(0);
    match assembly.as_str() {
        "bare" => drive(router, requests, || {}),
        "redpane" => {
            let telemetry = Redpane::new("bench").log_writer(std::io::sink()).install()?;
            drive(telemetry.clone().instrument(router), requests, || {})?;
            telemetry.flush(Duration::from_secs(60)).map_err(|error| anyhow!("the log was not written: {error}"))
        }
        "usual" => {
            // Entered and never run: the upkeep's own task sleeps for ever, ours takes its place.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
            let _entered = runtime.enter();
            usual::json_log(std::io::sink);
            let (router, metrics) = usual::axum_prometheus(usual::trace_layer(router));
            drive(router, requests, || metrics.run_upkeep())
        }
        _ => bail!("{assembly:?} is not known; it is one of bare, redpane and usual"),
    }
}

fn drive(app: Router, requests: u32, upkeep: impl Fn()) -> Result<()> {
    // As `axum::serve` does: without it, handlers become services anew for each request.
    let mut app = app.with_state::<()>(());
    for number in 1..=requests {
        let response: Result<Response, Infallible> = ready(app.call(request()?))?;
        let Ok(response) = response;
        let mut body = response.into_body();
        while !body.is_end_stream() {
            let frame = ready(poll_fn(|cx| pin!(&mut body).poll_frame(cx)))?;
            black_box(frame.context("a body ended before it said so")??);
        }
        if number % REQUESTS_PER_UPKEEP == 0 {
            upkeep();
        }
    }
    Ok(())
}

/// A request as wrk sends it.
fn request() -> Result<Request> {
    Ok(Request::get("/hello/ada").header("host", "127.0.0.1:8000").body(Body::empty())?)
}

/// Runs what never waits. A runtime would be counted with it.
fn ready<T>(future: impl Future<Output = T>) -> Result<T> {
    match pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => bail!("the router waits for something, and nothing here wakes it"),
    }
}

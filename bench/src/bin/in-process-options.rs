//! What each option of redpane costs, for callgrind to count: `in-process-options VARIANT REQUESTS`. [`variant`] lists the
//! variants; the harness knows which of them are to be compared.

use std::env;
use std::io;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http_body_util::{BodyExt, Full};
use redpane::{MetricNames, Redpane, Telemetry};
use redpane_bench::drive::{drive, get as request};
use serde::Serialize;

const HELLO: &str = "/hello/ada";
const HELLO_ROUTE: &str = "/hello/{name}";
const METHOD: &str = "/shop.Orders/Take";
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Serialize)]
struct Greeting {
    message: String,
}

fn greet(name: &str) -> Json<Greeting> {
    Json(Greeting { message: format!("Hello, {name}!") })
}

/// What is measured: the options, the handler, and the request.
struct Variant {
    redpane: Redpane,
    router: Router,
    request: fn() -> Result<Request>,
    /// Done once, before the requests.
    prepare: fn(&Telemetry, &Router) -> Result<()>,
}

fn variant(name: &str) -> Result<Variant> {
    let plain = || Variant {
        redpane: Redpane::new("bench").log_writer(io::sink()),
        router: Router::new().route(HELLO_ROUTE, get(|Path(name): Path<String>| async move { greet(&name) })),
        request: || request(HELLO),
        prepare: |_, _| Ok(()),
    };
    let with = |option: fn(Redpane) -> Redpane| {
        let plain = plain();
        Variant { redpane: option(plain.redpane), ..plain }
    };
    let handled = |router| Variant { router, ..plain() };
    Ok(match name {
        "plain" => plain(),
        "record" => handled(Router::new().route(
            HELLO_ROUTE,
            get(async |Path(name): Path<String>| {
                redpane::record("tenant", "acme");
                greet(&name)
            }),
        )),
        "error" => handled(Router::new().route(
            HELLO_ROUTE,
            get(async |Path(name): Path<String>| {
                redpane::record_error(&io::Error::from(io::ErrorKind::NotFound));
                greet(&name)
            }),
        )),
        "in a span" => handled(in_a_span()),
        "promote, no span" => with(promote),
        "promote" => Variant { redpane: promote(plain().redpane), ..handled(in_a_span()) },
        "label, no value" => with(label),
        "a header" => Variant { request: with_tier, ..plain() },
        "label" => Variant { request: with_tier, ..with(label) },
        "streams named" => with(|redpane| redpane.observe_until_headers(["/follow/{id}"])),
        "chunks" => handled(Router::new().route(HELLO_ROUTE, get(async || chunks("application/octet-stream")))),
        "stream" => handled(Router::new().route(HELLO_ROUTE, get(async || chunks("text/event-stream")))),
        "grpc beside" => {
            Variant { router: plain().router.merge(with_trailers("application/grpc")), prepare: call, ..plain() }
        }
        "trailers" => {
            Variant { router: with_trailers("application/other"), request: || posted("application/other"), ..plain() }
        }
        "grpc" => Variant { router: with_trailers("application/grpc"), request: grpc, ..plain() },
        "both names" => with(|redpane| redpane.metric_names(MetricNames::Both)),
        // One trace id in a million is left out.
        "sampled, kept" => with(|redpane| redpane.access_sample(0.999_999)),
        "sampled out" => with(|redpane| redpane.access_sample(0.0)),
        "filter changed" => Variant { prepare: change_filter, ..plain() },
        _ => bail!("{name:?} is no variant"),
    })
}

fn promote(redpane: Redpane) -> Redpane {
    redpane.promote_span_fields(["tenant"])
}

fn label(redpane: Redpane) -> Redpane {
    redpane.label("tier", ["free", "paid"], |parts| Some(parts.headers.get("x-tier")?.to_str().ok()?.into()))
}

fn in_a_span() -> Router {
    Router::new().route(
        HELLO_ROUTE,
        get(async |Path(name): Path<String>| tracing::info_span!("work", tenant = "acme").in_scope(|| greet(&name))),
    )
}

fn with_tier() -> Result<Request> {
    let mut request = request(HELLO)?;
    request.headers_mut().insert("x-tier", HeaderValue::from_static("paid"));
    Ok(request)
}

/// A body whose length nobody says.
fn chunks(content_type: &'static str) -> Response {
    let body = Full::new(Bytes::from_static(b"data: x\n\n")).map_frame(|frame| frame);
    ([(header::CONTENT_TYPE, content_type)], Body::new(body)).into_response()
}

/// An answer that ends with trailers, as a gRPC call's does.
fn with_trailers(content_type: &'static str) -> Router {
    let answer = async move || {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let body = Full::new(Bytes::from_static(&[0; 5])).with_trailers(std::future::ready(Some(Ok(trailers))));
        ([(header::CONTENT_TYPE, content_type)], Body::new(body)).into_response()
    };
    Router::new().route(METHOD, post(answer))
}

fn posted(content_type: &'static str) -> Result<Request> {
    let request = Request::post(METHOD).header("host", "127.0.0.1:8000").header(header::CONTENT_TYPE, content_type);
    Ok(request.body(Body::empty())?)
}

fn grpc() -> Result<Request> {
    posted("application/grpc")
}

fn call(telemetry: &Telemetry, router: &Router) -> Result<()> {
    drive(telemetry.clone().instrument(router.clone()), 1, grpc, || {})
}

fn change_filter(telemetry: &Telemetry, _: &Router) -> Result<()> {
    let directives = redpane::parse_log_filter("info").map_err(|error| anyhow!("{error}"))?;
    Ok(telemetry.set_log_filter(directives, HOUR)?)
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, requests] = arguments.as_slice() else {
        bail!("two arguments are needed, as in: in-process-options plain 20000");
    };
    let requests: u32 = requests.parse().with_context(|| format!("{requests:?} is no number of requests"))?;
    let Variant { redpane, router, request, prepare } = variant(name)?;
    let telemetry = redpane.install()?;
    prepare(&telemetry, &router)?;
    drive(telemetry.clone().instrument(router), requests, request, || {})?;
    telemetry.flush(Duration::from_secs(60)).map_err(|error| anyhow!("the log was not written: {error}"))
}

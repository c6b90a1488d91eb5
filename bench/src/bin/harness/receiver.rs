//! The receiver that spans are sent to: reads and discards.

use std::net::SocketAddr;
use std::sync::{OnceLock, mpsc};
use std::thread;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::http::HeaderName;
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use http_body_util::BodyExt;
use tokio::net::TcpListener;

/// An empty `ExportTraceServiceResponse`: all spans were taken.
const TAKEN: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "application/x-protobuf")];

static ENDPOINT: OnceLock<String> = OnceLock::new();

/// The URL of its traces. The first call starts it, on a thread of its own and for as long as the harness runs.
///
/// # Errors
/// If no port is free, or the system refuses the thread.
pub(crate) fn endpoint() -> Result<&'static str> {
    Ok(match ENDPOINT.get() {
        Some(endpoint) => endpoint,
        None => {
            let endpoint = start()?;
            ENDPOINT.get_or_init(|| endpoint)
        }
    })
}

fn start() -> Result<String> {
    let (address, started) = mpsc::channel();
    thread::Builder::new().name("receiver".into()).spawn(move || {
        if let Err(error) = serve(&address) {
            eprintln!("the receiver of spans has ended: {error:#}");
        }
    })?;
    let address: SocketAddr = started.recv().context("the receiver of spans does not start")?;
    Ok(format!("http://{address}/v1/traces"))
}

fn serve(started: &mpsc::Sender<SocketAddr>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        started.send(listener.local_addr()?)?;
        Ok(axum::serve(listener, Router::new().route("/v1/traces", post(discard))).await?)
    })
}

async fn discard(mut body: Body) -> Result<[(HeaderName, &'static str); 1], String> {
    while let Some(frame) = body.frame().await {
        frame.map_err(|error| error.to_string())?;
    }
    Ok(TAKEN)
}

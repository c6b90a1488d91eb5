//! The application that every server serves: one route that matters, and others that only have to exist.

use std::env;
use std::net::SocketAddr;

use anyhow::{Context, Result};
use axum::extract::Path;
use axum::serve::{ListenerExt, TapIo};
use axum::{Json, Router, routing::get};
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};

#[derive(Serialize)]
struct Greeting {
    message: String,
}

async fn hello(Path(name): Path<String>) -> Json<Greeting> {
    Json(Greeting { message: format!("Hello, {name}!") })
}

/// `GET /hello/{name}`, and `more` routes `GET /route-0/{name}`, `/route-1/{name}` and so on with the same handler.
pub fn router(more: usize) -> Router {
    (0..more).fold(Router::new().route("/hello/{name}", get(hello)), |router, number| {
        router.route(&format!("/route-{number}/{{name}}"), get(hello))
    })
}

/// Serves the application as `observe` returns it, by `axum::serve`. Arguments of the process: see [`run_with`].
///
/// # Errors
/// If an argument makes no sense, the address is taken, or `observe` fails.
pub fn run(observe: impl FnOnce(Router) -> Result<Router>) -> Result<()> {
    run_with(async |address, more| {
        let app = observe(router(more))?;
        let listener = listen(address).await?;
        if more == 0 {
            // As every README does it.
            return Ok(axum::serve(listener, app).await?);
        }
        // A router served so builds its routes, and their layers, anew for each connection: with thousands of routes that
        // would be what a short run measures.
        Ok(axum::serve(listener, app.into_make_service()).await?)
    })
}

/// Serves the application as [`run`] does, and tells each request the address of its client, as redpane's own server does.
///
/// # Errors
/// As [`run`].
pub fn run_with_clients(observe: impl FnOnce(Router) -> Result<Router>) -> Result<()> {
    run_with(async |address, more| {
        let app = observe(router(more))?;
        let listener = listen(address).await?;
        Ok(axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?)
    })
}

async fn listen(address: SocketAddr) -> Result<TapIo<TcpListener, fn(&mut TcpStream)>> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address} is not free"))?;
    Ok(listener.tap_io(|connection| {
        // Fails only on a connection that is broken already.
        let _ = connection.set_nodelay(true);
    }))
}

/// Lets `serve` serve the application. Arguments of the process: the address, and the number of more routes.
///
/// # Errors
/// If an argument makes no sense, or `serve` fails.
pub fn run_with(serve: impl AsyncFnOnce(SocketAddr, usize) -> Result<()>) -> Result<()> {
    let mut arguments = env::args().skip(1);
    let address = arguments.next().context("the address is missing, as in: 127.0.0.1:8000")?;
    let address: SocketAddr = address.parse().with_context(|| format!("{address:?} is no IP address and port"))?;
    let more = arguments.next().unwrap_or_else(|| "0".into());
    let more: usize = more.parse().with_context(|| format!("{more:?} is no number of routes"))?;

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(address, more))
}

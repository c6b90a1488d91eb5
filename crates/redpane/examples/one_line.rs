//! The one line: metrics, access log, trace ids and `/metrics` for an axum app.
//!
//! Run it with `cargo run --example one_line`, then `curl -i localhost:3000/hello/ada` and `curl localhost:3000/metrics`.

use axum::extract::Path;
use axum::{Router, routing::get};
use redpane::Redpane;

async fn hello(Path(name): Path<String>) -> String {
    format!("hello, {name}\n")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = Redpane::new("one-line").instrument(Router::new().route("/hello/{name}", get(hello)));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

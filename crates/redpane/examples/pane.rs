//! One more word: the page with graphs, live lines and traces, at the address that a log line says.
//!
//! Run it with `cargo run --example pane --features pane`, then open the address, and
//! `while curl -s localhost:3000/hello/ada; do sleep 0.1; done`.

use axum::extract::Path;
use axum::{Router, routing::get};
use redpane::Redpane;

async fn hello(Path(name): Path<String>) -> String {
    metrics::counter!("greetings_total").increment(1);
    format!("hello, {name}\n")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let redpane = Redpane::new("pane").pane().pane_chart("greetings_total");
    let app = redpane.instrument(Router::new().route("/hello/{name}", get(hello)));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

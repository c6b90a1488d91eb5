//! An application that has its own `tracing` subscriber keeps it, and adds redpane's layer.
//!
//! Run it with `cargo run --example own_subscriber`, then `curl -i localhost:3000/`: the event of the handler is on
//! standard error as this application formats it, and on standard output as a JSON line with the request's trace id.

use std::time::Duration;

use axum::{Router, routing::get};
use redpane::Redpane;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

async fn root() -> &'static str {
    tracing::info!(answer = 42, "handled");
    // A task that outlives its request keeps the request's ids when it is spawned like this.
    redpane::spawn(async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        tracing::info!("worked on after the answer");
    });
    "look at the log\n"
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = Redpane::new("own-subscriber").build()?;
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with(telemetry.log_layer())
        .try_init()?;

    let app = telemetry.clone().instrument(Router::new().route("/", get(root)));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

//! A graceful end: requests that are being served are finished, and every line is written, without a call at the end.
//!
//! Run it with `cargo run --example graceful`, then `curl localhost:3000/work/2000`, and press Ctrl-C meanwhile (or send
//! TERM): curl still gets its answer, and the last lines are `request` and `stopped`.

use std::time::Duration;

use axum::extract::Path;
use axum::{Router, routing::get};
use redpane::Redpane;

async fn work(Path(milliseconds): Path<u64>) -> &'static str {
    tracing::info!("working");
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    "done\n"
}

/// Ends with Ctrl-C, or with the TERM that container runtimes send.
async fn stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => _ = signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        () = interrupted => {}
        () = terminated => {}
    }
    tracing::info!("stopping");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = Redpane::new("graceful").install()?;
    let app = telemetry.instrument(Router::new().route("/work/{milliseconds}", get(work)));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).with_graceful_shutdown(stop()).await?;
    tracing::info!("stopped");
    Ok(())
}

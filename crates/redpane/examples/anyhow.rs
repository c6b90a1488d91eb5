//! An application whose handlers return `anyhow` errors, and whose 500s say in the log why.
//!
//! Run it with `cargo run --example anyhow`, then `curl localhost:3000/orders/x`: the access line has
//! `"error":"cannot read the number of the order: invalid digit found in string"`, and the client is told nothing of it.

use anyhow::Context;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use redpane::{Redpane, problem::Problem};

// These five lines: any error becomes a 500, and its access line says why.
struct Failed(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR).source(self.0).into_response()
    }
}

async fn order(Path(number): Path<String>) -> Result<String, Failed> {
    let number: u32 = number.parse().context("cannot read the number of the order")?;
    Ok(format!("order {number}\n"))
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let app = Redpane::new("anyhow").instrument(Router::new().route("/orders/{number}", get(order)));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

//! Fields of one's own on the access line, and errors that say in the log why a request failed.
//!
//! Run it with `cargo run --example record`, then `curl -X POST localhost:3000/orders/acme/3` and the same with `0` and with
//! `13`. The lines have the fields `tenant` and `items`; that of the 500 has `error`, with all its causes, and `error_type`.
//! The client is told neither. `card` is a field of the span that pays, promoted by the builder.

use std::error::Error;
use std::fmt;
use std::io;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::post};
use redpane::{Redpane, problem::Problem};

#[derive(Debug)]
enum OrderError {
    Empty,
    Payment(io::Error),
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an order has at least one item",
            Self::Payment(_) => "the payment failed",
        })
    }
}

impl Error for OrderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if let Self::Payment(error) = self { Some(error) } else { None }
    }
}

/// The one place where errors become answers, and where those that are our fault say why.
impl IntoResponse for OrderError {
    fn into_response(self) -> Response {
        if let Self::Empty = self {
            return Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail(self.to_string()).into_response();
        }
        redpane::record_error(&self);
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response()
    }
}

fn pay(items: u32) -> io::Result<()> {
    let _paying = tracing::info_span!("pay", card = "visa").entered();
    if items == 13 { Err(io::Error::other("card declined by the bank")) } else { Ok(()) }
}

async fn order(Path((tenant, items)): Path<(String, u32)>) -> Result<String, OrderError> {
    redpane::record("tenant", tenant);
    redpane::record("items", items);
    if items == 0 {
        return Err(OrderError::Empty);
    }
    pay(items).map_err(OrderError::Payment)?;
    Ok(format!("{items} items are on their way\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = Redpane::new("record").promote_span_fields(["card"]).install()?;
    let app = telemetry.instrument(Router::new().route("/orders/{tenant}/{items}", post(order)));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

//! The application's own metrics, through the plain macros of the `metrics` crate, in the same `/metrics`.
//!
//! Run it with `cargo run --example custom_metrics`, then `curl -X POST localhost:3000/orders/3` and
//! `curl -s localhost:3000/metrics | grep order`.

use axum::extract::Path;
use axum::http::{Method, StatusCode};
use axum::{Router, routing::post};
use redpane::Redpane;

async fn order(Path(items): Path<u32>) -> Result<String, StatusCode> {
    if items == 0 {
        metrics::counter!("orders_total", "result" => "refused").increment(1);
        return Err(StatusCode::UNPROCESSABLE_ENTITY);
    }
    metrics::counter!("orders_total", "result" => "taken").increment(1);
    metrics::histogram!("order_items").record(items);
    metrics::gauge!("last_order_items").set(items);
    tracing::info!(items, "order taken");
    Ok(format!("{items} items are on their way\n"))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = Redpane::new("orders")
        .histogram_buckets("order_items", [1.0, 2.0, 5.0, 10.0, 100.0])
        .preregister(Method::POST, "/orders/{items}")
        .install()?;
    metrics::describe_counter!("orders_total", "Orders by result.");
    metrics::describe_histogram!("order_items", "Items of an order.");

    let app = telemetry.clone().instrument(Router::new().route("/orders/{items}", post(order)));
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

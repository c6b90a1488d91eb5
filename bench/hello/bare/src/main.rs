//! axum without metrics, log or ids.

use axum::{Router, routing::get};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = Router::new().route("/", get(|| async { "Hello, world!" }));
    Ok(axum::serve(TcpListener::bind("127.0.0.1:3000").await?, app).await?)
}

//! redpane with its defaults.

use axum::{Router, routing::get};
use redpane::Redpane;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let app = Router::new().route("/", get(|| async { "Hello, world!" }));
    let app = Redpane::new("hello").install()?.instrument(app);
    Ok(axum::serve(TcpListener::bind("127.0.0.1:3000").await?, app).await?)
}

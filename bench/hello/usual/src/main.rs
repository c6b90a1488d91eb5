//! axum-prometheus, TraceLayer and `fmt().json()`, each as its README shows.

use axum::{Router, routing::get};
use axum_prometheus::PrometheusMetricLayer;
use tokio::net::TcpListener;
use tower_http::trace::TraceLayer;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().json().init();
    let (metrics, handle) = PrometheusMetricLayer::pair();
    let app = Router::new()
        .route("/", get(|| async { "Hello, world!" }))
        .route("/metrics", get(|| async move { handle.render() }))
        .layer(TraceLayer::new_for_http())
        .layer(metrics);
    Ok(axum::serve(TcpListener::bind("127.0.0.1:3000").await?, app).await?)
}

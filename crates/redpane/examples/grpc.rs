//! A tonic server: the layer labels each call with its method, and `/metrics` is on a listener of its own.
//!
//! Run it with `cargo run --example grpc`, then `grpc_health_probe -addr localhost:3000` (or any other client of
//! `grpc.health.v1.Health`), and look at the line with the route `/grpc.health.v1.Health/Check` and at
//! `curl -s localhost:3001/metrics | grep grpc_server_handled_total`. The two addresses are the arguments.

use redpane::{GrpcMethod, Redpane};
use tokio::net::TcpListener;
use tonic::transport::Server;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What is declared has its series before its first call, and is a stream from then on where it streams.
    let methods = [GrpcMethod::unary("Check"), GrpcMethod::server_streaming("Watch")];
    let telemetry = Redpane::new("grpc").grpc_service("grpc.health.v1.Health", methods).install()?;

    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3000".into()).parse()?;
    let metrics_address = arguments.next().unwrap_or_else(|| "127.0.0.1:3001".into());
    let listener = TcpListener::bind(metrics_address).await?;
    let metrics = telemetry.metrics_router();
    tokio::spawn(async move { axum::serve(listener, metrics).await });

    // Yours come beside this one, or in its place. Calls of methods that nobody has are `unmatched`.
    let (_reporter, health) = tonic_health::server::health_reporter();
    Server::builder().layer(telemetry.layer()).add_service(health).serve(address).await?;
    Ok(())
}

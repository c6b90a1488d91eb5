//! A tonic client inside of an axum application: its calls carry the trace on, and are counted.
//!
//! Run `cargo run --example grpc`, then `cargo run --example grpc_client`, then `curl localhost:3002/health`. The access line
//! here and that of the call there have one `trace_id`. Stop the server, and the line of the next request says why it failed.
//! The arguments are the address of this application and the URL of the server.

use std::time::Duration;

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::{Router, routing::get};
use redpane::client::OutgoingService;
use redpane::{Redpane, problem::Problem};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::Layer;

/// Each handler has a clone, which shares its connection.
type Client = HealthClient<OutgoingService<Channel>>;

/// The code of a call is the cause of the answer, and in its line.
fn failed(status: Status) -> Problem {
    redpane::record("health_code", format!("{:?}", status.code()));
    Problem::new(StatusCode::BAD_GATEWAY).source(status)
}

async fn health(State(mut client): State<Client>) -> Result<String, Problem> {
    let mut request = Request::new(HealthCheckRequest { service: String::new() });
    // The server is told, and says DeadlineExceeded where it is not done by then.
    request.set_timeout(Duration::from_secs(2));
    let answer = client.check(request).await.map_err(failed)?;
    Ok(format!("{:?}\n", answer.get_ref().status()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = Redpane::new("grpc-client").install()?;
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:3002".into());
    let server = arguments.next().unwrap_or_else(|| "http://127.0.0.1:3000".into());
    let channel = Endpoint::from_shared(server)?.connect_lazy();
    let calls = telemetry.outgoing_layer("health").preregister(Method::POST);
    let client = HealthClient::new(calls.layer(channel));
    let app = telemetry.instrument(Router::new().route("/health", get(health)).with_state(client));
    axum::serve(tokio::net::TcpListener::bind(address).await?, app).await?;
    Ok(())
}

//! The pane as a part of the application, behind basic authentication.
//!
//! Run it with `PANE_PASSWORD=secret cargo run --example pane_behind_login --features pane`, then open
//! <http://localhost:3000/pane> as `admin`. The browser sends the password with every request; use TLS in front of it.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::{Router, routing::get};
use base64::{Engine, prelude::BASE64_STANDARD};
use redpane::Redpane;
use subtle::ConstantTimeEq;

/// `Authorization: Basic` and user and password in base 64 (RFC 7617).
fn is_admin(headers: &HeaderMap, password: &str) -> bool {
    let expected = format!("Basic {}", BASE64_STANDARD.encode(format!("admin:{password}")));
    let given = headers.get(header::AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    given.ct_eq(expected.as_bytes()).into()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let password = std::env::var("PANE_PASSWORD").map_err(|_| "set PANE_PASSWORD")?;
    let login = move |request: Request, next: Next| {
        let admin = is_admin(request.headers(), &password);
        async move {
            match admin {
                true => next.run(request).await,
                false => {
                    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"pane\"")]).into_response()
                }
            }
        }
    };
    let telemetry = Redpane::new("shop").pane_history().install()?;
    let app = telemetry.clone().instrument(Router::new().route("/", get(|| async { "the shop\n" })));
    // After instrument: the pane's own requests are neither counted nor logged.
    let app = app.nest("/pane", telemetry.pane_router().layer(from_fn(login)));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

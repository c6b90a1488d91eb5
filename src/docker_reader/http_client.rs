//! One request over one connection.

use std::time::Duration;

use axum::body::Body;
use http::{Request, Response, header};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// Time for an answer to begin; one that is read whole also ends within it.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// `GET path_and_query` over `stream`. The connection ends with the answer's body, or when that is dropped.
pub(super) async fn get(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    host: &str,
    path_and_query: &str,
) -> Result<Response<Incoming>, String> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let request = Request::get(path_and_query).header(header::HOST, host).body(Body::empty());
    sender.send_request(request.map_err(|error| error.to_string())?).await.map_err(|error| error.to_string())
}

//! A client that sends one request on a connection of its own, and looks at all of the answer.

use std::net::SocketAddr;

use axum::body::{Body, Bytes};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use crate::Line;

/// What goes wrong with a connection that may.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// As it was answered.
    pub status: StatusCode,
    /// All of them.
    pub headers: HeaderMap,
    /// What came of it.
    pub body: Bytes,
    /// If there were any.
    pub trailers: Option<HeaderMap>,
    /// Whether the body came to its proper end.
    pub whole: bool,
}

impl Answer {
    /// The value of a header that must be there once.
    ///
    /// # Panics
    /// If it is not.
    pub fn header(&self, name: &str) -> &str {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        let [value] = values[..] else { panic!("not one header {name} but {values:?}") };
        value.to_str().unwrap()
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    /// Asserts that the ids in the answer's headers are those of this line.
    pub fn belongs_to(&self, line: &Line) {
        assert_eq!(self.header("x-trace-id"), line["trace_id"]);
        assert_eq!(self.header("x-request-id"), line["request_id"]);
    }
}

/// A request with the `Host` header that HTTP/1.1 asks for.
pub fn request(method: Method, path: &str) -> http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "localhost")
}

/// Asks for a path over HTTP/1.1.
pub async fn get(address: SocketAddr, path: &str) -> Answer {
    send(address, request(Method::GET, path).body(Body::empty()).unwrap()).await
}

/// Sends over HTTP/1.1, on a connection of its own.
pub async fn send(address: SocketAddr, request: Request<Body>) -> Answer {
    let mut sender = keep_alive(address).await;
    read(sender.send_request(request).await.unwrap()).await
}

/// A connection for several requests.
pub async fn keep_alive(address: SocketAddr) -> http1::SendRequest<Body> {
    try_keep_alive(address).await.unwrap()
}

/// The same to a service that may be gone.
///
/// # Errors
/// If it is.
pub async fn try_keep_alive(address: SocketAddr) -> Result<http1::SendRequest<Body>, Failure> {
    let (sender, connection) = http1::handshake(TokioIo::new(TcpStream::connect(address).await?)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Sends `count` GETs one after the other on one connection; gives the statuses.
pub async fn get_many(address: SocketAddr, path: String, count: usize) -> Vec<StatusCode> {
    let mut sender = keep_alive(address).await;
    let mut statuses = Vec::with_capacity(count);
    for _ in 0..count {
        sender.ready().await.unwrap();
        let asked = request(Method::GET, &path).body(Body::empty()).unwrap();
        statuses.push(read(sender.send_request(asked).await.unwrap()).await.status);
    }
    statuses
}

/// Sends over HTTP/2, whose use both sides know beforehand.
pub async fn send_http2(address: SocketAddr, request: Request<Body>) -> Answer {
    let mut sender = connect_http2(address).await;
    read(sender.send_request(for_http2(address, request)).await.unwrap()).await
}

/// A connection for several streams.
pub async fn connect_http2(address: SocketAddr) -> http2::SendRequest<Body> {
    http2_over(TcpStream::connect(address).await.unwrap()).await
}

/// The same on a connection that is there already.
pub async fn http2_over(stream: TcpStream) -> http2::SendRequest<Body> {
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// HTTP/2 has the host in the target.
pub fn for_http2(address: SocketAddr, mut request: Request<Body>) -> Request<Body> {
    let path = request.uri().path_and_query().expect("requests of tests have a path").clone();
    *request.uri_mut() =
        Uri::builder().scheme("http").authority(address.to_string()).path_and_query(path).build().unwrap();
    request.headers_mut().remove("host");
    request
}

/// Reads an answer to its end, proper or not.
pub async fn read(response: Response<Incoming>) -> Answer {
    let (head, mut body) = response.into_parts();
    let (mut bytes, mut trailers, mut whole) = (Vec::new(), None, true);
    while let Some(frame) = body.frame().await {
        match frame.map(http_body::Frame::into_data) {
            Ok(Ok(data)) => bytes.extend_from_slice(&data),
            Ok(Err(other)) => trailers = other.into_trailers().ok(),
            Err(_) => {
                whole = false;
                break;
            }
        }
    }
    Answer { status: head.status, headers: head.headers, body: bytes.into(), trailers, whole }
}

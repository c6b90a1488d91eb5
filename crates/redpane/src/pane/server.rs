//! The pane's own listener, on the pane's own thread: what the application is busy with does not hold it up, and neither
//! does it hold up the application's end.

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::api;
use super::guard::{Access, Guard};
use super::state::Pane;

/// Connections at once; further ones wait.
const CONNECTIONS: usize = 64;
/// Time for the head of a request, and until the next one comes.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// What is buffered of a connection, at most, before it has to take something.
const BUFFER: usize = 64 * 1024;
/// The pause after an `accept` that failed, for want of descriptors for example.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where the pane is without being told.
const DEFAULT: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 8001);

/// The default address, or a free port where that is taken.
pub(crate) fn default_listener() -> io::Result<std::net::TcpListener> {
    std::net::TcpListener::bind(DEFAULT).or_else(|_| std::net::TcpListener::bind((DEFAULT.0, 0)))
}

/// Serves connections until the runtime ends.
pub(super) async fn serve(pane: Arc<Pane>, listener: std::net::TcpListener, access: Access) {
    let ready = listener.set_nonblocking(true).and_then(|()| TcpListener::from_std(listener));
    let listener = match ready {
        Ok(listener) => listener,
        Err(error) => {
            if let Some(host) = pane.host() {
                host.warn("the pane cannot be served", &error.to_string());
            }
            return;
        }
    };
    let guard = Arc::new(Guard::new(&pane, access));
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
        let stream = loop {
            match listener.accept().await {
                Ok((stream, _)) => break stream,
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        };
        let guard = Arc::clone(&guard);
        let service = service_fn(move |request: http::Request<Incoming>| {
            let guard = Arc::clone(&guard);
            async move {
                let path = request.uri().path().to_owned();
                Ok::<_, Infallible>(api::answer(&guard, &path, request.map(Body::new)).await)
            }
        });
        tokio::spawn(async move {
            // Events are small, and late ones are of no use.
            let _ = stream.set_nodelay(true);
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .max_buf_size(BUFFER)
                // A server without a clock must not date its answers (RFC 9110, section 6.6.1).
                .auto_date_header(SystemTime::now() >= UNIX_EPOCH)
                .serve_connection(TokioIo::new(stream), service);
            // A connection that breaks is its client's affair.
            let _ = connection.await;
            drop(permit);
        });
    }
}

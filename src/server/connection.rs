//! One connection, HTTP/1 or HTTP/2, from its acceptance to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tower::Service;

use super::arrival::Arrived;
use super::shutdown::Phase;

/// Room for an HTTP/1 request head, in bytes. Far above what is sensible: a head that fits is counted and logged like
/// any request, one that does not is answered 431 before a request exists.
const HEAD_LIMIT: usize = 2 * 1024 * 1024;

/// Time a connection has at shutdown to begin the request that made its client connect: the bytes may be on their
/// way, and closing without reading them would lose the request.
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(500);

/// What a connection may take.
pub(super) struct Limits {
    builder: auto::Builder<TokioExecutor>,
    /// For connections that come while the service ends: their one answer says `connection: close`.
    last_answer_builder: auto::Builder<TokioExecutor>,
    header_timeout: Duration,
}

impl Limits {
    pub(super) fn new(header_timeout: Duration) -> Self {
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(header_timeout).max_buf_size(HEAD_LIMIT);
        // A client that stops in the middle of an HTTP/2 header block cannot answer a ping either.
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(header_timeout / 2)
            .keep_alive_timeout(header_timeout / 2);
        let mut last_answer_builder = builder.clone();
        last_answer_builder.http1().keep_alive(false);
        Self { builder, last_answer_builder, header_timeout }
    }

    fn builder(&self, phase: Phase) -> &auto::Builder<TokioExecutor> {
        if phase == Phase::Serving { &self.builder } else { &self.last_answer_builder }
    }
}

/// Serves `stream` until its client or `phase` ends it.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: &Limits,
    phase: watch::Receiver<Phase>,
) {
    // Small answers must not wait for the client's delayed acknowledgement. A socket that refuses still works.
    drop(stream.set_nodelay(true));
    let begun = Arc::new(Begun::default());
    let service = into_service(router, peer, begun.clone());
    let builder = limits.builder(*phase.borrow());
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut silent = std::pin::pin!(begun.never_within(limits.header_timeout));
    let mut ending = std::pin::pin!(wait_for_end(phase.clone(), &begun));
    let mut cut = std::pin::pin!(reached(phase, Phase::Cut));
    let mut is_ending = false;
    loop {
        tokio::select! {
            biased;
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(client = %peer, error, "connection ended with an error");
                }
                return;
            }
            () = &mut ending, if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut silent => {
                return tracing::debug!(client = %peer, "connection closed: no request within the header timeout");
            }
            () = &mut cut => return,
        }
    }
}

async fn reached(mut phase: watch::Receiver<Phase>, wanted: Phase) {
    // An error means that the server itself is gone; its connections have nothing to wait for.
    drop(phase.wait_for(|phase| *phase >= wanted).await);
}

async fn wait_for_end(phase: watch::Receiver<Phase>, begun: &Begun) {
    reached(phase, Phase::Draining).await;
    drop(tokio::time::timeout(FIRST_REQUEST_GRACE, begun.wait()).await);
}

/// The router as hyper wants it: each request carries its client's address and marks the connection as used.
fn into_service(
    router: Router,
    peer: SocketAddr,
    begun: Arc<Begun>,
) -> impl hyper::service::Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
{
    hyper::service::service_fn(move |mut request: Request<Incoming>| {
        begun.mark();
        request.extensions_mut().insert(ConnectInfo(peer));
        // A router is ready at all times and cheap to clone.
        Arrived::new(router.clone().call(request))
    })
}

/// Whether the first request of a connection has begun.
#[derive(Default)]
struct Begun {
    is_set: AtomicBool,
    changed: Notify,
}

impl Begun {
    fn mark(&self) {
        if !self.is_set.load(Ordering::Relaxed) {
            self.is_set.store(true, Ordering::Release);
            self.changed.notify_waiters();
        }
    }

    async fn wait(&self) {
        let changed = self.changed.notified();
        if !self.is_set.load(Ordering::Acquire) {
            changed.await;
        }
    }

    /// Resolves when `limit` has passed without a request; never otherwise. hyper's own header timeout begins only when
    /// it knows the protocol, that is after the first bytes, and HTTP/2 has none.
    async fn never_within(&self, limit: Duration) {
        if tokio::time::timeout(limit, self.wait()).await.is_ok() {
            std::future::pending().await
        }
    }
}

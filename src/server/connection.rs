//! One connection, HTTP/1 or HTTP/2, from its acceptance to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::Service;

use super::builders::ConnectionBuilders;
use super::first_request::FirstRequest;
use super::phase::Phase;
use super::poll_on_drop::PollOnDrop;
use super::proxies::{Client, Opening, Proxies};
use crate::log_targets::SERVER;

/// Time a connection without a request has at shutdown to send the one its client connected for. Its bytes may be on their
/// way already; closing without reading them would lose the request.
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(500);

/// Serves `stream` until its client or `phase` ends it.
pub(super) async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    builders: &ConnectionBuilders,
    proxies: &Proxies,
    phase: watch::Receiver<Phase>,
) {
    // Small answers must not wait for the client's delayed acknowledgement. A socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    let first = Arc::new(FirstRequest::default());
    // hyper's own header timeout begins after the first bytes, when the protocol is known, and HTTP/2 has none.
    let mut silent = std::pin::pin!(first.missing_for(builders.header_timeout()));
    let mut ending = std::pin::pin!(wait_for_end(phase.clone(), &first));
    let mut cut = std::pin::pin!(reached(phase.clone(), Phase::Cut));
    let mut opening = Opening::new(stream, peer, proxies);
    let source = tokio::select! {
        biased;
        source = opening.read() => source,
        () = &mut ending => None,
        () = &mut silent => {
            opening.timed_out();
            None
        }
        () = &mut cut => None,
    };
    let Some(source) = source else { return };
    let (stream, client) = opening.into_parts(source);
    let service = into_service(router, client, first.clone());
    let builder = builders.accepted_in(*phase.borrow());
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut is_ending = false;
    loop {
        tokio::select! {
            biased;
            result = connection.as_mut() => {
                if let Err(error) = result {
                    tracing::debug!(target: SERVER, client = %peer, error, "connection ended with an error");
                }
                return;
            }
            () = &mut ending, if !is_ending => {
                is_ending = true;
                connection.as_mut().graceful_shutdown();
            }
            () = &mut silent => {
                tracing::debug!(
                    target: SERVER,
                    client = %peer,
                    "connection closed: no request within the header timeout"
                );
                return;
            }
            () = &mut cut => return,
        }
    }
}

/// Resolves when `phase` is `wanted` or later.
async fn reached(mut phase: watch::Receiver<Phase>, wanted: Phase) {
    // An error means that the server itself is gone: its connections end too.
    drop(phase.wait_for(|phase| *phase >= wanted).await);
}

/// Resolves when the connection must end with the answer it is giving.
async fn wait_for_end(phase: watch::Receiver<Phase>, first: &FirstRequest) {
    reached(phase, Phase::Draining).await;
    drop(tokio::time::timeout(FIRST_REQUEST_GRACE, first.wait()).await);
}

/// The router as hyper wants it. Each request gets its client's address.
fn into_service(
    router: Router,
    client: Client,
    first: Arc<FirstRequest>,
) -> impl hyper::service::Service<Request<Incoming>, Response = Response<Body>, Error = Infallible, Future: Send + 'static>
{
    service_fn(move |mut request: Request<Incoming>| {
        first.arrived();
        let client = client.of(request.headers());
        request.extensions_mut().insert(ConnectInfo(client));
        // Called without `ready`: a router is always ready. Cloning it is cheap.
        PollOnDrop::new(router.clone().call(request))
    })
}

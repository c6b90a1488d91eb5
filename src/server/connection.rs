//! One connection, HTTP/1 or HTTP/2, from its acceptance to its end.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use axum::body::Body;
use http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use redpane::ClientAddr;
use tokio::net::TcpStream;
use tower::BoxError;

use super::answering::Answering;
use super::builders;
use super::clients::{
    Account, Arrival, Command, DeliveredBody, Exchange, Registered, Socket, StreamExecutor, next_turn,
};
use super::head::Head;
use super::health;
use super::limits::Limits;
use super::phase::Phase;
use super::proxies::{Client, Opening, Proxies, Source};
use super::routes::Routes;
use super::strict::Refused;
use crate::log_targets::SERVER;

/// Serves `stream` until its client or a command ends it.
pub(super) async fn serve(
    stream: TcpStream,
    registered: Registered,
    routes: Routes,
    limits: &Limits,
    proxies: &Proxies,
) {
    let account = &registered.account;
    // Small answers must not wait for the client's delayed acknowledgement. A socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    let mut opening = Opening::new(stream, account.peer(), proxies);
    let Some(source) = open(&mut opening, account).await else { return };
    let (stream, client) = opening.into_parts(source);
    let Ok(begun) = until_told(account, Socket::begin(stream, Arc::clone(account))).await else { return };
    let ended = match begun {
        Ok((socket, is_http2)) => {
            let (socket, service) = (TokioIo::new(socket), into_service(routes, client, Arc::clone(account)));
            if is_http2 {
                let streams = StreamExecutor(Arc::clone(account));
                let connection = builders::http2(limits, streams).serve_connection(socket, service);
                // On the heap, or every connection of HTTP/1 would have room for one of HTTP/2, which is twice as large.
                let mut connection = Box::pin(connection);
                drive(connection.as_mut(), http2::Connection::graceful_shutdown, account).await
            } else {
                let connection = pin!(builders::http1(account.phase()).serve_connection(socket, service));
                drive(connection, http1::Connection::graceful_shutdown, account).await
            }
        }
        Err(error) => Err(error.into()),
    };
    if let Err(error) = ended {
        tracing::debug!(target: SERVER, client = %account.peer(), error, "connection ended with an error");
    }
}

/// Polls a connection until it is over, or is told to be; `end` makes it end after the answers that are being given.
async fn drive<C>(mut connection: Pin<&mut C>, end: impl Fn(Pin<&mut C>), account: &Account) -> Result<(), BoxError>
where
    C: Future<Output = hyper::Result<()>>,
{
    let mut commands = account.commands();
    poll_fn(|context| {
        loop {
            let polled = connection.as_mut().poll(context);
            account.end_turn();
            if let Poll::Ready(result) = polled {
                return Poll::Ready(result.map_err(Into::into));
            }
            match commands.poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Command::Cut) => return Poll::Ready(Ok(())),
                Poll::Ready(Command::End) => end(connection.as_mut()),
            }
        }
    })
    .await
}

/// What comes of `future`, or what its connection is told before that.
async fn until_told<F: Future>(account: &Account, future: F) -> Result<F::Output, Command> {
    let mut future = pin!(future);
    let mut commands = account.commands();
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => commands.poll(context).map(Err),
    })
    .await
}

/// Reads what stands before the first request, and waits for its turn. `None` where the connection is over.
async fn open(opening: &mut Opening<'_>, account: &Account) -> Option<Source> {
    let opened = until_told(account, async {
        let source = opening.read().await?;
        // More connections would only be more to cut. But whoever asks how the process is must get an answer.
        let clients = account.clients();
        if clients.is_far_over() && !opening.is_about_health().await {
            clients.begin().await;
        }
        Some(source)
    });
    opened.await.unwrap_or_else(|command| {
        // The keeper cuts those that say nothing for too long.
        if command == Command::Cut && account.phase() != Phase::Cut {
            opening.timed_out();
        }
        None
    })
}

/// The routes as hyper wants them. Each request gets its client's address, and what it holds is counted.
fn into_service(
    routes: Routes,
    client: Client,
    account: Arc<Account>,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = Response<DeliveredBody>,
    Error = h2::Error,
    Future: Send + 'static,
> {
    // Its connection calls it, so no two calls meet; a clone for each of them would be counted twice.
    let routes = RefCell::new(routes);
    service_fn(move |mut request: Request<Incoming>| {
        // Whoever asks why must get an answer. One who asks in a hundred streams, or with a large head, is not one of these.
        let asks_about_it = health::is_about_it(request.uri().path());
        let is_probe = asks_about_it && account.may_be_probe();
        if !is_probe && account.refuses_stream() {
            return Answering::refused();
        }
        let head = Head::of(request.headers());
        let client = client.of(request.headers());
        let exchange = Exchange::begin(&account, client, &request, head.bytes);
        account.set_probe(is_probe);
        let is_served = is_probe || request.uri().path() == health::METRICS;
        let refused = Refused::of(&request, &head, is_served || exchange.has_room());
        if asks_about_it {
            // It matters who reads the metrics, and who looks at that stands in front of the middleware.
            request.extensions_mut().insert(ClientAddr(client));
        }
        let mut ending = None;
        let request = match request.body().is_end_stream() {
            true => request.map(|_| Body::empty()),
            false => {
                let (request, how_it_ends) = Arrival::of(request, &exchange);
                ending = how_it_ends;
                request.map(Body::new)
            }
        };
        let answer = routes.borrow_mut().call(request, refused);
        let next_turn = account.takes_turns().then(|| next_turn(&account));
        Answering::new(answer, next_turn, exchange, ending)
    })
}

//! One connection, HTTP/1 or HTTP/2, from its acceptance to its end.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::body::{Body as _, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::Service;

use super::answering::Answering;
use super::builders::builder;
use super::clients::{
    Account, Arrival, Command, DeliveredBody, Exchange, Registered, Socket, StreamExecutor, next_turn,
};
use super::health;
use super::limits::Limits;
use super::phase::Phase;
use super::proxies::{Client, Opening, Proxies, Source};
use super::strict::Refused;
use crate::log_targets::SERVER;

/// Serves `stream` until its client or a command ends it.
pub(super) async fn serve(
    stream: TcpStream,
    registered: Registered,
    router: Router,
    limits: &Limits,
    proxies: &Proxies,
) {
    let account = &registered.account;
    // Small answers must not wait for the client's delayed acknowledgement. A socket that refuses the option still works.
    drop(stream.set_nodelay(true));
    let mut opening = Opening::new(stream, account.peer(), proxies);
    let Some(source) = open(&mut opening, account).await else { return };
    let (stream, client) = opening.into_parts(source);
    let service = into_service(router, client, Arc::clone(account));
    let builder = builder(limits, account.phase(), StreamExecutor(Arc::clone(account)));
    let socket = TokioIo::new(Socket::new(stream, Arc::clone(account)));
    let mut connection = pin!(builder.serve_connection(socket, service));
    let mut commands = account.commands();
    let ended = poll_fn(|context| {
        loop {
            let polled = connection.as_mut().poll(context);
            account.end_turn();
            if let Poll::Ready(result) = polled {
                return Poll::Ready(Some(result));
            }
            match commands.poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Command::Cut) => return Poll::Ready(None),
                Poll::Ready(Command::End) => connection.as_mut().graceful_shutdown(),
            }
        }
    });
    if let Some(Err(error)) = ended.await {
        tracing::debug!(target: SERVER, client = %account.peer(), error, "connection ended with an error");
    }
}

/// Reads what stands before the first request, and waits for its turn. `None` where the connection is over.
async fn open(opening: &mut Opening<'_>, account: &Account) -> Option<Source> {
    let opened = {
        let mut reading = pin!(async {
            let source = opening.read().await?;
            // More connections would only be more to cut. But whoever asks how the process is must get an answer.
            let clients = account.clients();
            if clients.is_far_over() && !opening.is_about_health().await {
                clients.begin().await;
            }
            Some(source)
        });
        let mut commands = account.commands();
        poll_fn(|context| match reading.as_mut().poll(context) {
            Poll::Ready(source) => Poll::Ready(Ok(source)),
            Poll::Pending => commands.poll(context).map(Err),
        })
        .await
    };
    match opened {
        Ok(source) => source,
        Err(command) => {
            // The keeper cuts those that say nothing for too long.
            if command == Command::Cut && account.phase() != Phase::Cut {
                opening.timed_out();
            }
            None
        }
    }
}

/// The router as hyper wants it. Each request gets its client's address, and what it holds is counted.
fn into_service(
    router: Router,
    client: Client,
    account: Arc<Account>,
) -> impl hyper::service::Service<
    Request<Incoming>,
    Response = Response<DeliveredBody>,
    Error = h2::Error,
    Future: Send + 'static,
> {
    service_fn(move |mut request: Request<Incoming>| {
        // Whoever asks why must get an answer. One who asks in a hundred streams, or with a large head, is not one of these.
        let is_probe = health::is_about_it(request.uri().path()) && account.may_be_probe();
        if !is_probe && account.refuses_stream() {
            return Answering::refused();
        }
        let exchange = Exchange::begin(&account, client.of(request.headers()), &request);
        account.set_probe(is_probe);
        let refused = Refused::of(&request, is_probe || exchange.has_room());
        let extensions = request.extensions_mut();
        extensions.insert(exchange.delivery());
        if let Some(refused) = refused {
            extensions.insert(refused);
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
        // Called without `ready`: a router is always ready. Cloning it is cheap.
        let answer = router.clone().call(request);
        let next_turn = account.takes_turns().then(|| next_turn(&account));
        Answering::new(answer, next_turn, exchange, ending)
    })
}

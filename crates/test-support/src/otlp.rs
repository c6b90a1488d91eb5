//! A receiver of spans: OTLP over HTTP, decoded by `opentelemetry-proto`.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use axum::routing::post;
use http::HeaderMap;
pub use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
pub use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
pub use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind, status::StatusCode};
use prost::Message;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What a receiver does with a batch.
#[derive(Clone, Debug)]
pub enum Behaviour {
    /// Takes it.
    Accept,
    /// Takes it after a while.
    Slow(Duration),
    /// Answers with a status, and `Retry-After` where there is one.
    Status(u16, Option<&'static str>),
    /// Says that it rejects every second span.
    Half,
    /// Takes it, and says something.
    Warn(&'static str),
    /// Answers 200 with something that is no answer.
    Nonsense,
    /// Never answers.
    Hang,
}

#[derive(Default)]
struct State {
    behaviour: Option<Behaviour>,
    accepted: Vec<ExportTraceServiceRequest>,
    headers: Vec<HeaderMap>,
}

/// A receiver on a port of its own. Clones share what it has received.
#[derive(Clone)]
pub struct Receiver {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Receiver {
    /// Starts one that takes everything.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let receiver = Self { address, state: Arc::default(), task: Arc::default() };
        receiver.serve(listener);
        receiver
    }

    fn serve(&self, listener: TcpListener) {
        let state = Arc::clone(&self.state);
        let router = Router::new().route("/v1/traces", post(move |request| receive(state, request)));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        *self.task.lock().unwrap() = Some(task);
    }

    /// The URL that spans are sent to.
    pub fn endpoint(&self) -> String {
        format!("http://{}/v1/traces", self.address)
    }

    /// What happens to batches from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.state.lock().unwrap().behaviour = Some(behaviour);
    }

    /// Stops listening. Connections that are open stay until they are used up: let it [`Hang`](Behaviour::Hang) or refuse too.
    pub async fn die(&self) {
        let task = self.task.lock().unwrap().take();
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
    }

    /// Listens again, on the same port.
    pub async fn come_back(&self) {
        let listener = crate::eventually("the port is free", async || TcpListener::bind(self.address).await.ok()).await;
        self.serve(listener);
    }

    /// Batches that were taken, whole or in part.
    pub fn batches(&self) -> Vec<ExportTraceServiceRequest> {
        self.state.lock().unwrap().accepted.clone()
    }

    /// The headers of all attempts.
    pub fn attempts(&self) -> Vec<HeaderMap> {
        self.state.lock().unwrap().headers.clone()
    }

    /// The spans of all batches that were taken.
    pub fn spans(&self) -> Vec<Span> {
        let resources = self.batches().into_iter().flat_map(|batch| batch.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }
}

/// An id as log lines and headers have it.
pub fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn receive(state: Arc<Mutex<State>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 64 * 1024 * 1024).await.unwrap();
    let mut bytes = Vec::new();
    match parts.headers.get("content-encoding") {
        None => bytes.extend_from_slice(&body),
        Some(encoding) => {
            assert_eq!(encoding, "gzip");
            flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut bytes).unwrap();
        }
    }
    let batch = ExportTraceServiceRequest::decode(&*bytes).expect("a batch decodes");
    let behaviour = {
        let mut state = state.lock().unwrap();
        state.headers.push(parts.headers);
        state.behaviour.clone().unwrap_or(Behaviour::Accept)
    };
    let spans: usize = batch.resource_spans.iter().flat_map(|of| &of.scope_spans).map(|of| of.spans.len()).sum();
    let (mut rejected, mut says) = (0, "");
    match behaviour {
        Behaviour::Accept => {}
        Behaviour::Slow(time) => tokio::time::sleep(time).await,
        Behaviour::Half => (rejected, says) = (spans / 2, "the second half"),
        Behaviour::Warn(text) => says = text,
        Behaviour::Status(status, retry_after) => {
            let mut response = Response::builder().status(status);
            if let Some(retry_after) = retry_after {
                response = response.header("retry-after", retry_after);
            }
            return response.body(Body::empty()).unwrap();
        }
        Behaviour::Nonsense => return Response::new(Body::from("<html>welcome</html>")),
        Behaviour::Hang => std::future::pending().await,
    }
    state.lock().unwrap().accepted.push(batch);
    let partial = ExportTracePartialSuccess { rejected_spans: rejected as i64, error_message: says.into() };
    let answer = ExportTraceServiceResponse { partial_success: (!says.is_empty()).then_some(partial) };
    let response = Response::builder().header("content-type", "application/x-protobuf");
    response.body(Body::from(answer.encode_to_vec())).unwrap()
}

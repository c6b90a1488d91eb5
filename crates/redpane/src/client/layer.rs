//! The layer: puts the middleware around a client.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use http::{Method, Uri};
use tower_layer::Layer;

use super::call::Calls;
use super::service::OutgoingService;
use crate::metrics::registry::Registry;
use crate::request::ids_from::IdsSource;
use crate::request::method::{METHODS, method_index};

/// Passes the trace context on to the next service and counts the calls, around any HTTP client that is a `tower` service:
/// `Service<Request<B>, Response = Response<R>>`, whatever its bodies and its error are.
///
/// ```
/// use bytes::Bytes;
/// use http::{Method, Request, StatusCode};
/// use http_body_util::Empty;
/// use hyper_util::client::legacy::{Client, Error};
/// use hyper_util::rt::TokioExecutor;
/// use redpane::Telemetry;
/// use tower::{Service, ServiceBuilder};
///
/// async fn ask(telemetry: &Telemetry) -> Result<StatusCode, Error> {
///     let calls = telemetry.outgoing_layer("stock").preregister(Method::GET);
///     let mut client = ServiceBuilder::new()
///         .layer(calls)
///         .service(Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>());
///     let request = Request::get("http://stock:8000/items").body(Empty::new()).expect("a request");
///     Ok(client.call(request).await?.status())
/// }
/// ```
///
/// **Headers.** A call made inside a request carries `traceparent` with the request's trace and a span id of its own: the
/// parent that the next service sees is the call, not the request. `tracestate` is the request's. `baggage` and
/// `x-request-id` are the request's where the application has set none. A `traceparent` that is there already is replaced,
/// so a proxy may copy the headers that it got. Outside of a request, no span is recorded
/// of a call: a `traceparent` that the application has set stays as it is, and any other call starts no trace. With
/// [`Redpane::ids_from`](crate::Redpane::ids_from) the parent is the SDK's current span, inside of a request and outside,
/// and no span id is made here.
///
/// The request is the [current](crate::current()) one, or the [`RequestContext`](crate::RequestContext) in the extensions of the
/// `http::Request`: for clients behind a queue, such as `tower::buffer`.
///
/// **Metrics.** `http_client_requests_total` and `http_client_request_duration_seconds` have the labels `method`, `peer`,
/// and either `status` or `error`. `error` is `error` where the client gave one instead of an answer, `body_error` where the
/// body broke off, `cancelled` where the call was dropped before its headers came (a timeout *outside* of this layer
/// does that), or a kind of [`errors_by`](Self::errors_by). Time runs to the end of the answer's body, as it does on the
/// other side, or until the body is dropped; a body that is dropped unread is counted with its status.
/// The failures of a peer and method start at 0 beside their first call, so that `rate()` sees the first one. Past the
/// [series limit](crate::Redpane::series_limit), which calls have for themselves, new label sets are counted under
/// `peer="_overflow"`.
///
/// **Line.** With the log filter `redpane::client=debug`, each call is a line with the message `call`, those labels,
/// `duration_seconds`, `client_span_id` (which the line of the next service has as `parent_span_id`) and `parent_span_id`.
#[derive(Clone)]
pub struct OutgoingLayer {
    calls: Calls,
}

impl OutgoingLayer {
    pub(crate) fn new(registry: &Arc<Registry>, peer: String, ids_from: Option<IdsSource>) -> Self {
        let calls = Calls {
            registry: Arc::clone(registry),
            peer: peer.into(),
            peers: Arc::default(),
            find_peer: None,
            kinds: Arc::default(),
            find_kind: None,
            until_headers: false,
            ids_from,
        };
        Self { calls }
    }

    /// For a client that calls several services: `find` names the one that a target belongs to. The values are declared, so
    /// that they stay few; for `None` and for any other name the peer is that of the layer.
    ///
    /// ```
    /// # fn layer(telemetry: &redpane::Telemetry) -> redpane::client::OutgoingLayer {
    /// telemetry.outgoing_layer("others").peers_by(["stock", "payment"], |uri| uri.host())
    /// # }
    /// ```
    #[must_use]
    pub fn peers_by<P: Into<String>>(
        mut self,
        peers: impl IntoIterator<Item = P>,
        find: impl for<'a> Fn(&'a Uri) -> Option<&'a str> + Send + Sync + 'static,
    ) -> Self {
        self.calls.peers = peers.into_iter().map(|peer| peer.into().into()).collect();
        self.calls.find_peer = Some(Arc::new(find));
        self
    }

    /// Tells the errors of the client apart: `find` names the kind of one, which becomes the label `error`. The kinds are
    /// declared; any other name, and an error of another type than `E`, is `error`.
    ///
    /// ```
    /// # fn layer(telemetry: &redpane::Telemetry) -> redpane::client::OutgoingLayer {
    /// use hyper_util::client::legacy::Error;
    ///
    /// let kind = |error: &Error| if error.is_connect() { "connect" } else { "error" };
    /// telemetry.outgoing_layer("stock").errors_by(["connect"], kind)
    /// # }
    /// ```
    #[must_use]
    pub fn errors_by<E: 'static>(
        mut self,
        kinds: impl IntoIterator<Item = &'static str>,
        find: impl Fn(&E) -> &'static str + Send + Sync + 'static,
    ) -> Self {
        self.calls.kinds = kinds.into_iter().collect();
        self.calls.find_kind = Some(Arc::new(move |error: &dyn Any| error.downcast_ref().map(&find)));
        self
    }

    /// A call ends at the headers of its answer. For answers that last for hours, such as server-sent events.
    #[must_use]
    pub fn until_headers(mut self) -> Self {
        self.calls.until_headers = true;
        self
    }

    /// Creates the series of calls with this method at zero, for every peer that is known now, so that `rate()` sees the very
    /// first call and the very first failure. Call it last.
    #[must_use]
    pub fn preregister(self, method: Method) -> Self {
        let Calls { registry, peer, peers, kinds, .. } = &self.calls;
        for peer in peers.iter().chain([peer]) {
            registry.calls.preregister(peer, METHODS[method_index(&method)], kinds);
        }
        self
    }
}

impl fmt::Debug for OutgoingLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OutgoingLayer").field("peer", &self.calls.peer).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for OutgoingLayer {
    type Service = OutgoingService<S>;

    fn layer(&self, inner: S) -> OutgoingService<S> {
        OutgoingService::new(inner, Arc::new(self.calls.clone()))
    }
}

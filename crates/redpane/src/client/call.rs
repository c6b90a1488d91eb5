//! A call from its start to its one end.

use std::any::Any;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, Request, Uri};
use tracing::Level;

use crate::metrics::registry::Registry;
use crate::request::call::{BODY_ERROR, CANCELLED, CallEnd, CallIds, ERROR, FinishedCall};
use crate::request::context::RequestContext;
use crate::request::current::{current, enter};
use crate::request::headers::{SentHeaders, TRACEPARENT};
use crate::request::ids_from::IdsSource;
use crate::request::method::{METHODS, method_index};
use crate::trace_context::ids::SpanId;
use crate::trace_context::traceparent::TraceParent;

/// The target of the line that a call can have.
const TARGET: &str = "redpane::client";

/// Names the peer that a target belongs to.
pub(super) type FindPeer = Arc<dyn for<'a> Fn(&'a Uri) -> Option<&'a str> + Send + Sync>;
/// Names the kind of an error, if it is of the type that the application knows.
pub(super) type FindKind = Arc<dyn Fn(&dyn Any) -> Option<&'static str> + Send + Sync>;

/// What the calls of one layer have in common.
#[derive(Clone)]
pub(super) struct Calls {
    pub(super) registry: Arc<Registry>,
    /// Of the calls that no other one is found for.
    pub(super) peer: Arc<str>,
    pub(super) peers: Arc<[Arc<str>]>,
    pub(super) find_peer: Option<FindPeer>,
    pub(super) kinds: Arc<[&'static str]>,
    pub(super) find_kind: Option<FindKind>,
    pub(super) until_headers: bool,
    /// Where an SDK of the application says the ids.
    pub(super) ids_from: Option<IdsSource>,
}

impl Calls {
    fn peer(&self, uri: &Uri) -> &Arc<str> {
        let name = self.find_peer.as_ref().and_then(|find| find(uri));
        let declared = name.and_then(|name| self.peers.iter().find(|peer| ***peer == *name));
        declared.unwrap_or(&self.peer)
    }

    fn kind(&self, error: &dyn Any) -> &'static str {
        let kind = self.find_kind.as_ref().and_then(|find| find(error));
        kind.filter(|kind| self.kinds.contains(kind)).unwrap_or(ERROR)
    }
}

/// One call. Whoever holds it drops it when the call is over, and that is what counts it: exactly once, on every path,
/// cancelled calls included.
pub(super) struct ActiveCall {
    calls: Arc<Calls>,
    peer: Arc<str>,
    method: &'static str,
    started: Instant,
    ids: Option<CallIds>,
    /// The request that makes the call.
    context: Option<RequestContext>,
    /// Where it goes, as long as spans are exported.
    #[cfg(feature = "otlp")]
    target: Option<super::span::Target>,
    /// The status of the answer, whatever became of its body.
    #[cfg(feature = "otlp")]
    status: Option<u16>,
    /// Recorded if it is dropped now.
    end: CallEnd,
}

impl ActiveCall {
    /// A call begins. Its request carries its ids from here on.
    pub(super) fn start<B>(calls: &Arc<Calls>, request: &mut Request<B>) -> Self {
        let peer = Arc::clone(calls.peer(request.uri()));
        let method = METHODS[method_index(request.method())];
        calls.registry.calls.expect_failures(&peer, method, &calls.kinds);
        // A client behind a queue is called where no request is current.
        let context = request.extensions().get::<RequestContext>().cloned().or_else(current);
        let ids = put_ids(context.as_ref(), calls.ids_from.as_ref(), request.headers_mut());
        let end = CallEnd::Error(CANCELLED);
        #[cfg(feature = "otlp")]
        let target = super::span::is_wanted(context.as_ref()).then(|| super::span::Target::of(request));
        Self {
            calls: Arc::clone(calls),
            peer,
            method,
            started: Instant::now(),
            ids,
            context,
            #[cfg(feature = "otlp")]
            target,
            #[cfg(feature = "otlp")]
            status: None,
            end,
        }
    }

    /// The headers of the answer are there.
    pub(super) fn answered(&mut self, status: http::StatusCode) {
        self.end = CallEnd::Status(status.as_u16());
        #[cfg(feature = "otlp")]
        {
            self.status = Some(status.as_u16());
        }
    }

    /// Whether nothing after the headers is observed.
    pub(super) fn ends_at_headers(&self) -> bool {
        self.calls.until_headers
    }

    /// There is no answer.
    pub(super) fn failed(mut self, error: &dyn Any) {
        self.end = CallEnd::Error(self.calls.kind(error));
    }

    /// The body of the answer broke off.
    pub(super) fn body_failed(mut self) {
        self.end = CallEnd::Error(BODY_ERROR);
    }
}

/// The one end of every call.
impl Drop for ActiveCall {
    fn drop(&mut self) {
        let duration = self.started.elapsed();
        let call = FinishedCall {
            method: self.method,
            peer: &self.peer,
            end: self.end,
            started: SystemTime::now().checked_sub(duration).unwrap_or(UNIX_EPOCH),
            duration,
            ids: self.ids.as_ref(),
        };
        #[cfg(feature = "otlp")]
        super::span::add(self.context.as_ref(), self.target.as_ref(), self.status, &call);
        finished(&self.calls.registry, self.context.take(), &call);
    }
}

/// Where finished calls go: the metrics, and a line for whoever asks for it. The place for further outputs.
fn finished(registry: &Registry, mut context: Option<RequestContext>, call: &FinishedCall<'_>) {
    registry.calls.record(call);
    if tracing::enabled!(target: TARGET, Level::DEBUG) {
        let _scope = enter(&mut context);
        let (status, error) = match call.end {
            CallEnd::Status(status) => (Some(status), None),
            CallEnd::Error(kind) => (None, Some(kind)),
        };
        tracing::debug!(
            target: TARGET,
            method = call.method,
            peer = &**call.peer,
            status,
            error,
            duration_seconds = call.duration.as_secs_f64(),
            client_span_id = call.ids.map(|ids| ids.span_id.as_str()),
            parent_span_id = call.ids.and_then(|ids| ids.parent_span_id.as_ref()).map(SpanId::as_str),
            "call"
        );
    }
}

/// Puts the ids of a call into its headers: those of the request that makes it. Outside of a request, a trace context that
/// the application put there stays as it is: no span is recorded of the call, so none may be the next service's parent. With
/// neither, the ids are those of the SDK's current span, where one says the ids, and else the call belongs to no trace.
fn put_ids(context: Option<&RequestContext>, ids_from: Option<&IdsSource>, headers: &mut HeaderMap) -> Option<CallIds> {
    let ids = match context {
        Some(context) => context.call_ids(),
        None => match sent(headers) {
            Some(own) => return Some(CallIds::of(&own)),
            None => CallIds::of(&ids_from?.ask()?),
        },
    };
    headers.insert(TRACEPARENT, ids.to_header());
    if let Some(context) = context {
        context.pass_on(&ids.trace_id, headers);
    }
    Some(ids)
}

/// The trace context that the application put there.
fn sent(headers: &HeaderMap) -> Option<TraceParent> {
    TraceParent::from_header(SentHeaders::find(headers).traceparent()?.as_bytes())
}

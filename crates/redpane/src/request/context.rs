//! The context of a request: its ids, its head, the fields recorded for it, and the telemetry that observes it.

use std::any::Any;
use std::mem;
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use http::{HeaderMap, HeaderValue};

#[cfg(feature = "otlp")]
use super::child_spans::ChildSpans;
use super::fields::{FieldName, FieldValue, RecordedFields};
use super::head::RequestHead;
use super::headers::{SentHeaders, X_REQUEST_ID};
use super::id::{self, RequestId};
use super::ids_from::{IdsSource, RequestIds};
use super::last_handle::LastHandle;
use super::promoted_names::PromotedNames;
use crate::trace_context::hex;
use crate::trace_context::ids::{SpanId, TraceId};
use crate::trace_context::traceparent::{FRESH_FLAGS, TraceParent};
use crate::trace_context::tracestate;

/// In place of the flags of a request that was sampled, and is not passed on as such.
const SAMPLED_IF_IT_FAILS: u8 = 0x80;

/// Decides which requests are sampled, and takes spans inside of them.
pub(crate) trait TraceSampler {
    /// Whether a request that arrives is sampled. `caller` is what its caller decided, where that counts.
    fn samples(&self, trace_id: &TraceId, caller: Option<bool>) -> bool;

    /// Takes an encoded span inside of a request, which may have ended.
    #[cfg(feature = "otlp")]
    fn add_child(&self, context: &RequestContext, span: &[u8]);
}

/// The telemetry that observes a request, as far as code that runs inside the request needs it.
pub(crate) trait RequestTelemetry: Any + Send + Sync {
    /// What decides about traces, where spans are exported.
    fn sampler(&self) -> Option<&dyn TraceSampler>;

    /// Which fields of spans are promoted, where some are.
    fn promoted(&self) -> Option<&Arc<PromotedNames>>;

    /// What the `metrics` macros emit to.
    fn recorder(&self) -> &dyn metrics::Recorder;

    /// Writes the line of a panic that is unwinding inside the request.
    fn log_panic(&self, context: &RequestContext, panic: &PanicHookInfo<'_>);
}

/// The ids of the request that is being served. Cheap to clone; with the feature `axum` also an extractor.
///
/// ```
/// use axum::{Router, routing::get};
/// use redpane::{Redpane, RequestContext};
///
/// async fn root(context: RequestContext) -> String {
///     format!("trace {}", context.trace_id())
/// }
/// let app: Router = Redpane::new("api").instrument(Router::new().route("/", get(root)));
/// ```
#[derive(Clone)]
pub struct RequestContext(Arc<Inner>);

/// A handle that does not keep the request: whoever asks for [`RequestContext::is_shared`] does not see it.
#[derive(Default)]
pub(crate) struct WeakRequest(Weak<Inner>);

impl WeakRequest {
    pub(crate) fn is(&self, context: &RequestContext) -> bool {
        std::ptr::eq(self.0.as_ptr(), Arc::as_ptr(&context.0))
    }

    pub(crate) fn upgrade(&self) -> Option<RequestContext> {
        self.0.upgrade().map(RequestContext)
    }
}

struct Inner {
    /// Redpane's own: those of the request, unless an SDK of the application says others.
    trace_id: TraceId,
    span_id: SpanId,
    parent_span_id: Option<SpanId>,
    flags: u8,
    extra: Option<Box<ExtraContext>>,
    request_id: RequestId,
    head: RequestHead,
    /// Allocated for requests that record something, or that a stream outlives, which are few.
    kept: OnceLock<Box<Kept>>,
    #[cfg(feature = "otlp")]
    child_spans: Mutex<ChildSpans>,
    telemetry: Arc<dyn RequestTelemetry>,
}

/// What few requests need to change, or to be told.
#[derive(Default)]
struct Kept {
    fields: Mutex<RecordedFields>,
    last: OnceLock<Box<dyn LastHandle>>,
    /// Something that ran in the request, and not for its answer, has panicked.
    panicked: AtomicBool,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(mut last) = self.last.take() {
            last.dropped(Some(mem::take(&mut *lock(&self.fields))), self.panicked.load(Ordering::Relaxed));
        }
    }
}

/// What a request is known by at its end.
#[derive(Debug)]
pub(crate) struct KnownBy<'a> {
    pub(crate) trace_id: &'a TraceId,
    pub(crate) span_id: &'a SpanId,
    pub(crate) parent_span_id: Option<&'a SpanId>,
    /// Whether the span is redpane's own, or one that the SDK has sampled: the others lead nowhere.
    pub(crate) may_be_exported: bool,
}

/// What few requests have: beside the rest, so that the others do not carry it.
#[derive(Default)]
struct ExtraContext {
    /// The trace id that the caller sent, where it is not trusted.
    caller_trace_id: Option<TraceId>,
    tracestate: Option<HeaderValue>,
    baggage: Option<HeaderValue>,
    /// The context of the same request that another telemetry made before this one.
    outer: Option<RequestContext>,
    /// Where an SDK of the application says the ids.
    sdk_ids: Option<RequestIds>,
}

impl RequestContext {
    /// Takes over the trace context and the request id that the caller sent, or makes fresh ones. A trace context that is
    /// not trusted is replaced as a whole.
    pub(crate) fn new(
        sent: &SentHeaders<'_>,
        trusted: bool,
        head: RequestHead,
        telemetry: Arc<dyn RequestTelemetry>,
        outer: Option<RequestContext>,
    ) -> Self {
        let caller = sent.traceparent().and_then(|header| TraceParent::from_header(header.as_bytes()));
        let parent = caller.filter(|_| trusted);
        let (trace_id, span_id, request_id) = hex::generate(|random| {
            let trace_id = parent.map_or_else(|| TraceId::generate(random), |parent| parent.trace_id);
            (trace_id, SpanId::generate(random), RequestId::new(sent.request_id, &trace_id, random))
        });
        let flags = match telemetry.sampler() {
            Some(sampler) => u8::from(sampler.samples(&trace_id, parent.map(|parent| parent.is_sampled()))),
            None => parent.map_or(FRESH_FLAGS, |parent| parent.known_flags()),
        };
        let is_plain = !sent.has_lists() && outer.is_none() && (trusted || caller.is_none());
        let extra = || ExtraContext {
            caller_trace_id: caller.filter(|_| !trusted).map(|caller| caller.trace_id),
            tracestate: parent.and_then(|_| tracestate::keep(sent.tracestate()?)),
            baggage: if trusted { sent.baggage() } else { None },
            outer,
            sdk_ids: None,
        };
        Self(Arc::new(Inner {
            trace_id,
            span_id,
            parent_span_id: parent.map(|parent| parent.parent_id),
            flags,
            extra: if is_plain { None } else { Some(Box::new(extra())) },
            request_id,
            head,
            kept: OnceLock::new(),
            #[cfg(feature = "otlp")]
            child_spans: Mutex::default(),
            telemetry,
        }))
    }

    /// A request arrives whose ids an SDK of the application says. Apart from [`new`](Self::new), which is faster without
    /// what only some telemetries do.
    #[cold]
    pub(crate) fn ask_sdk(&mut self, source: &IdsSource) {
        // Nobody shares a context that is being made.
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.extra.get_or_insert_default().sdk_ids = Some(RequestIds::ask_first(source));
        }
    }

    /// The trace this request belongs to: the caller's, or a fresh one; with [`Redpane::ids_from`](crate::Redpane::ids_from)
    /// the SDK's.
    #[must_use]
    pub fn trace_id(&self) -> &TraceId {
        self.look_for_ids();
        self.ids().0
    }

    /// The span of this request, new in this service; with [`Redpane::ids_from`](crate::Redpane::ids_from) the first of the
    /// SDK's that was current in it.
    #[must_use]
    pub fn span_id(&self) -> &SpanId {
        self.look_for_ids();
        self.ids().1
    }

    /// The caller's span, where it sent a valid `traceparent` that is trusted.
    #[must_use]
    pub fn parent_span_id(&self) -> Option<&SpanId> {
        self.0.parent_span_id.as_ref().filter(|_| self.is_in_own_trace())
    }

    /// The request id: the caller's `X-Request-Id` where it is usable (1 to 128 visible ASCII characters), else a fresh one.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.0.request_id.as_str()
    }

    /// The spans inside of this request that have ended.
    #[cfg(feature = "otlp")]
    pub(crate) fn child_spans(&self) -> MutexGuard<'_, ChildSpans> {
        self.0.child_spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ids of the request, as far as they are known. Asks nobody.
    pub(crate) fn ids(&self) -> (&TraceId, &SpanId) {
        match self.sdk_span() {
            Some(span) => (&span.trace_id, &span.parent_id),
            None => (&self.0.trace_id, &self.0.span_id),
        }
    }

    /// The span id that redpane has made for the request, which does not change.
    pub(crate) fn own_span_id(&self) -> &SpanId {
        &self.0.span_id
    }

    /// What an SDK of the application says about the ids, where it is asked.
    pub(crate) fn sdk_ids(&self) -> Option<&RequestIds> {
        self.0.extra.as_ref()?.sdk_ids.as_ref()
    }

    /// The SDK's span that the request is known by.
    fn sdk_span(&self) -> Option<&TraceParent> {
        self.sdk_ids()?.first()
    }

    /// Takes over the ids of the SDK's current span, unless the ids of this request are decided. Runs code of the
    /// application.
    pub(crate) fn look_for_ids(&self) {
        if let Some(ids) = self.sdk_ids().filter(|ids| !ids.is_decided()) {
            ids.now();
        }
    }

    /// What the request is known by at its end. One question for all of it: nearly no request has ids of an SDK's.
    pub(crate) fn known_by(&self) -> KnownBy<'_> {
        if self.sdk_ids().is_some() {
            return self.known_by_sdk();
        }
        KnownBy {
            trace_id: &self.0.trace_id,
            span_id: &self.0.span_id,
            parent_span_id: self.0.parent_span_id.as_ref(),
            may_be_exported: true,
        }
    }

    #[cold]
    fn known_by_sdk(&self) -> KnownBy<'_> {
        self.decide_ids();
        let (trace_id, span_id) = self.ids();
        let may_be_exported = self.sdk_span().is_none_or(TraceParent::is_sampled);
        KnownBy { trace_id, span_id, parent_span_id: self.parent_span_id(), may_be_exported }
    }

    /// From here on the ids do not change.
    pub(crate) fn decide_ids(&self) {
        if let Some(ids) = self.sdk_ids() {
            ids.decide();
        }
    }

    /// Whether the trace is redpane's own, and not another one of an SDK's: what the caller sent belongs to that alone.
    fn is_in_own_trace(&self) -> bool {
        self.sdk_span().is_none_or(|span| span.trace_id == self.0.trace_id)
    }

    /// What tells this context from all others for as long as it lives; its ids may change.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The trace flags that are passed on: the bit `sampled`, or none.
    pub(crate) fn flags(&self) -> u8 {
        self.sdk_span().map_or(self.0.flags & !SAMPLED_IF_IT_FAILS, TraceParent::known_flags)
    }

    /// A request arrives whose spans are exported only if it fails: the services below are told that it is not sampled, or
    /// their spans would hang from one that nobody has.
    #[cold]
    pub(crate) fn sample_only_failures(&mut self) {
        if let Some(inner) = Arc::get_mut(&mut self.0)
            && inner.flags != 0
            && inner.telemetry.sampler().is_some()
        {
            inner.flags = SAMPLED_IF_IT_FAILS;
        }
    }

    /// Whether the request was sampled on arrival, whatever the services below were told.
    #[cfg(feature = "otlp")]
    pub(crate) fn is_sampled(&self) -> bool {
        self.0.flags != 0
    }

    /// The caller's `tracestate`, as it is passed on. It belongs to the caller's trace.
    pub(crate) fn tracestate(&self) -> Option<&HeaderValue> {
        self.0.extra.as_ref()?.tracestate.as_ref().filter(|_| self.is_in_own_trace())
    }

    /// The caller's `baggage`, as it is passed on.
    pub(crate) fn baggage(&self) -> Option<&HeaderValue> {
        self.0.extra.as_ref()?.baggage.as_ref()
    }

    /// Adds a field, or replaces the one of this name.
    pub(crate) fn record_field(&self, name: FieldName, value: FieldValue) {
        lock(&self.0.kept.get_or_init(Box::default).fields).record(name, value);
    }

    /// Adds the cause of a failure, or replaces the earlier one.
    pub(crate) fn record_cause(&self, text: &str, type_name: Option<&'static str>) {
        lock(&self.0.kept.get_or_init(Box::default).fields).record_error(text, type_name);
    }

    /// Adds a field, unless there is one of this name.
    pub(crate) fn record_missing(&self, name: &'static str, value: &FieldValue) {
        lock(&self.0.kept.get_or_init(Box::default).fields).record_missing(name, value);
    }

    /// The same request as the telemetry that promotes these names has observed it: others may be around it.
    pub(crate) fn of_promoter(&self, names: &Arc<PromotedNames>) -> Option<&Self> {
        let promotes = |context: &&Self| context.telemetry().promoted().is_some_and(|own| Arc::ptr_eq(own, names));
        std::iter::successors(Some(self), |inner| inner.outer()).find(promotes)
    }

    pub(crate) fn downgrade(&self) -> WeakRequest {
        WeakRequest(Arc::downgrade(&self.0))
    }

    /// Takes what was recorded so far; `None` if nothing was.
    pub(crate) fn take_fields(&self) -> Option<RecordedFields> {
        self.0.kept.get().map(|kept| mem::take(&mut *lock(&kept.fields)))
    }

    /// Whether there is another handle: something of the request goes on.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }

    /// Tells `last` when the last handle is dropped. Only the first counts.
    pub(crate) fn tell_at_last(&self, last: Box<dyn LastHandle>) {
        let _ = self.0.kept.get_or_init(Box::default).last.set(last);
    }

    /// A future that was tied to the request has panicked.
    #[cold]
    pub(crate) fn has_panicked(&self) {
        self.0.kept.get_or_init(Box::default).panicked.store(true, Ordering::Relaxed);
    }

    /// The trace id that the caller sent, where it is not trusted.
    pub(crate) fn caller_trace_id(&self) -> Option<&TraceId> {
        self.0.extra.as_ref().and_then(|extra| extra.caller_trace_id.as_ref())
    }

    /// The digits of a fresh request id, which need no escape.
    pub(crate) fn fresh_request_id(&self) -> Option<&[u8; 16]> {
        let id = &self.0.request_id;
        if id.is_given() { None } else { id.as_bytes().try_into().ok() }
    }

    pub(crate) fn request_id_header(&self) -> HeaderValue {
        self.0.request_id.to_header()
    }

    pub(crate) fn trace_id_header(&self) -> HeaderValue {
        match self.sdk_span() {
            Some(span) => id::trace_id_header(&span.trace_id),
            None => self.0.request_id.trace_id_to_header(&self.0.trace_id),
        }
    }

    pub(crate) fn head(&self) -> &RequestHead {
        &self.0.head
    }

    pub(crate) fn telemetry(&self) -> &dyn RequestTelemetry {
        &*self.0.telemetry
    }

    /// The context that another telemetry made for the same request before this one.
    pub(crate) fn outer(&self) -> Option<&RequestContext> {
        self.0.extra.as_ref().and_then(|extra| extra.outer.as_ref())
    }

    /// Makes sure that the request carries its request id before the application sees it.
    pub(crate) fn put_request_id(&self, headers: &mut HeaderMap) {
        if !self.0.request_id.is_given() {
            headers.insert(X_REQUEST_ID, self.request_id_header());
        }
    }

    /// Whether this request id and path are those of this very request, and not of one that the application sends to itself: they hold
    /// the very value that this context put there or took over.
    ///
    /// A request that copies these headers has another path; one that a nested router passes on has lost its beginning.
    pub(crate) fn is_of(&self, request_id: &HeaderValue, path: &str) -> bool {
        self.has_made(request_id) && self.head().path().ends_with(path)
    }

    /// Whether this is the very value that this context put into the request or took over.
    pub(crate) fn has_made(&self, request_id: &HeaderValue) -> bool {
        std::ptr::eq(request_id.as_bytes(), self.0.request_id.as_bytes())
    }
}

fn lock(fields: &Mutex<RecordedFields>) -> MutexGuard<'_, RecordedFields> {
    fields.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for RequestContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestContext")
            .field("trace_id", self.ids().0)
            .field("span_id", self.ids().1)
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}

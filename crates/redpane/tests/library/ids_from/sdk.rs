//! OpenTelemetry's SDK, as applications set it up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use http::{HeaderMap, HeaderName, Request};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use redpane::{Telemetry, TraceParent};
use tower_http::trace::TraceLayer;
use tracing::subscriber::DefaultGuard;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;

/// An exporter, and what it got.
#[derive(Clone, Debug, Default)]
pub(super) struct Spans(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Spans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

impl Spans {
    /// The ids of the only span of each name: of the trace, the span and its parent.
    pub(super) fn ids(&self) -> HashMap<String, [String; 3]> {
        let spans = self.0.lock().unwrap();
        let ids = |span: &SpanData| {
            let context = &span.span_context;
            [context.trace_id().to_string(), context.span_id().to_string(), span.parent_span_id.to_string()]
        };
        let named: HashMap<_, _> = spans.iter().map(|span| (span.name.to_string(), ids(span))).collect();
        assert_eq!(named.len(), spans.len(), "{spans:?}");
        named
    }

    /// The ids of the only span, which is forgotten then.
    pub(super) fn take(&self, name: &str) -> [String; 3] {
        let ids = self.ids().remove(name).unwrap();
        self.0.lock().unwrap().clear();
        ids
    }
}

/// The two ways to ask for the current span.
pub(super) const WAYS: [fn() -> Option<TraceParent>; 2] = [by_context, by_tracing];

fn by_context() -> Option<TraceParent> {
    opentelemetry::Context::map_current(ids_of)
}

fn by_tracing() -> Option<TraceParent> {
    ids_of(&tracing::Span::current().context())
}

fn ids_of(context: &opentelemetry::Context) -> Option<TraceParent> {
    let span = context.span();
    let span = span.span_context();
    let trace_id = span.trace_id().to_bytes().try_into().ok()?;
    Some(TraceParent::new(trace_id, span.span_id().to_bytes().try_into().ok()?, span.is_sampled()))
}

/// Runs the SDK on this thread, with the log layer behind its own or in front of it.
pub(super) fn start(telemetry: &Telemetry, sampler: Sampler, log_layer_first: bool) -> (Spans, DefaultGuard) {
    let spans = Spans::default();
    let provider = SdkTracerProvider::builder().with_sampler(sampler).with_simple_exporter(spans.clone()).build();
    let tracer = provider.tracer("test");
    let guard = match log_layer_first {
        true => tracing::subscriber::set_default(
            Registry::default().with(telemetry.log_layer()).with(tracing_opentelemetry::layer().with_tracer(tracer)),
        ),
        false => tracing::subscriber::set_default(
            Registry::default().with(tracing_opentelemetry::layer().with_tracer(tracer)).with(telemetry.log_layer()),
        ),
    };
    (spans, guard)
}

/// Puts tower-http's layer around a router. Its span, of level DEBUG, passes no filter of redpane's.
pub(super) fn traced(router: Router, continues: bool) -> Router {
    router.layer(TraceLayer::new_for_http().make_span_with(move |request: &Request<_>| {
        let span = tracing::debug_span!("server");
        if continues {
            span.set_parent(TraceContextPropagator::new().extract(&Headers(request.headers()))).unwrap();
        }
        span
    }))
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

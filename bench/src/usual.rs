//! The crates that most axum applications are observed with, put together as their own documentation shows.

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::routing::get;
use axum_prometheus::PrometheusMetricLayer;
use axum_prometheus::metrics_exporter_prometheus::PrometheusHandle;
use tower_http::trace::{DefaultOnResponse, TraceLayer};
use tracing::{Level, Span, info_span};
use tracing_subscriber::fmt::MakeWriter;

/// axum-prometheus and its `/metrics`. To be called inside a tokio runtime, for the task that drains its queue every
/// five seconds.
pub fn axum_prometheus(router: Router) -> (Router, PrometheusHandle) {
    let (layer, handle) = PrometheusMetricLayer::pair();
    let metrics = handle.clone();
    (router.route("/metrics", get(|| async move { metrics.render() })).layer(layer), handle)
}

/// tower-http's TraceLayer, with one event for each response: status and latency in the event, method, route and path in
/// its span. That is what an access log needs, and INFO is the level at which `fmt()` shows events.
pub fn trace_layer(router: Router) -> Router {
    let span = |request: &Request| -> Span {
        let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
        info_span!("request", method = %request.method(), route, path = request.uri().path())
    };
    let on_response = DefaultOnResponse::new().level(Level::INFO);
    router.layer(TraceLayer::new_for_http().make_span_with(span).on_response(on_response))
}

/// Makes `fmt().json()`, with its defaults otherwise, the process's subscriber.
pub fn json_log(writer: impl for<'writer> MakeWriter<'writer> + Send + Sync + 'static) {
    tracing_subscriber::fmt().json().with_writer(writer).init();
}

//! What an application may write against the library, all of it once: a line that no longer compiles is a breaking change.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::extract::FromRequestParts;
use axum::response::IntoResponse;
use http::{HeaderMap, Method, StatusCode};
use redpane::client::{OutgoingBody, OutgoingFuture, OutgoingLayer, OutgoingService};
use redpane::problem::Problem;
use redpane::{
    ConfigError, Delivery, ExpositionFormat, FinishedRequest, FinishedStream, FlushError, GrpcMethod, InRequest,
    InstallError, InvalidId, LogFormat, LogLosses, MetricNames, Outcome, OverflowPolicy, Recorder, Redpane,
    RequestContext, RequestObserver, SpanId, Telemetry, TimedOut, TraceId, TraceParent,
};
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;

fn shared<T: Send + Sync + 'static>() {}
fn shown<T: Debug>() {}
fn copied<T: Copy + Eq + Debug>() {}
fn id<T: Copy + Eq + Hash + Debug + Display>() {}
fn error<T: Error + Send + Sync + 'static>() {}

#[test]
fn types_have_the_traits_that_applications_count_on() {
    shared::<Telemetry>();
    shared::<Recorder>();
    shared::<RequestContext>();
    shared::<Problem>();
    shared::<Delivery>();
    shared::<InRequest<std::future::Ready<()>>>();
    shown::<GrpcMethod>();
    shown::<FinishedStream<'_>>();
    shown::<Redpane>();
    shown::<Telemetry>();
    shown::<Recorder>();
    shown::<RequestContext>();
    shown::<Problem>();
    shown::<Delivery>();
    shown::<TimedOut>();
    shared::<redpane::testing::Observed>();
    shown::<redpane::testing::Observed>();
    shown::<redpane::testing::Line>();
    shown::<InRequest<std::future::Ready<()>>>();
    copied::<LogFormat>();
    copied::<LogLosses>();
    copied::<OverflowPolicy>();
    copied::<ExpositionFormat>();
    copied::<TraceParent>();
    id::<TraceId>();
    id::<SpanId>();
    error::<ConfigError>();
    error::<InstallError>();
    error::<FlushError>();
    error::<redpane::BadDirective>();
    error::<redpane::LogFilterError>();
    fn sent<T: Send>() {}
    sent::<Redpane>();
    fn extracted<T: FromRequestParts<()>>() {}
    extracted::<RequestContext>();
    fn answered<T: IntoResponse>() {}
    answered::<Problem>();
    fn recorder<T: metrics::Recorder + Clone>() {}
    recorder::<Recorder>();
}

struct Observer;

impl RequestObserver for Observer {
    fn finished(&self, _: &FinishedRequest<'_>) {}

    fn stream_finished(&self, stream: &FinishedStream<'_>) {
        let _: (&str, &str, &str, u16, Outcome, Level) =
            (stream.method(), stream.route(), stream.path(), stream.status(), stream.outcome(), stream.level());
        let _: (SystemTime, Duration) = (stream.started(), stream.duration());
        let _: (&TraceId, &SpanId, &str) = (stream.trace_id(), stream.span_id(), stream.request_id());
        let _: (Option<u64>, Option<&str>) = (stream.response_bytes(), stream.grpc_code());
        let _: (Option<SocketAddr>, usize) = (stream.client(), stream.fields().count());
    }
}

fn every_option() -> Redpane {
    Redpane::new("api")
        .metrics_path("/internal/metrics")
        .without_metrics_route()
        .duration_buckets([0.1, 1.0])
        .histogram_buckets("sizes", vec![1.0])
        .log_failures_only(["/live"])
        .observe_until_headers([String::from("/events")])
        .observe_until_end(["/answers"])
        .preregister(Method::GET, "/")
        .grpc_service("shop.Orders", [GrpcMethod::unary("Take"), GrpcMethod::server_streaming(String::from("Watch"))])
        .grpc_service("shop.Orders", vec![GrpcMethod::client_streaming("Upload"), GrpcMethod::bidi_streaming("Chat")])
        .observer(Observer)
        .nested_service("/assets")
        .label("tier", ["free", "paid"], |parts| Some(parts.headers.get("x-tier")?.to_str().ok()?.into()))
        .series_limit(100)
        .metric_names(MetricNames::Both)
        .log_filter(Targets::new().with_default(LevelFilter::WARN))
        .log_format(LogFormat::Pretty)
        .log_format(LogFormat::Json)
        .log_writer(std::io::sink())
        .log_buffer_bytes(64 * 1024)
        .access_sample(0.5)
        .access_slow(Duration::from_secs(2))
        .log_overflow(OverflowPolicy::Drop)
        .log_overflow(OverflowPolicy::Block { deadline: Duration::from_secs(1) })
        .build_info("1.0", "abc")
        .ids_from(|| None::<TraceParent>)
        .promote_span_fields(["tenant"])
        .promote_span_fields(vec![String::from("order.id")])
}

#[test]
fn options_and_the_handle() {
    let built: Result<Telemetry, ConfigError> = every_option().build();
    let telemetry = built.unwrap();
    let _: Router<u32> = telemetry.clone().instrument(Router::new());
    let _: Router = telemetry.metrics_router();
    let _: Router = every_option().instrument(Router::new());
    let _ = tracing_subscriber::registry().with(telemetry.log_layer());
    telemetry.on_scrape(|| metrics::gauge!("depth").set(3));
    metrics::with_local_recorder(&telemetry.recorder(), || metrics::counter!("jobs_total").increment(1));
    for format in [ExpositionFormat::Text, ExpositionFormat::OpenMetrics] {
        let text: String = telemetry.render(format);
        assert!(text.contains("\ndepth 3\n") && text.contains("\njobs_total 1\n"), "{text}");
    }
    let flushed: Result<(), FlushError> = telemetry.flush(Duration::from_secs(60));
    assert_eq!((flushed.map_err(|error| error.lines), telemetry.in_flight()), (Ok(()), 0));
    let LogLosses { lines, announced, .. } = telemetry.log_losses();
    assert_eq!((lines, announced), (0, 0));
    let _: fn(Redpane) -> Result<Telemetry, InstallError> = Redpane::install;
    let _: fn(&Telemetry) -> Result<(), InstallError> = Telemetry::install;
}

#[tokio::test]
async fn calls_to_other_services() {
    let telemetry = Redpane::new("api").log_writer(std::io::sink()).build().unwrap();
    let layer: OutgoingLayer = telemetry
        .outgoing_layer("others")
        .peers_by([String::from("stock")], |uri| uri.host())
        .errors_by(["connect"], |_: &std::convert::Infallible| "connect")
        .until_headers()
        .preregister(Method::GET);
    shared::<OutgoingLayer>();
    shown::<OutgoingLayer>();
    let answer = async |_: http::Request<String>| Ok::<_, std::convert::Infallible>(http::Response::new(String::new()));
    let mut service: OutgoingService<_> = tower::Layer::layer(&layer, tower::service_fn(answer));
    let call: OutgoingFuture<_> = tower::Service::call(&mut service, http::Request::new(String::new()));
    let _: http::Response<OutgoingBody<String>> = call.await.unwrap();
}

#[tokio::test]
async fn requests_and_their_tasks() {
    fn look(context: &RequestContext) -> (&TraceId, &SpanId, Option<&SpanId>, &str, HeaderMap) {
        let ids = (context.trace_id(), context.span_id(), context.parent_span_id());
        (ids.0, ids.1, ids.2, context.request_id(), context.outgoing_headers())
    }
    assert!(redpane::current().as_ref().map(look).is_none(), "no request here");
    assert_eq!(redpane::spawn(async { 1 }).await.unwrap(), 1);
    assert_eq!(redpane::spawn_blocking(|| 2).await.unwrap(), 2);
    let tied: InRequest<_> = redpane::in_current_request(async { 3 });
    assert_eq!(tied.await, 3);
    let problem = Problem::new(StatusCode::GONE).detail("sold out");
    assert_eq!(problem.status(), StatusCode::GONE);
    let mut response = problem.into_response();
    response.extensions_mut().insert(TimedOut);
}

#[test]
fn ids() {
    let (trace, span) = (TraceId::random(), SpanId::random());
    assert_eq!(trace.to_string().parse(), Ok(trace));
    assert_eq!(span.to_string().parse(), Ok(span));
    let parent = TraceParent::from_header(format!("00-{trace}-{span}-01").as_bytes()).unwrap();
    assert_eq!((parent.trace_id, parent.parent_id, parent.flags), (trace, span, 1));
    assert_eq!(TraceParent::new(trace, span, true), parent);
    let (bytes, other): (Result<TraceId, InvalidId>, Result<SpanId, _>) = ([1; 16].try_into(), [1; 8].try_into());
    assert_eq!((bytes.unwrap().as_str(), other.unwrap().as_str()), (&*"01".repeat(16), &*"01".repeat(8)));
}

//! Outside of requests: jobs in spans of the SDK's.

use std::convert::Infallible;
use std::sync::Mutex;

use axum::body::Body;
use http::{HeaderMap, Request, Response};
use test_support::Observed;
use tower::{Layer, ServiceExt, service_fn};
use tracing_subscriber::layer::SubscriberExt;

use super::{current_span, inside, parent, span};

#[tokio::test]
async fn lines_and_calls_have_the_current_span() {
    let (observed, job) = (Observed::with(|redpane| redpane.ids_from(current_span)), span());
    let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(observed.telemetry.log_layer()));
    let seen = Mutex::new(Vec::<HeaderMap>::new());
    let call = async |request: Request<Body>| {
        let keep = |request: Request<Body>| {
            seen.lock().unwrap().push(request.headers().clone());
            async { Ok::<_, Infallible>(Response::new(Body::empty())) }
        };
        observed.telemetry.outgoing_layer("stock").layer(service_fn(keep)).oneshot(request).await.unwrap();
    };
    let plain = || Request::get("/").body(Body::empty()).unwrap();
    let work = async {
        tracing::info!("in the job");
        call(plain()).await;
        let mut injected = plain();
        let own = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
        injected.headers_mut().insert("traceparent", own.parse().unwrap());
        call(injected).await;
        assert_eq!(seen.lock().unwrap()[1]["traceparent"], own, "what the SDK's own client has put there stays");
    };
    inside(job, work).await;
    tracing::info!("after the job");
    call(plain()).await;

    let [line] = &observed.messages("in the job", 1).await[..] else { panic!("one line") };
    assert_eq!((line.str("trace_id"), line.str("span_id")), (job.trace_id.as_str(), job.parent_id.as_str()));
    assert!(observed.messages("after the job", 1).await[0]["trace_id"].is_null());
    let seen = seen.lock().unwrap();
    assert_eq!((parent(&seen[0]), seen[2].get("traceparent")), (job, None));
}

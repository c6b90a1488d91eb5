//! Services that give no answer: they return an error, or their panics are not caught.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use axum::Router;
use axum::body::Body;
use axum::routing::get as get_by;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full};
use test_support::{Line, Observed, Scripted, Step};
use tower::{Layer, Service, ServiceExt, service_fn};

use super::{assert_line, call, get};

type Asked = Request<Empty<Bytes>>;

/// Without any trait of errors.
#[derive(Debug, PartialEq)]
struct Unreachable(&'static str);

#[tokio::test]
async fn an_error_is_passed_on_and_counted_as_a_500() {
    let observed = Observed::new();
    let mut service = observed
        .telemetry
        .layer()
        .layer(service_fn(|_: Asked| async { Err::<Response<Full<Bytes>>, _>(Unreachable("the backend is away")) }));
    let error = call(&mut service, get("/orders/17")).await.unwrap_err();
    assert_eq!(error, Unreachable("the backend is away"));
    let line = observed.only_request().await;
    assert_line(&line, "ERROR error GET unmatched 500");
    assert_eq!((&line["path"], &line["response_bytes"]), (&"/orders/17".into(), &0.into()));
    assert_eq!(observed.lines().len(), 1, "what the error says is for those who get it");
    assert_eq!(observed.samples().requests(), [("GET unmatched 500".into(), 1.0)]);
}

/// What was recorded before the error is on its line.
#[tokio::test]
async fn an_error_that_was_recorded() {
    let observed = Observed::new();
    let mut service = observed.telemetry.layer().layer(service_fn(|_: Asked| async {
        let error = std::io::Error::other("the backend is away");
        redpane::record_error(&error);
        Err::<Response<Full<Bytes>>, _>(error)
    }));
    call(&mut service, get("/")).await.unwrap_err();
    let line = observed.only_request().await;
    assert_line(&line, "ERROR error GET unmatched 500");
    assert_eq!((line.str("error"), line.str("error_type")), ("the backend is away", "std::io::error::Error"));
}

async fn fall_over(_: Asked) -> Result<Response<Full<Bytes>>, Infallible> {
    tokio::task::yield_now().await;
    panic!("the service falls over")
}

/// The line of the panic that came, and the access line, whose ids are the same.
async fn panicked(observed: &Observed) -> Line {
    let line = observed.only_request().await;
    assert_line(&line, "ERROR panic GET unmatched 500");
    let panics: Vec<_> = observed.lines().into_iter().filter(|line| line["target"] == "redpane::panic").collect();
    let [panic] = &panics[..] else { panic!("one line for one panic, not {panics:#?}") };
    assert_eq!((&panic["trace_id"], &panic["span_id"]), (&line["trace_id"], &line["span_id"]));
    panics.into_iter().next().unwrap()
}

#[tokio::test]
async fn a_panic_goes_on_where_it_is_not_to_be_caught() {
    let observed = Observed::with(|redpane| redpane.catch_panics(false));
    let service = observed.telemetry.layer().layer(service_fn(fall_over));
    let ended = tokio::spawn(service.oneshot(get("/"))).await.unwrap_err();
    let payload = ended.into_panic();
    assert_eq!(payload.downcast_ref(), Some(&"the service falls over"), "the panic itself, not another one");
    assert_eq!(panicked(&observed).await["message"], "the service falls over");
    assert_eq!(observed.samples().requests(), [("GET unmatched 500".into(), 1.0)]);
}

/// A panic in the call, before there is a future, comes when the future is polled.
#[tokio::test]
async fn a_panic_in_the_call_goes_on_too() {
    let observed = Observed::with(|redpane| redpane.catch_panics(false));
    let mut service = observed.telemetry.layer().layer(service_fn(|_: Asked| {
        if true {
            panic!("called in vain")
        }
        std::future::ready(Ok::<_, Infallible>(Response::new(Full::<Bytes>::default())))
    }));
    let called = catch_unwind(AssertUnwindSafe(|| service.call(get("/")))).map_err(drop).expect("not yet");
    let payload = tokio::spawn(called).await.unwrap_err().into_panic();
    assert_eq!(payload.downcast_ref(), Some(&"called in vain"));
    assert_eq!(panicked(&observed).await["message"], "called in vain");
}

/// The same for a body, whose headers are sent already: also where the request ended with them.
#[tokio::test]
async fn a_panic_of_the_body_goes_on_too() {
    let observed = Observed::with(|redpane| redpane.catch_panics(false).observe_until_headers(["/events"]));
    let broken = || async { Scripted::body([Step::Data("half"), Step::Panic]) };
    let router: Router = Router::new().route("/", get_by(broken)).route("/events", get_by(broken));
    let router = router.layer(observed.telemetry.layer());
    for path in ["/", "/events"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let body = router.clone().oneshot(request).await.unwrap().into_body();
        let payload = tokio::spawn(body.collect()).await.unwrap_err().into_panic();
        assert_eq!(payload.downcast_ref(), Some(&"the script panics here"));
    }
    let lines = observed.access_lines(2).await;
    assert_line(&lines[0], "ERROR panic GET / 200");
    assert_line(&lines[1], "INFO complete GET /events 200");
    let panics = observed.messages("the script panics here", 2).await;
    // In any order: each line is written once its backtrace has names.
    for line in &lines {
        assert_eq!(panics.iter().filter(|panic| panic["trace_id"] == line["trace_id"]).count(), 1, "{panics:#?}");
    }
}

/// Middleware around the layer that catches panics answers, and the request is counted all the same.
#[tokio::test]
async fn a_router_around_it_may_catch_the_panic() {
    let observed = Observed::with(|redpane| redpane.catch_panics(false).response_headers(false));
    let inner = observed.telemetry.layer().layer(service_fn(fall_over));
    let mut outer = service_fn(move |request: Asked| {
        let called = tokio::spawn(inner.clone().oneshot(request));
        async move {
            let mut response = Response::new(Full::<Bytes>::default());
            if called.await.is_err() {
                *response.status_mut() = StatusCode::BAD_GATEWAY;
            }
            Ok::<_, Infallible>(response)
        }
    });
    assert_eq!(call(&mut outer, get("/")).await.unwrap().status, StatusCode::BAD_GATEWAY);
    panicked(&observed).await;
}

//! Every call is counted once, whatever ends it.

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt;
use test_support::{Observed, Scripted, Step};
use tower::{Service, ServiceExt};

use super::{PEER, assert_counted, client, counted, get, with};

#[tokio::test]
async fn an_answer_is_counted_at_the_end_of_its_body() {
    let observed = Observed::new();
    let answer = client(observed.telemetry.outgoing_layer(PEER), |_| with(200));
    let response = answer.oneshot(get("/")).await.unwrap();
    assert_counted(&observed, []);
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "some text");
    assert_counted(&observed, [("GET stock 200", 1.0)]);
    let seconds = observed.samples().sum("http_client_request_duration_seconds_sum", &[]);
    assert!((0.02..5.0).contains(&seconds), "the body belongs to it: {seconds}");
}

#[tokio::test]
async fn an_answer_without_a_body_is_counted_at_once() {
    let observed = Observed::new();
    let none = async |_| Ok::<_, Infallible>(Response::builder().status(304).body(Body::empty()).unwrap());
    let _kept = client(observed.telemetry.outgoing_layer(PEER), none).oneshot(get("/")).await.unwrap();
    assert_counted(&observed, [("GET stock 304", 1.0)]);
}

#[tokio::test]
async fn trailers_are_the_end_of_a_body() {
    let observed = Observed::new();
    let answer = async |_| {
        let trailers = HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), "0".parse().unwrap())]);
        Ok::<_, Infallible>(Response::new(Scripted::body([Step::Data("x"), Step::Trailers(trailers), Step::Hang])))
    };
    let response = client(observed.telemetry.outgoing_layer(PEER), answer).oneshot(get("/")).await.unwrap();
    let mut body = response.into_body();
    assert!(body.frame().await.unwrap().unwrap().is_data());
    assert_counted(&observed, []);
    assert!(body.frame().await.unwrap().unwrap().is_trailers());
    assert_counted(&observed, [("GET stock 200", 1.0)]);
}

#[tokio::test]
async fn a_body_that_is_not_read_does_not_make_a_failure() {
    let observed = Observed::new();
    let mut answer = client(observed.telemetry.outgoing_layer(PEER), |_| with(404));
    drop(answer.call(get("/")).await.unwrap());
    assert_counted(&observed, [("GET stock 404", 1.0)]);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_failure() {
    let observed = Observed::new();
    let broken = async |_| Ok::<_, Infallible>(Response::new(Scripted::body([Step::Data("x"), Step::Error])));
    let response = client(observed.telemetry.outgoing_layer(PEER), broken).oneshot(get("/")).await.unwrap();
    assert!(response.into_body().collect().await.is_err());
    assert_counted(&observed, [("GET stock body_error", 1.0)]);
}

#[tokio::test]
async fn no_answer_is_a_failure() {
    let observed = Observed::new();
    let refused = async |_| Err::<Response<Body>, _>(io::Error::other("refused"));
    let failed = client(observed.telemetry.outgoing_layer(PEER), refused).oneshot(get("/")).await;
    assert_eq!(failed.unwrap_err().to_string(), "refused", "it is passed on");
    assert_counted(&observed, [("GET stock error", 1.0)]);
}

#[tokio::test]
async fn a_call_that_is_given_up_is_counted() {
    let observed = Observed::new();
    let never = |_| std::future::pending::<Result<Response<Body>, Infallible>>();
    let mut never = client(observed.telemetry.outgoing_layer(PEER), never);
    assert!(tokio::time::timeout(Duration::from_millis(1), never.call(get("/"))).await.is_err());
    drop(never.call(get("/")));
    assert_counted(&observed, [("GET stock cancelled", 2.0)]);
}

#[tokio::test]
async fn a_client_that_panics_is_counted() {
    let observed = Observed::new();
    static PANICS: AtomicBool = AtomicBool::new(true);
    let answer = async |_| match PANICS.load(Ordering::Relaxed) {
        true => panic!("on purpose"),
        false => with(200).await,
    };
    let panics = client(observed.telemetry.outgoing_layer(PEER), answer).oneshot(get("/"));
    assert!(tokio::spawn(panics).await.is_err());
    assert_counted(&observed, [("GET stock cancelled", 1.0)]);
}

#[tokio::test]
async fn an_endless_answer_ends_at_its_headers_where_it_is_asked_for() {
    let observed = Observed::new();
    let endless = async |_| Ok::<_, Infallible>(Response::new(Scripted::body([Step::Endless(b"x"), Step::Error])));
    let layer = observed.telemetry.outgoing_layer(PEER).until_headers();
    let response = client(layer, endless).oneshot(get("/")).await.unwrap();
    assert_counted(&observed, [("GET stock 200", 1.0)]);
    let mut body = response.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    drop(body);
    assert_counted(&observed, [("GET stock 200", 1.0)]);
}

#[tokio::test]
async fn the_first_failure_is_visible_to_rate() {
    let observed = Observed::new();
    let (telemetry, zero) = (&observed.telemetry, |error: &str| {
        let samples = observed.samples();
        samples.value("http_client_requests_total", &[("method", "GET"), ("peer", PEER), ("error", error)])
    });
    let mut answer = client(telemetry.outgoing_layer(PEER).errors_by(["slow"], |_: &Infallible| "slow"), |_| with(200));
    let call = answer.call(get("/"));
    assert_eq!(["error", "body_error", "slow"].map(zero), [0.0; 3], "while the first call is under way");
    drop(call.await);
    let failed = observed.samples().value("http_client_requests_total", &[("status", "500")]);
    assert_eq!(failed, 0.0);

    let observed = Observed::new();
    assert!(!observed.telemetry.render(redpane::ExpositionFormat::Text).contains("http_client"), "nobody calls");
    let _ = observed.telemetry.outgoing_layer(PEER).preregister(http::Method::POST);
    for status in ["200", "500"] {
        let labels = [("method", "POST"), ("peer", PEER), ("status", status)];
        assert_eq!(observed.samples().value("http_client_requests_total", &labels), 0.0);
    }
}

#[test]
fn calls_on_eight_threads_are_all_counted_and_every_scrape_agrees() {
    let observed = Observed::new();
    let (calls, done) = (1_000, AtomicBool::new(false));
    std::thread::scope(|scope| {
        let scraper = scope.spawn(|| {
            let mut before = 0.0;
            while !done.load(Ordering::Relaxed) {
                // Checks each label set.
                let now: f64 = counted(&observed).iter().map(|(_, count)| count).sum();
                assert!(now >= before, "{now} after {before}");
                before = now;
            }
        });
        let callers: Vec<_> = (0..8_u16)
            .map(|thread| {
                let layer = observed.telemetry.outgoing_layer(PEER);
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    let mut answer = client(layer, move |_| with(200 + thread % 2));
                    for _ in 0..calls {
                        let response = runtime.block_on(answer.call(get("/"))).unwrap();
                        assert!(matches!(response.status(), StatusCode::OK | StatusCode::CREATED));
                    }
                })
            })
            .collect();
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        done.store(true, Ordering::Relaxed);
        scraper.join().unwrap();
    });
    let each = f64::from(4 * calls);
    assert_counted(&observed, [("GET stock 200", each), ("GET stock 201", each)]);
}

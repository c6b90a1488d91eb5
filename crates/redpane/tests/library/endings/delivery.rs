//! Servers that tell what became of an answer.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use http::Request;
use http_body_util::BodyExt;
use redpane::{ClientAddr, Delivery};
use test_support::{Line, Observed, Scripted, Step};
use tower::ServiceExt;

use super::{asked, assert_line};

/// An answer of ten bytes whose server tells about its delivery.
struct Delivered {
    observed: Observed,
    delivery: Delivery,
    body: Body,
}

impl Delivered {
    async fn to(mut request: Request<Body>, handler: Router) -> Self {
        let observed = Observed::new();
        let delivery = Delivery::default();
        request.extensions_mut().insert(delivery.clone());
        let answer = observed.telemetry.clone().instrument(handler).oneshot(request).await.unwrap();
        Self { observed, delivery, body: answer.into_body() }
    }

    async fn ten_bytes() -> Self {
        Self::to(asked(), Router::new().route("/", get(|| async { "ten bytes!" }))).await
    }

    fn lines(&self) -> Vec<Line> {
        self.observed.lines().into_iter().filter(Line::is_access).collect()
    }
}

#[tokio::test]
async fn the_request_ends_with_the_delivery() {
    let answer = Delivered::ten_bytes().await;
    assert_eq!(answer.body.collect().await.unwrap().to_bytes(), "ten bytes!");
    assert_eq!(answer.observed.telemetry.in_flight(), 1, "taken, but not delivered");
    answer.delivery.handed_over(10);
    answer.delivery.clone().end(true);
    assert_eq!(answer.observed.telemetry.in_flight(), 0, "though another handle is there");
    answer.delivery.end(false);
    let line = answer.observed.only_request().await;
    assert_line(&line, "INFO complete GET / 200");
    assert_eq!(line["response_bytes"], 10);
}

#[tokio::test]
async fn the_only_handle_ends_it_too() {
    let answer = Delivered::ten_bytes().await;
    drop(answer.body.collect().await.unwrap());
    answer.delivery.handed_over(4);
    answer.delivery.handed_over(6);
    answer.delivery.end(true);
    assert_eq!(answer.observed.telemetry.in_flight(), 0);
    let line = answer.observed.only_request().await;
    assert_line(&line, "INFO complete GET / 200");
    assert_eq!(line["response_bytes"], 10);
}

#[tokio::test]
async fn an_answer_that_was_not_delivered_is_aborted() {
    let answer = Delivered::ten_bytes().await;
    drop(answer.body.collect().await.unwrap());
    answer.delivery.handed_over(3);
    answer.delivery.end(false);
    let line = answer.observed.only_request().await;
    assert_line(&line, "WARN aborted GET / 200");
    assert_eq!(line["response_bytes"], 3);
}

#[tokio::test]
async fn a_server_that_says_nothing_has_delivered_nothing() {
    let answer = Delivered::ten_bytes().await;
    drop(answer.body.collect().await.unwrap());
    drop(answer.delivery);
    let line = answer.observed.only_request().await;
    assert_line(&line, "WARN aborted GET / 200");
    assert_eq!(line["response_bytes"], 0);
}

#[tokio::test]
async fn a_body_that_is_dropped_in_the_middle_says_what_was_handed_over() {
    let body = || async { Scripted::body([Step::Data("ten bytes!"), Step::Hang]) };
    let router = Router::new().route("/", get(body));
    let mut answer = Delivered::to(asked(), router).await;
    drop(answer.body.frame().await.unwrap().unwrap());
    answer.delivery.handed_over(7);
    drop(answer.body);
    let line = answer.observed.only_request().await;
    assert_line(&line, "WARN aborted GET / 200");
    assert_eq!(line["response_bytes"], 7);
}

#[tokio::test]
async fn the_end_may_come_before_the_body_ends() {
    let answer = Delivered::ten_bytes().await;
    answer.delivery.handed_over(10);
    answer.delivery.clone().end(true);
    assert!(answer.lines().is_empty(), "its body has not ended");
    drop(answer.body.collect().await.unwrap());
    assert_line(&answer.observed.only_request().await, "INFO complete GET / 200");
}

#[tokio::test]
async fn a_panic_and_an_empty_answer_stay_what_they_are() {
    let panics = || async {
        if true {
            panic!("as it happens")
        }
    };
    let answer = Delivered::to(asked(), Router::new().route("/", get(panics))).await;
    drop(answer.body.collect().await.unwrap());
    answer.delivery.end(false);
    let line = answer.observed.access_lines(1).await.remove(0);
    assert_line(&line, "ERROR panic GET / 500");
    assert_eq!(line["response_bytes"], 0);

    let answer = Delivered::to(asked(), Router::new().route("/", get(|| async {}))).await;
    assert_line(&answer.observed.only_request().await, "INFO complete GET / 200");
}

#[tokio::test]
async fn it_says_who_the_client_is_where_the_request_does_not() {
    let client = |line: Line| line["client"].clone();
    let to = SocketAddr::from(([192, 0, 2, 1], 443));
    let ask = async |mut request: Request<Body>| {
        let observed = Observed::new();
        request.extensions_mut().insert(Delivery::to(to));
        let handler = Router::new().route("/", get(|| async {}));
        let answer = observed.telemetry.clone().instrument(handler).oneshot(request).await.unwrap();
        drop(answer);
        observed.only_request().await
    };
    assert_eq!(client(ask(asked()).await), to.to_string());
    let mut told = asked();
    told.extensions_mut().insert(ClientAddr(([192, 0, 2, 2], 0).into()));
    assert_eq!(client(ask(told).await), "192.0.2.2");
}

#[tokio::test]
async fn the_next_request_that_is_observed_takes_what_is_offered() {
    let observed = Observed::new();
    let handler = Router::new().route("/", get(|| async { "ten bytes!" }));
    let inside = observed.telemetry.clone().instrument(handler);
    let outside = Router::new().route("/not/observed", get(|| async {})).merge(inside);
    let (offered, told) = (Delivery::default(), Delivery::default());
    let mut slot = Some(offered.clone());
    let ask = async |slot: &mut Option<Delivery>, path: &str| {
        let mut request = Request::get(path).body(Body::empty()).unwrap();
        request.extensions_mut().insert(told.clone());
        let mut answer = pin!(outside.clone().oneshot(request));
        poll_fn(|context| Delivery::offer(slot, || answer.as_mut().poll(context))).await.unwrap().into_body()
    };
    drop(ask(&mut slot, "/not/observed").await);
    let panicked = catch_unwind(AssertUnwindSafe(|| Delivery::offer(&mut slot, || panic!("as it happens"))));
    assert!(panicked.is_err());
    assert!(slot.is_some(), "nobody took it");

    let body = ask(&mut slot, "/").await;
    assert!(slot.is_none());
    drop(body.collect().await.unwrap());
    told.end(true);
    assert_eq!(observed.telemetry.in_flight(), 1, "the one in the extensions is not asked");
    offered.handed_over(10);
    offered.end(true);
    assert_line(&observed.only_request().await, "INFO complete GET / 200");
    assert_eq!(Delivery::offer(&mut None, || 7), 7, "nothing need be offered");
}

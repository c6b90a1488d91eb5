//! Panics in every place: the client gets an answer where one is still possible, the log says where it happened.

use std::panic::resume_unwind;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::get;
use http::StatusCode;
use test_support::client::{self, Answer};
use test_support::{Line, Observed, Scripted, Step};
use tokio::task::{JoinHandle, spawn_blocking};
use tower::{Layer, Service};

use super::{asked, assert_line};

/// Serves a router whose request panics; gives the answer, the access line and the line of the panic.
async fn panicking(router: Router) -> (Answer, Line, Line) {
    let observed = Observed::new();
    let answer = client::send(observed.serve(router).await, asked()).await;
    let line = observed.only_request().await;
    answer.belongs_to(&line);
    let mut panics: Vec<_> = observed.lines().into_iter().filter(|line| line["target"] == "redpane::panic").collect();
    assert_eq!(panics.len(), 1, "a panic has one line: {panics:#?}");
    let panic = panics.remove(0);
    assert_eq!((&panic["trace_id"], &panic["span_id"]), (&line["trace_id"], &line["span_id"]));
    assert_eq!(panic["level"], "ERROR");
    (answer, line, panic)
}

fn assert_is_a_problem(answer: &Answer, line: &Line) {
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let problem: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!((&problem["status"], &problem["trace_id"]), (&500.into(), &line["trace_id"]));
    assert_eq!(line["response_bytes"], answer.body.len());
}

async fn fall_over() -> &'static str {
    if true {
        panic!("the handler falls over")
    }
    "never"
}

#[tokio::test]
async fn panic_in_the_handler() {
    let (answer, line, panic) = panicking(Router::new().route("/", get(fall_over))).await;
    assert_is_a_problem(&answer, &line);
    assert_line(&line, "ERROR panic GET / 500");
    assert_eq!(panic["message"], "the handler falls over");
    assert!(panic.str("location").contains("panics.rs:"), "{}", panic.text);
    assert!(panic.str("backtrace").contains("fall_over"), "the backtrace names the function: {}", panic.text);
}

#[tokio::test]
async fn panic_after_an_await() {
    let handler = || async {
        tokio::task::yield_now().await;
        if true {
            panic!("number {}", 17);
        }
    };
    let (answer, line, panic) = panicking(Router::new().route("/", get(handler))).await;
    assert_is_a_problem(&answer, &line);
    assert_eq!(panic["message"], "number 17");
}

async fn pass_on() -> &'static str {
    let task: JoinHandle<()> = spawn_blocking(|| resume_unwind(Box::new("passed on")));
    resume_unwind(task.await.unwrap_err().into_panic())
}

#[tokio::test]
async fn panic_that_goes_on_from_another_task() {
    // No hook runs for this one; it must be logged all the same.
    let (answer, line, panic) = panicking(Router::new().route("/", get(pass_on))).await;
    assert_is_a_problem(&answer, &line);
    assert_line(&line, "ERROR panic GET / 500");
    assert_eq!(panic["message"], "passed on");
}

/// A middleware that panics when it is called, not when it is polled.
#[derive(Clone)]
struct PanicOnCall;

impl<S> Layer<S> for PanicOnCall {
    type Service = Self;

    fn layer(&self, _: S) -> Self {
        Self
    }
}

impl Service<Request> for PanicOnCall {
    type Response = Response;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request) -> Self::Future {
        panic!("the middleware falls over")
    }
}

#[tokio::test]
async fn panic_in_the_call_of_a_middleware() {
    let router = Router::new().route("/", get(|| async { "never" })).layer(PanicOnCall);
    let (answer, line, panic) = panicking(router).await;
    assert_is_a_problem(&answer, &line);
    assert_line(&line, "ERROR panic GET / 500");
    assert_eq!(panic["message"], "the middleware falls over");
}

#[tokio::test]
async fn panic_in_the_body() {
    let router =
        Router::new().route("/", get(|| async { Scripted::body([Step::Data("half"), Step::Pause, Step::Panic]) }));
    let (answer, line, panic) = panicking(router).await;
    assert!(!answer.whole, "the client must see that the body is broken");
    assert_line(&line, "ERROR panic GET / 200");
    assert_eq!(line["response_bytes"], 4);
    assert_eq!(panic["message"], "the script panics here");
}

struct PanicOnDrop;

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        panic!("the destructor falls over");
    }
}

#[tokio::test]
async fn panic_in_a_destructor_of_the_body() {
    let handler = || async { Scripted::body_with([Step::Data("all")], PanicOnDrop) };
    let (answer, line, panic) = panicking(Router::new().route("/", get(handler))).await;
    assert!(answer.whole, "the body was whole before");
    assert_line(&line, "INFO complete GET / 200");
    assert_eq!(panic["message"], "the destructor falls over");
}

#[tokio::test]
async fn panic_in_a_destructor_of_a_body_that_nobody_reads() {
    let handler = || async { (StatusCode::NO_CONTENT, Scripted::body_with([Step::Data("all")], PanicOnDrop)) };
    let (answer, line, panic) = panicking(Router::new().route("/", get(handler))).await;
    assert!(answer.whole);
    assert_line(&line, "INFO complete GET / 204");
    assert_eq!(panic["message"], "the destructor falls over");
}

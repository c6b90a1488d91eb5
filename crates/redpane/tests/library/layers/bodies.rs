//! Bodies of any data and any error, in both directions.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io::Cursor;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full};
use redpane::ResponseBodyError;
use serde_json::Value;
use test_support::Observed;
use tower::{Layer, ServiceExt, service_fn};

use super::{assert_line, call, get};

type Asked = Request<Empty<Bytes>>;

/// Without any trait of errors.
#[derive(Debug, PartialEq)]
struct Broken(u32);

/// Frames without an announced length.
#[derive(Default)]
struct Frames(VecDeque<Result<Frame<Bytes>, Broken>>);

impl Frames {
    fn of<const N: usize>(frames: [Result<Frame<Bytes>, Broken>; N]) -> Self {
        Self(frames.into())
    }
}

fn data(text: &'static str) -> Result<Frame<Bytes>, Broken> {
    Ok(Frame::data(text.into()))
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Poll::Ready(self.0.pop_front())
    }
}

#[tokio::test]
async fn an_error_of_any_type_passes_through() {
    let observed = Observed::new();
    let mut service = observed.telemetry.layer().layer(service_fn(|_: Asked| async {
        Ok::<_, Infallible>(Response::new(Frames::of([data("half"), Err(Broken(17))])))
    }));
    let answer = call(&mut service, get("/")).await.unwrap();
    assert!(matches!(answer.body, Err(ResponseBodyError::Body(Broken(17)))), "{answer:?}");
    let line = observed.only_request().await;
    assert_line(&line, "ERROR body_error GET unmatched 200");
    assert_eq!(line["response_bytes"], 4);
}

type Pieces = Full<Cursor<Vec<u8>>>;

#[tokio::test]
async fn data_need_not_be_bytes() {
    let observed = Observed::new();
    let mut service = observed.telemetry.layer().layer(service_fn(|_: Asked| async {
        Ok::<_, Infallible>(Response::new(Pieces::new(Cursor::new(b"hello".to_vec()))))
    }));
    let answer = call(&mut service, get("/")).await.unwrap();
    assert_eq!(answer.body.unwrap(), "hello");
    let line = observed.only_request().await;
    assert_line(&line, "INFO complete GET unmatched 200");
    assert_eq!(line["response_bytes"], 5);
}

async fn fall_over(_: Asked) -> Result<Response<Pieces>, Infallible> {
    panic!("the service falls over")
}

/// A text cannot become data of an unknown type, and nothing may be promised that does not come.
#[tokio::test]
async fn a_panic_where_data_is_not_bytes_is_an_empty_500() {
    let observed = Observed::new();
    let mut service = observed.telemetry.layer().layer(service_fn(fall_over));
    let answer = call(&mut service, get("/")).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.unwrap()), (500, Bytes::new()));
    assert_eq!(answer.headers.get("content-type"), None);
    assert_eq!(answer.headers.get("content-length"), None);
    let line = observed.only_request().await;
    assert_eq!(answer.headers["x-trace-id"], line.str("trace_id"));
    assert_line(&line, "ERROR panic GET unmatched 500");
    assert_eq!(line["response_bytes"], 0);
    assert_eq!(observed.messages("the service falls over", 1).await[0]["trace_id"], line["trace_id"]);
}

#[tokio::test]
async fn the_size_of_a_request_body_is_known_by_its_length_only() {
    let observed = Observed::new();
    let mut service = observed.telemetry.layer().layer(service_fn(|request: Request<Frames>| async {
        Ok::<_, Infallible>(Response::new(Full::new(request.into_body().collect().await.unwrap().to_bytes())))
    }));
    let request = Request::post("/").body(Frames::of([data("seven"), data("teen!")])).unwrap();
    assert_eq!(call(&mut service, request).await.unwrap().body.unwrap(), "seventeen!");

    let mut service = observed.telemetry.layer().layer(service_fn(super::hello));
    let request = Request::post("/").body(Full::<Bytes>::from("four")).unwrap();
    call(&mut service, request).await.unwrap();

    let lines = observed.access_lines(2).await;
    assert_eq!((&lines[0]["request_bytes"], &lines[0]["response_bytes"]), (&Value::Null, &10.into()));
    assert_eq!(lines[1]["request_bytes"], 4);
    let labels = [("method", Method::POST.as_str()), ("route", "unmatched")];
    let samples = observed.samples();
    assert_eq!(samples.value("http_request_size_bytes_count", &labels), 1.0, "no size is made up");
    assert_eq!(samples.value("http_request_size_bytes_sum", &labels), 4.0);
}

/// A request ends with its trailers, not with its data.
#[tokio::test]
async fn trailers_are_the_end() {
    let observed = Observed::new();
    let service = observed.telemetry.layer().layer(service_fn(|_: Asked| async {
        let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
        Ok::<_, Infallible>(Response::new(Frames::of([data("hello"), Ok(Frame::trailers(trailers))])))
    }));
    let mut body = service.oneshot(get("/")).await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "hello");
    assert_eq!(observed.telemetry.in_flight(), 1);
    let trailers = body.frame().await.unwrap().unwrap().into_trailers().unwrap();
    assert_eq!(trailers["grpc-status"], "0");
    // Nobody asks for more after trailers, and nobody needs to.
    let line = observed.only_request().await;
    assert_line(&line, "INFO complete GET unmatched 200");
    assert_eq!(line["response_bytes"], 5);
    assert!(body.frame().await.is_none() && body.is_end_stream());
}

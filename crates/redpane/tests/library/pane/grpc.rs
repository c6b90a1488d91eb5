//! gRPC calls that fail do so under the status 200. For the pane they are errors all the same.

use std::convert::Infallible;

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use serde_json::Value;
use test_support::{Scripted, Step, eventually};
use tower::{Layer, ServiceExt, service_fn};

use super::Shown;

/// Ends with the code that the method is named after; `Two` has two messages before it.
async fn method(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    const ONE: Step = Step::Data("\0\0\0\0\u{1}a");
    let name = request.uri().path().rsplit('/').next().unwrap();
    let code = request.headers().get("x-code").cloned().unwrap_or(HeaderValue::from_static("0"));
    let trailers = Step::Trailers(HeaderMap::from_iter([("grpc-status".parse().unwrap(), code)]));
    let body = match name {
        "Two" => Scripted::body([ONE, ONE, trailers]),
        _ => Scripted::body([ONE, trailers]),
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    Ok(response)
}

async fn call(shown: &Shown, name: &str, code: &str, times: usize) {
    for _ in 0..times {
        let request = Request::post(format!("/shop.Orders/{name}"))
            .header(header::CONTENT_TYPE, "application/grpc")
            .header("x-code", code)
            .body(Body::empty())
            .unwrap();
        let service = shown.observed.telemetry.layer().layer(service_fn(method));
        service.oneshot(request).await.unwrap().into_body().collect().await.unwrap();
    }
}

fn sum(series: &Value, name: &str, label: &str) -> f64 {
    let lines = series["series"].as_array().unwrap();
    let line = lines.iter().find(|line| line["name"] == name && line["label"] == label).unwrap();
    line["values"].as_array().unwrap().iter().filter_map(Value::as_f64).sum()
}

#[tokio::test]
async fn a_code_that_is_the_servers_fault_is_an_error() {
    let shown = Shown::new().await;
    // NotFound is the client's, Internal and Unavailable are the server's.
    call(&shown, "Fine", "0", 10).await;
    call(&shown, "Find", "5", 4).await;
    call(&shown, "Pay", "0", 4).await;
    call(&shown, "Pay", "13", 5).await;
    call(&shown, "Pay", "14", 1).await;
    shown.overview_of(24).await;
    // The last hour is summed in steps of ten seconds, of which the running one is not over.
    let overview = eventually("the budget burns", async || {
        let overview = shown.json("/api/overview").await;
        (overview["rules"][2]["state"] == "burning").then_some(overview)
    })
    .await;
    assert_eq!((&overview["totals"]["error_ratio"], &overview["state"]), (&0.25.into(), &"burning".into()));
    let routes = overview["routes"].as_array().unwrap();
    let pay = &routes[0];
    assert_eq!(
        (&pay["route"], &pay["requests"], &pay["error_ratio"]),
        (&"/shop.Orders/Pay".into(), &10.into(), &0.6.into())
    );
    assert!(routes[1..].iter().all(|route| route["error_ratio"] == 0.0), "{overview}");
    let rules = overview["rules"].as_array().unwrap();
    let states: Vec<_> = rules.iter().map(|rule| rule["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["burning", "ok", "burning", "ok", "ok"]);
    assert_eq!(
        rules[0]["detail"],
        "6 of 24 requests were answered 5xx, or ended with a gRPC code that is the server's fault, in the last 2 minutes; \
         most by POST /shop.Orders/Pay (6 of 10)"
    );
    assert!(rules[0]["query"].as_str().unwrap().contains("grpc_server_handled_total"), "{overview}");
    let series = shown.json("/api/series?name=requests&name=errors&name=error_ratio").await;
    assert_eq!((sum(&series, "requests", "2xx"), sum(&series, "requests", "5xx")), (18.0, 6.0));
    assert_eq!(sum(&series, "errors", "5xx"), 6.0);
}

#[tokio::test]
async fn a_stream_that_fails_is_one_when_it_fails() {
    let shown = Shown::new().await;
    // Known to stream from its first answer on: the request of the second is over at its headers.
    call(&shown, "Two", "0", 1).await;
    shown.overview_of(1).await;
    call(&shown, "Two", "13", 1).await;
    let overview = shown.overview_of(2).await;
    let errors = eventually("the failed stream is shown", async || {
        let overview = shown.json("/api/overview").await;
        (overview["rules"][0]["value"] == 1.0).then_some(overview)
    });
    assert_eq!(errors.await["totals"]["error_ratio"], 0.5, "{overview}");
}

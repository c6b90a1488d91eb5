//! A router between other layers.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use http::{Request, StatusCode};
use redpane::{ClientAddr, ResponseBody, TimedOut};
use test_support::Observed;
use tower::{Layer, ServiceBuilder};
use tower_http::timeout::TimeoutLayer;

use super::{assert_line, call};

fn router() -> Router {
    Router::new()
        .route("/hello/{name}", get(|| async { "hello" }))
        .route("/hang/{name}", get(std::future::pending::<&str>))
}

fn asked(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn stamped(mut response: Response) -> Response {
    response.headers_mut().insert("x-stamp", "seen".parse().unwrap());
    response
}

/// Layers of the application inside of the layer and around it, all of them inside of the router, where its templates
/// are known.
#[tokio::test]
async fn layers_inside_and_around() {
    let observed = Observed::new();
    let around = |response: http::Response<ResponseBody<Body>>| {
        assert!(redpane::current().is_none(), "the request begins with the layer");
        response
    };
    let inside = |response: Response| {
        assert!(redpane::current().is_some());
        stamped(response)
    };
    let layers = ServiceBuilder::new().map_response(around).layer(observed.telemetry.layer()).map_response(inside);
    let mut router: Router = router().layer(layers);
    let answer = call(&mut router, asked("/hello/ada")).await.unwrap();
    assert_eq!((&answer.headers["x-stamp"], answer.body.unwrap()), (&"seen".parse().unwrap(), "hello".into()));
    let line = observed.only_request().await;
    assert_eq!(answer.headers["x-request-id"], line.str("request_id"));
    assert_line(&line, "INFO complete GET /hello/{name} 200");
}

#[tokio::test]
async fn the_client_is_whom_the_server_says() {
    let observed = Observed::new();
    let mut router: Router = router().layer(observed.telemetry.layer());
    let addresses = ["203.0.113.9:56324", "[2001:db8::9]:56324", "203.0.113.9:0", "[2001:db8::9]:0"];
    for address in addresses {
        let mut asked = asked("/hello/ada");
        asked.extensions_mut().insert(ClientAddr(address.parse().unwrap()));
        assert!(call(&mut router, asked).await.is_ok());
    }
    let lines = observed.access_lines(4).await;
    let clients: Vec<_> = lines.iter().map(|line| line.str("client")).collect();
    assert_eq!(clients, [addresses[0], addresses[1], "203.0.113.9", "2001:db8::9"], "port 0 is not known");
}

/// Around a whole router nobody knows its templates yet.
#[tokio::test]
async fn around_a_router_a_function_gives_the_label() {
    let observed = Observed::with(|redpane| {
        redpane.route_label(|parts| parts.uri.path().starts_with("/hello/").then(|| "/hello/{name}".to_owned()))
    });
    let mut service = ServiceBuilder::new()
        .map_response(|response: http::Response<ResponseBody<Body>>| response)
        .layer(observed.telemetry.layer())
        .map_response(stamped)
        .service(router());
    for path in ["/hello/ada", "/nowhere"] {
        let answer = call(&mut service, asked(path)).await.unwrap();
        assert_eq!(answer.headers["x-stamp"], "seen");
    }
    let lines = observed.access_lines(2).await;
    assert_line(&lines[0], "INFO complete GET /hello/{name} 200");
    assert_line(&lines[1], "WARN complete GET unmatched 404");
}

/// A timeout that answers with a status of its own is recognised; with another status its author marks it.
#[tokio::test]
async fn timeouts_inside_are_timeouts() {
    let observed = Observed::new();
    let limit = Duration::from_millis(1);
    let mark = |mut response: Response| {
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            response.extensions_mut().insert(TimedOut);
        }
        response
    };
    let plain = TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, limit);
    let mut plain: Router = router().layer(ServiceBuilder::new().layer(observed.telemetry.layer()).layer(plain));
    let marked = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, limit);
    let layers = ServiceBuilder::new().layer(observed.telemetry.layer()).map_response(mark).layer(marked);
    let mut marked: Router = router().layer(layers);
    assert_eq!(call(&mut plain, asked("/hang/ada")).await.unwrap().status, 408);
    assert_eq!(call(&mut marked, asked("/hang/ada")).await.unwrap().status, 503);
    let lines = observed.access_lines(2).await;
    assert_line(&lines[0], "WARN timeout GET /hang/{name} 408");
    assert_line(&lines[1], "ERROR timeout GET /hang/{name} 503");
}

/// A timeout around the layer drops the request: for the layer its client has left.
#[tokio::test]
async fn a_timeout_around_it_is_a_client_that_left() {
    let observed = Observed::new();
    let limit = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_millis(1));
    let mut router: Router = router().layer(observed.telemetry.layer()).layer(limit);
    assert_eq!(call(&mut router, asked("/hang/ada")).await.unwrap().status, 504);
    assert_line(&observed.only_request().await, "WARN aborted GET /hang/{name} 499");
}

/// The error of tower's own timeout is not an answer.
#[tokio::test]
async fn an_error_of_a_layer_between() {
    let observed = Observed::new();
    let failing = tower::layer::layer_fn(|_inner: Router| {
        tower::service_fn(|_: Request<Body>| async { Err::<Response, _>(std::io::Error::other("shed")) })
    });
    let mut service = observed.telemetry.layer().layer(failing.layer(router()));
    let error = call(&mut service, asked("/hello/ada")).await.unwrap_err();
    assert_eq!(error.to_string(), "shed");
    assert_line(&observed.only_request().await, "ERROR error GET unmatched 500");
}

/// What an application writes that hands its whole stack to `axum::serve`.
#[tokio::test]
async fn the_stack_is_served_by_axum() {
    let observed = Observed::new();
    let stack = ServiceBuilder::new().layer(observed.telemetry.layer()).service(router());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::<()>::new().fallback_service(stack);
    tokio::spawn(async move { axum::serve(listener, app).await });
    let answer = test_support::client::get(address, "/hello/ada").await;
    answer.belongs_to(&observed.only_request().await);
}

//! The label `route` where axum gives none: by the builder's function, by gRPC, else `unmatched`.

use std::convert::Infallible;
use std::task::{Context, Waker};

use axum::Router;
use axum::body::Body;
use axum::routing::{any, get as got};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::{Empty, Full};
use test_support::Observed;
use tower::{Layer, ServiceExt, service_fn};

use super::{assert_line, call, get, hello};

fn label(parts: &Parts) -> Option<String> {
    match parts.uri.path() {
        "/empty" => Some(String::new()),
        path => path.starts_with("/v1/").then(|| format!("{} /v1/{{*path}}", parts.headers.len())),
    }
}

#[tokio::test]
async fn the_builders_function_labels_what_nobody_else_does() {
    let observed = Observed::with(|redpane| redpane.route_label(label));
    let mut service = observed.telemetry.layer().layer(service_fn(hello));
    for path in ["/v1/orders", "/v1/orders/17", "/", "/empty"] {
        call(&mut service, get(path)).await.unwrap();
    }
    let with_a_header = Request::get("/v1/").header("accept", "*/*").body(Empty::<Bytes>::new()).unwrap();
    call(&mut service, with_a_header).await.unwrap();
    observed.access_lines(5).await;
    let expected = [("GET 0 /v1/{*path} 200", 2.0), ("GET 1 /v1/{*path} 200", 1.0), ("GET unmatched 200", 2.0)];
    assert_eq!(observed.samples().requests(), expected.map(|(labels, count)| (labels.into(), count)));
}

/// What axum knows is better; for what it does not match the function is asked.
#[tokio::test]
async fn the_builders_function_labels_a_routers_fallback() {
    let observed = Observed::with(|redpane| redpane.route_label(label));
    let router = Router::new().route("/v1/orders", got(|| async { "orders" })).fallback(|| async { "anything" });
    let mut router: Router = router.layer(observed.telemetry.layer());
    for path in ["/v1/orders", "/v1/nowhere", "/nowhere"] {
        call(&mut router, Request::get(path).body(Body::empty()).unwrap()).await.unwrap();
    }
    observed.access_lines(3).await;
    let expected = [("GET /v1/orders 200", 1.0), ("GET 0 /v1/{*path} 200", 1.0), ("GET unmatched 200", 1.0)];
    let mut expected = expected.map(|(labels, count)| (labels.to_owned(), count));
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(observed.samples().requests(), expected);
}

fn grpc<B>(path: &str, body: B) -> Request<B> {
    Request::post(path).header(header::CONTENT_TYPE, "application/grpc+proto").body(body).unwrap()
}

/// As tonic and others answer: an unknown method is `UNIMPLEMENTED`, in the headers.
async fn greeter<B>(request: Request<B>) -> Result<Response<Full<Bytes>>, Infallible> {
    let code = match request.uri().path() {
        "/greet.Greeter/Hello" => None,
        "/greet.Greeter/Refused" => Some("7"),
        _ => Some("12"),
    };
    let mut response = Response::new(Full::default());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    if let Some(code) = code {
        response.headers_mut().insert("grpc-status", HeaderValue::from_static(code));
    }
    Ok(response)
}

#[tokio::test]
async fn a_grpc_method_is_a_label_if_there_is_one() {
    let observed = Observed::new();
    let mut service = observed.telemetry.layer().layer(service_fn(greeter));
    for path in [
        "/greet.Greeter/Hello",
        "/greet.Greeter/Refused",
        "/greet.Greeter/Nothing",
        "/other.Service/Hello",
        "/",
        "/a/b/c",
    ] {
        call(&mut service, grpc(path, Empty::<Bytes>::new())).await.unwrap();
    }
    let lines = observed.access_lines(6).await;
    let routes: Vec<_> = lines.iter().map(|line| line.str("route")).collect();
    // Whoever refuses a call may do so whatever it names, as a check of credentials does in front of all methods.
    assert_eq!(routes, ["/greet.Greeter/Hello", "unmatched", "unmatched", "unmatched", "unmatched", "unmatched"]);
}

/// The application's function must not take the request with it.
#[tokio::test]
async fn a_label_function_that_panics_or_names_the_overflow() {
    let observed = Observed::with(|redpane| {
        redpane.route_label(|parts| match parts.uri.path() {
            "/panic" => panic!("the label falls over"),
            _ => Some("_overflow".into()),
        })
    });
    let mut service = observed.telemetry.layer().layer(service_fn(hello));
    for path in ["/panic", "/other", "/other"] {
        call(&mut service, get(path)).await.unwrap();
    }
    observed.access_lines(3).await;
    let expected = [("GET _overflow 200", 2.0), ("GET unmatched 200", 1.0)];
    assert_eq!(observed.samples().requests(), expected.map(|(labels, count)| (labels.into(), count)));
}

/// A method path is a label because of gRPC only.
#[tokio::test]
async fn a_method_path_without_grpc_is_no_label() {
    let observed = Observed::new();
    let mut service = observed.telemetry.layer().layer(service_fn(hello));
    call(&mut service, get("/greet.Greeter/Hello")).await.unwrap();
    assert_line(&observed.only_request().await, "INFO complete GET unmatched 200");
}

/// Anybody can write `application/grpc` above a request. What answers with something else is no method.
#[tokio::test]
async fn a_grpc_request_to_something_else_makes_no_labels() {
    let observed = Observed::with(|redpane| {
        redpane.route_label(|parts| parts.uri.path().starts_with("/labelled/").then(|| "/labelled/{name}".into()))
    });
    let mut service = observed.telemetry.layer().layer(service_fn(hello));
    for path in ["/anything/a", "/anything/b", "/labelled/a"] {
        call(&mut service, grpc(path, Empty::<Bytes>::new())).await.unwrap();
    }
    let router = Router::new().route("/users/{name}", any(|| async { "a user" })).fallback(|| async { "anything" });
    let mut router: Router = router.layer(observed.telemetry.layer());
    for path in ["/users/ada", "/users/alan", "/what/ever"] {
        call(&mut router, grpc(path, Body::empty())).await.unwrap();
    }
    let lines = observed.access_lines(6).await;
    let routes: Vec<_> = lines.iter().map(|line| line.str("route")).collect();
    let expected = ["unmatched", "unmatched", "/labelled/{name}", "/users/{name}", "/users/{name}", "unmatched"];
    assert_eq!(routes, expected);
}

/// A panic is no answer: nobody knows what panicked.
#[tokio::test]
async fn a_grpc_method_that_panics_at_its_first_call() {
    let observed = Observed::new();
    let mut service = observed.telemetry.layer().layer(service_fn(|request: Request<Empty<Bytes>>| async {
        if request.method() == Method::POST {
            panic!("the method falls over")
        }
        hello(request).await
    }));
    call(&mut service, grpc("/greet.Greeter/Hello", Empty::new())).await.unwrap();
    assert_line(&observed.only_request().await, "ERROR panic POST unmatched 500");
}

/// Who left before the answer did not learn whether there is such a method.
#[tokio::test]
async fn a_grpc_client_that_leaves_before_the_answer() {
    let observed = Observed::new();
    let service = observed.telemetry.layer().layer(service_fn(|_: Request<Empty<Bytes>>| {
        std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>()
    }));
    let mut calling = Box::pin(service.oneshot(grpc("/greet.Greeter/Hello", Empty::<Bytes>::new())));
    assert!(calling.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    drop(calling);
    assert_line(&observed.only_request().await, "WARN aborted POST unmatched 499");
}

/// The tonic way to be inside of an axum router: the template is the service's, the label is the method's.
#[tokio::test]
async fn grpc_inside_of_a_router() {
    let observed = Observed::new();
    let router = Router::new().route_service("/greet.Greeter/{*rest}", service_fn(greeter::<Body>));
    let mut router: Router = router.layer(observed.telemetry.layer());
    for path in ["/greet.Greeter/Hello", "/greet.Greeter/Nothing"] {
        call(&mut router, grpc(path, Body::empty())).await.unwrap();
    }
    let lines = observed.access_lines(2).await;
    let routes: Vec<_> = lines.iter().map(|line| line.str("route")).collect();
    assert_eq!(routes, ["/greet.Greeter/Hello", "unmatched"]);
}

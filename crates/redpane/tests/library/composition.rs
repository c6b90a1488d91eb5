//! Every way to put a router together: each request is counted once, under the route its author wrote.

mod instances;
mod metrics_route;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use http::{Method, StatusCode};
use test_support::client::{self, request};
use test_support::{Observed, serve};

fn hello() -> Router {
    Router::new().route("/hello/{name}", get(|Path(name): Path<String>| async move { format!("hello, {name}") }))
}

/// Gets each path from the router. Asserts that each is counted under its label (`GET /route 200`), and gives the
/// `path` of the access lines.
async fn assert_counted(observed: &Observed, router: Router, expected: &[(&str, &str)]) -> Vec<String> {
    let address = observed.serve(router).await;
    for (path, _) in expected {
        let answer = client::get(address, path).await;
        assert_eq!(answer.header("x-trace-id").len(), 32, "{path}");
    }
    let lines = observed.access_lines(expected.len() as u64).await;
    let labels: Vec<_> =
        lines.iter().map(|line| format!("{} {} {}", line.str("method"), line.str("route"), line["status"])).collect();
    assert_eq!(labels, expected.iter().map(|(_, label)| *label).collect::<Vec<_>>());
    for (label, count) in observed.samples().requests() {
        assert_eq!(count, labels.iter().filter(|other| **other == label).count() as f64, "{label}");
    }
    lines.iter().map(|line| line.str("path").to_owned()).collect()
}

#[tokio::test]
async fn nested_routers() {
    let inner = hello().route("/", get(|| async { "index" }));
    let router = Router::new().nest("/api", Router::new().nest("/v1", inner));
    let paths = assert_counted(
        &Observed::new(),
        router,
        &[
            ("/api/v1/hello/ada", "GET /api/v1/hello/{name} 200"),
            ("/api/v1/hello/alan", "GET /api/v1/hello/{name} 200"),
            ("/api/v1", "GET /api/v1 200"),
            ("/api/v1/nowhere", "GET unmatched 404"),
            ("/api", "GET unmatched 404"),
        ],
    )
    .await;
    assert_eq!(paths, ["/api/v1/hello/ada", "/api/v1/hello/alan", "/api/v1", "/api/v1/nowhere", "/api"]);
}

#[tokio::test]
async fn nest_below_a_parameter() {
    let router = Router::new().nest("/tenants/{tenant}", Router::new().route("/orders", get(|| async { "orders" })));
    let expected = [
        ("/tenants/a/orders", "GET /tenants/{tenant}/orders 200"),
        ("/tenants/b/orders", "GET /tenants/{tenant}/orders 200"),
    ];
    assert_counted(&Observed::new(), router, &expected).await;
}

#[tokio::test]
async fn wildcards() {
    let router = Router::new().route("/files/{*path}", get(|| async { "a file" }));
    let expected = [("/files/a/b.txt", "GET /files/{*path} 200"), ("/files/c", "GET /files/{*path} 200")];
    assert_counted(&Observed::new(), router, &expected).await;
}

fn any_service() -> impl tower::Service<
    Request,
    Response = Response,
    Error = std::convert::Infallible,
    Future = impl Future<Output = Result<Response, std::convert::Infallible>> + Send,
> + Clone
+ Send
+ Sync
+ 'static {
    tower::service_fn(|request: Request| async move { Ok(Response::new(Body::from(request.uri().path().to_owned()))) })
}

#[tokio::test]
async fn a_nested_service_has_no_route_of_its_own() {
    let router = Router::new().nest_service("/assets", any_service());
    assert_counted(&Observed::new(), router, &[("/assets/logo.png", "GET unmatched 200")]).await;
}

#[tokio::test]
async fn a_nested_service_that_is_named() {
    let observed = Observed::with(|redpane| redpane.nested_service("/assets").nested_service("/assets/deeper/"));
    let router = Router::new()
        .nest_service("/assets", any_service())
        .nest_service("/assets2", any_service())
        .nest_service("/assets/deeper", any_service());
    let expected = [
        ("/assets/logo.png", "GET /assets/{*path} 200"),
        ("/assets/css/main.css", "GET /assets/{*path} 200"),
        ("/assets/deeper/logo.png", "GET /assets/deeper/{*path} 200"),
        ("/assets2/logo.png", "GET unmatched 200"),
        ("/nowhere", "GET unmatched 404"),
    ];
    let paths = assert_counted(&observed, router, &expected).await;
    assert_eq!(paths[1], "/assets/css/main.css", "the path is the client's, not what the service was left with");
}

#[tokio::test]
async fn a_route_service() {
    let router = Router::new().route_service("/assets/{file}", any_service());
    let expected = [("/assets/a.png", "GET /assets/{file} 200"), ("/assets/b.png", "GET /assets/{file} 200")];
    assert_counted(&Observed::new(), router, &expected).await;
}

#[tokio::test]
async fn merged_routers() {
    let router = hello().merge(Router::new().route("/bye", get(|| async { "bye" })));
    let expected = [("/hello/ada", "GET /hello/{name} 200"), ("/bye", "GET /bye 200")];
    assert_counted(&Observed::new(), router, &expected).await;
}

#[tokio::test]
async fn fallbacks() {
    let inner = hello().fallback(|| async { (StatusCode::GONE, "inner") });
    let router = Router::new()
        .route("/only-get", get(|| async { "got" }))
        .nest("/inner", inner)
        .fallback(|| async { (StatusCode::IM_A_TEAPOT, "outer") })
        .method_not_allowed_fallback(|| async { (StatusCode::METHOD_NOT_ALLOWED, "not so") });
    let observed = Observed::new();
    let expected = [("/inner/nowhere", "GET unmatched 410"), ("/nowhere", "GET unmatched 418")];
    assert_counted(&observed, router.clone(), &expected).await;
    let address = observed.serve(Router::new().nest("/again", router)).await;
    let answer = client::send(address, request(Method::PUT, "/again/only-get").body(Body::empty()).unwrap()).await;
    assert_eq!(answer.text(), "not so");
    assert_eq!(observed.access_lines(3).await[2]["route"], "/again/only-get");
}

#[tokio::test]
async fn routes_with_state() {
    #[derive(Clone)]
    struct Greeting(Arc<str>);

    async fn greet(State(Greeting(greeting)): State<Greeting>, Path(name): Path<String>) -> String {
        format!("{greeting}, {name}")
    }

    let observed = Observed::new();
    // Instrumented while the state is still missing, as an application with a `Router<S>` does it.
    let router: Router<Greeting> = Router::new().route("/greet/{name}", get(greet));
    let address = serve(observed.telemetry.clone().instrument(router).with_state(Greeting("good day".into()))).await;
    assert_eq!(client::get(address, "/greet/ada").await.text(), "good day, ada");
    assert_eq!(observed.only_request().await["route"], "/greet/{name}");
}

#[tokio::test]
async fn layers_of_the_application_inside_and_outside() {
    async fn reject(request: Request, next: Next) -> Result<Response, StatusCode> {
        if request.uri().path() == "/hello/nobody" { Err(StatusCode::FORBIDDEN) } else { Ok(next.run(request).await) }
    }
    async fn outside(request: Request, next: Next) -> Response {
        assert!(redpane::current().is_none(), "the context begins with the instrumentation");
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-outside", "seen".parse().unwrap());
        response
    }

    let observed = Observed::new();
    let inner = hello().layer(middleware::from_fn(reject));
    let router = observed.telemetry.clone().instrument(inner).layer(middleware::from_fn(outside));
    let address = serve(router).await;
    for (path, status) in [("/hello/ada", 200), ("/hello/nobody", 403), ("/nowhere", 404)] {
        let answer = client::get(address, path).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-outside")), (status, "seen"));
        assert_eq!(answer.header("x-trace-id").len(), 32);
    }
    let lines = observed.access_lines(3).await;
    let seen: Vec<_> = lines.iter().map(|line| format!("{} {}", line.str("route"), line["status"])).collect();
    assert_eq!(seen, ["/hello/{name} 200", "/hello/{name} 403", "unmatched 404"]);
}

#[tokio::test]
async fn instrumented_and_then_nested() {
    let observed = Observed::new();
    let outer = Router::new().nest("/service", observed.telemetry.clone().instrument(hello()));
    let address = serve(outer).await;
    assert_eq!(client::get(address, "/service/hello/ada").await.text(), "hello, ada");
    let line = observed.only_request().await;
    assert_eq!(line["route"], "/service/hello/{name}");
}

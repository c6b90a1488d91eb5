//! What the service itself says: the metrics of a running one, and the settings of its help.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::LazyLock;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use http_body_util::{BodyExt, Full};
use redpane::{ExpositionFormat, GrpcMethod, Otlp, Redpane};
use redpane_service::service;
use redpane_service::settings::{Config, Role, Upstream};
use tower::ServiceExt;

use crate::environment::Settings;
use crate::metrics::Known;

/// The metrics of `redpane serve` and `redpane receiver`, scraped from one of each after a few requests, and those that an
/// application has which streams.
pub(crate) fn metrics() -> &'static Known {
    static METRICS: LazyLock<Known> = LazyLock::new(|| {
        let mut exposition = scrape(Role::Serve);
        exposition.push_str(&scrape(Role::Receiver));
        exposition.push_str(&streams());
        Known::from_exposition(&exposition)
    });
    &METRICS
}

fn scrape(role: Role) -> String {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(1).build().expect("a runtime");
    runtime.block_on(async {
        let mut config = Config::defaults(role);
        config.listen = ([127, 0, 0, 1], 0).into();
        // Its calls are counted from the first scrape on; nobody makes any.
        config.upstream = Upstream::parse("http://orders:8000");
        // Only `serve` sends spans. Its receiver is away: they are counted all the same.
        config.otlp = (role == Role::Serve).then(|| Otlp::new("http://127.0.0.1:9"));
        let telemetry =
            service::telemetry(&config).log_writer(std::io::sink()).build().expect("the defaults are right");
        let listeners = service::bind(&config).expect("port 0 is free");
        let address = listeners.api_address();
        let scraped = std::sync::Mutex::new(String::new());
        let visits = async {
            let answers = tokio::task::spawn_blocking(move || {
                ["/readyz", "/metrics", "/metrics"].map(|path| visit(address, path))
            });
            let [_, _, last] = answers.await.expect("the requests are answered");
            *scraped.lock().expect("not poisoned") = last;
        };
        service::run(listeners, &config, &telemetry, visits, std::future::pending()).await;
        scraped.into_inner().expect("not poisoned")
    })
}

/// The metrics of an application after an event stream and with a gRPC method: the service has none.
fn streams() -> String {
    let telemetry = Redpane::new("streams")
        .grpc_service("shop.Orders", [GrpcMethod::unary("Take")])
        .log_writer(std::io::sink())
        .build()
        .expect("the options are right");
    // A body of no known length.
    let body = || Body::new(Full::new(Bytes::from_static(b"data: x\n\n")).map_frame(|frame| frame));
    let events = get(async move || ([(CONTENT_TYPE, "text/event-stream")], body()));
    let app = telemetry.clone().instrument(Router::new().route("/events", events));
    let request = Request::get("/events").body(Body::empty()).expect("a request");
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let answer = runtime.block_on(app.oneshot(request)).expect("a router answers");
    drop(answer);
    telemetry.render(ExpositionFormat::Text)
}

/// The body of an answer. HTTP/1.0: the server closes the connection after it and does not send it in chunks.
fn visit(address: SocketAddr, path: &str) -> String {
    let mut connection = TcpStream::connect(address).expect("the service listens");
    write!(connection, "GET {path} HTTP/1.0\r\nhost: bundle\r\n\r\n").expect("the service reads");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("the service answers");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has headers");
    assert!(head.contains(" 200 "), "{path}: {head}");
    body.to_owned()
}

/// Variables and defaults, as `redpane --help` prints them: `[default: 30s] [env: REDPANE_REQUEST_TIMEOUT=]`.
pub(crate) fn settings() -> Settings {
    let output =
        Command::new(env!("CARGO_BIN_EXE_redpane")).arg("--help").env_clear().output().expect("redpane starts");
    let help = String::from_utf8(output.stdout).expect("help is UTF-8");
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut settings = Settings::new();
    let mut before = "";
    for part in words.split("[env: ") {
        if let Some((name, _)) = part.split_once(']').filter(|_| !before.is_empty()) {
            let default =
                before.rsplit_once("[default: ").map_or("", |(_, default)| default.trim_end().trim_end_matches(']'));
            settings.insert(name.trim_end_matches('=').to_owned(), default.to_owned());
        }
        before = part;
    }
    assert!(settings.contains_key("REDPANE_LISTEN"), "the help names no variables: {help}");
    settings
}

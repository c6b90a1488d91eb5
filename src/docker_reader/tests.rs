//! The routes, before a Docker that says what a test wants.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tower::ServiceExt;

use super::{Options, router};

const ID: &str = "0123456789abcdef";

/// One container, and every question about logs.
struct Said {
    address: &'static str,
    started: &'static str,
    finished: &'static str,
    running: bool,
    asked: Vec<String>,
}

struct Bench {
    folder: PathBuf,
    loki: String,
    said: Arc<Mutex<Said>>,
    end: watch::Sender<bool>,
}

impl Bench {
    async fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("redpane-docker-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let said = Said {
            address: "172.18.0.5",
            started: "2026-11-25T00:00:00Z",
            finished: "0001-01-01T00:00:00Z",
            running: true,
            asked: Vec::new(),
        };
        let said = Arc::new(Mutex::new(said));
        let listener = UnixListener::bind(folder.join("docker.sock")).unwrap();
        let state = said.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = state.clone();
                let answer = service_fn(move |request: Request<Incoming>| {
                    let answer = docker(&state, request.uri().path_and_query().unwrap().as_str());
                    async move { Ok::<_, Infallible>(answer) }
                });
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        Self { folder, loki: loki().await, said, end: watch::channel(false).0 }
    }

    /// A reader as after a start of the program.
    fn reader(&self) -> Router {
        let (socket, lives) = (self.folder.join("docker.sock"), self.folder.join("lives.json"));
        router(Options { socket: &socket, lives: &lives, loki: &self.loki, ending: self.end.subscribe() })
    }

    fn restarted(&self) {
        let mut said = self.said.lock().unwrap();
        (said.address, said.started, said.finished) = ("172.18.0.7", "2026-11-25T00:00:20Z", "2026-11-25T00:00:10Z");
    }

    fn asked(&self) -> String {
        self.said.lock().unwrap().asked.last().unwrap().clone()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// A Loki that has one line.
async fn loki() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = service_fn(|request: Request<Incoming>| async move {
                assert!(
                    request.uri().query().unwrap().ends_with("query=%7Bcontainer%3D%22api-1%22%7D"),
                    "{}",
                    request.uri()
                );
                let found =
                    json!({"data": {"result": [{"stream": {}, "values": [["1795564808000000000", "stored"]]}]}});
                Ok::<_, Infallible>(Response::new(Body::from(found.to_string())))
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    address
}

/// A line as Docker sends it.
fn piece(text: &str) -> Vec<u8> {
    let text = format!("2026-11-25T00:00:08Z {text}\n");
    [&[1, 0, 0, 0], &(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat()
}

fn docker(said: &Mutex<Said>, asked: &str) -> Response<Body> {
    let mut said = said.lock().unwrap();
    let json = |value: Value| Response::new(Body::from(value.to_string()));
    if asked.contains("/logs") {
        said.asked.push(asked.to_owned());
        return Response::new(Body::from([piece("stored"), piece("new")].concat()));
    }
    if asked.contains("/containers/json") {
        let state = if said.running { "running" } else { "exited" };
        return json(json!([{
            "Id": ID, "Names": ["/api-1"], "State": state, "Command": "secret", "Labels": {"logging_job": "api"},
            "NetworkSettings": {"Networks": {"n": {"IPAddress": if said.running { said.address } else { "" }}}}
        }]));
    }
    json(json!({
        "Config": {"Tty": false, "Env": ["PASSWORD=secret"]},
        "State": {"Running": said.running, "StartedAt": said.started, "FinishedAt": said.finished}
    }))
}

async fn get(reader: &Router, path: &str) -> Response<Body> {
    reader.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(reader: &Router, path: &str) -> (StatusCode, String) {
    let answer = get(reader, path).await;
    let status = answer.status();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

async fn listed(reader: &Router) -> Vec<Value> {
    let (status, body) = text(reader, "/v1.44/containers/json?filters=%7B%7D").await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert!(!body.contains("secret"), "{body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn lines_of_an_earlier_life_keep_their_address_through_a_restart_of_everything() {
    let bench = Bench::new().await;
    assert_eq!(listed(&bench.reader()).await.len(), 1);
    bench.restarted();
    // A new process: what it knows of the earlier life stands in its file.
    let reader = bench.reader();
    let lives = listed(&reader).await;
    let address = |index: usize| &lives[index]["NetworkSettings"]["Networks"]["n"]["IPAddress"];
    assert_eq!((lives.len(), address(0), address(1)), (2, &json!("172.18.0.5"), &json!("172.18.0.7")));
    assert_eq!(lives[0]["Id"], ID);

    // 1795564815 is between the end at :10 and the start at :20. The cursor is put back by five seconds.
    let mut held = get(&reader, &format!("/v1.44/containers/{ID}/logs?follow=1&since=1795564809")).await.into_body();
    assert!(bench.asked().ends_with("since=1795564804.000000000&until=1795564815.000000000"), "{}", bench.asked());
    let line = held.frame().await.unwrap().unwrap().into_data().ok();
    assert_eq!(line, Some(Bytes::from(piece("new"))), "what Loki has is not sent again");
    assert!(tokio::time::timeout(Duration::from_millis(50), held.frame()).await.is_err(), "it must stay open");
    bench.end.send_replace(true);
    assert!(held.frame().await.is_none(), "but not for longer than the program");

    let second = lives[1]["Id"].as_str().unwrap();
    let (_, lines) =
        text(&bench.reader(), &format!("/containers/{second}/logs?follow=1&since=1795564816&stdout=1")).await;
    assert_eq!(lines, "");
    let since = "since=1795564815.000000000&follow=1";
    assert!(bench.asked().ends_with(since), "not before its own first line: {}", bench.asked());
}

#[tokio::test]
async fn a_container_that_was_started_again_after_the_last_list_does_not_mix_its_lives() {
    let bench = Bench::new().await;
    let reader = bench.reader();
    listed(&reader).await;
    bench.restarted();
    drop(get(&reader, &format!("/containers/{ID}/logs?follow=1")).await);
    assert!(bench.asked().ends_with("&until=1795564815.000000000"), "{}", bench.asked());
    assert_eq!(listed(&reader).await.len(), 2);
}

#[tokio::test]
async fn a_container_that_ended_is_still_listed_with_its_address() {
    let bench = Bench::new().await;
    let reader = bench.reader();
    listed(&reader).await;
    bench.said.lock().unwrap().running = false;
    let lives = listed(&reader).await;
    assert_eq!(lives[0]["NetworkSettings"]["Networks"]["n"]["IPAddress"], "172.18.0.5");
    drop(get(&reader, &format!("/containers/{ID}/logs?follow=1")).await);
    assert!(!bench.asked().contains("follow"), "{}", bench.asked());
}

#[tokio::test]
async fn nothing_else_is_shown() {
    let bench = Bench::new().await;
    let reader = bench.reader();
    listed(&reader).await;
    let (status, body) = text(&reader, &format!("/v1.44/containers/{ID}/json")).await;
    assert_eq!((status, body), (StatusCode::OK, json!({"Id": ID, "Config": {"Tty": false}}).to_string()));
    for path in ["/v1.44/containers/fedcba/json", "/containers/fedcba/logs", "/v1.44/info", "/images/json"] {
        assert_eq!(text(&reader, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    let (status, body) = text(&reader, &format!("/containers/{ID}/logs?since=now")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.contains("must be seconds since 1970"), "{body}");
    assert_eq!(text(&reader, "/networks").await, (StatusCode::OK, "[]".into()));
    assert_eq!(text(&reader, "/reachable").await.0, StatusCode::OK);
}

#[tokio::test]
async fn without_docker_it_says_what_to_set() {
    let bench = Bench::new().await;
    let nowhere = bench.folder.join("nowhere.sock");
    let lives = bench.folder.join("lives.json");
    let reader = router(Options { socket: &nowhere, lives: &lives, loki: &bench.loki, ending: bench.end.subscribe() });
    for path in ["/reachable", "/containers/json", "/_ping"] {
        let (status, body) = text(&reader, path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(body.contains("set DOCKER_SOCKET in .env") && body.contains("nowhere.sock"), "{body}");
    }
    let problem: Value = serde_json::from_str(&text(&reader, "/reachable").await.1).unwrap();
    let detail = problem["detail"].as_str().expect("`redpane healthcheck` repeats the detail of a problem");
    assert!(detail.contains("set DOCKER_SOCKET in .env"), "{detail}");
}

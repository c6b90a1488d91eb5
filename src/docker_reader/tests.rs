//! The routes, before a Docker and a Loki that say what a test wants.

use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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

use super::{Options, moment, router};

const ID: &str = "0123456789abcdef";
const SECOND: u64 = 1_000_000_000;

/// Two minutes ago: second 0 of every test.
static ZERO: LazyLock<u64> = LazyLock::new(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - 120);

/// A second of the test, in seconds since 1970.
fn unix(second: u64) -> u64 {
    *ZERO + second
}

/// A second of the test, as Docker writes it.
fn stamp(second: u64) -> String {
    humantime::format_rfc3339(UNIX_EPOCH + Duration::from_secs(unix(second))).to_string()
}

/// One container, and every question about logs.
struct Said {
    /// What the list says, which may be older than what an inspect says.
    listed_address: &'static str,
    address: &'static str,
    started: String,
    finished: String,
    state: &'static str,
    tty: bool,
    /// Times in nanoseconds, and texts.
    lines: Vec<(u64, String)>,
    asked: Vec<String>,
}

/// What Loki has, and how it answers.
#[derive(Default)]
struct LokiSays {
    lines: Vec<(u64, String)>,
    failure: Option<(u16, &'static str)>,
    /// More bytes than this in one answer are refused, as by the limit of a gRPC message.
    most_bytes: Option<usize>,
    takes: Duration,
    asked: Vec<String>,
    at_once: usize,
    most_at_once: usize,
}

struct Bench {
    folder: PathBuf,
    loki: String,
    said: Arc<Mutex<Said>>,
    loki_says: Arc<Mutex<LokiSays>>,
    end: watch::Sender<bool>,
}

impl Bench {
    async fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("redpane-docker-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let said = Said {
            listed_address: "172.18.0.5",
            address: "172.18.0.5",
            started: stamp(0),
            finished: "0001-01-01T00:00:00Z".into(),
            state: "running",
            tty: false,
            lines: vec![line(8, "stored"), line(8, "new")],
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
        let says = LokiSays { lines: vec![line(8, "stored")], ..LokiSays::default() };
        let loki_says = Arc::new(Mutex::new(says));
        Self { folder, loki: serve_loki(loki_says.clone()).await, said, loki_says, end: watch::channel(false).0 }
    }

    /// A reader as after a start of the program.
    fn reader(&self) -> Router {
        let (socket, lives) = (self.folder.join("docker.sock"), self.folder.join("lives.json"));
        router(Options { socket: &socket, lives: &lives, loki: &self.loki, ending: self.end.subscribe() })
    }

    /// A container that runs, with these lines in Docker's log, of which Loki has `stored`.
    async fn with(lines: &[(u64, String)], stored: &[(u64, String)]) -> (Self, Router) {
        let bench = Self::new().await;
        bench.said.lock().unwrap().lines = lines.to_vec();
        bench.loki_says.lock().unwrap().lines = stored.to_vec();
        let reader = bench.reader();
        listed(&reader).await;
        (bench, reader)
    }

    fn restarted(&self) {
        let mut said = self.said.lock().unwrap();
        (said.address, said.listed_address) = ("172.18.0.7", "172.18.0.7");
        (said.started, said.finished) = (stamp(20), stamp(10));
    }

    fn becomes(&self, state: &'static str, started: u64, finished: u64) {
        let mut said = self.said.lock().unwrap();
        (said.state, said.started, said.finished) = (state, stamp(started), stamp(finished));
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

async fn serve_loki(says: Arc<Mutex<LokiSays>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let says = says.clone();
            let answer = service_fn(move |request: Request<Incoming>| {
                let says = says.clone();
                async move { Ok::<_, Infallible>(loki(&says, request.uri().query().unwrap()).await) }
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        }
    });
    address
}

/// As Loki answers: lines of a page, in either direction, and nothing of more than 721 hours.
async fn loki(says: &Mutex<LokiSays>, query: &str) -> Response<Body> {
    let takes = {
        let mut says = says.lock().unwrap();
        says.asked.push(query.to_owned());
        says.at_once += 1;
        says.most_at_once = says.most_at_once.max(says.at_once);
        says.takes
    };
    tokio::time::sleep(takes).await;
    let mut says = says.lock().unwrap();
    says.at_once -= 1;
    let failed = |status: u16, text: &str| {
        let mut answer = Response::new(Body::from(text.to_owned()));
        *answer.status_mut() = StatusCode::from_u16(status).unwrap();
        answer
    };
    if let Some((status, text)) = says.failure {
        return failed(status, text);
    }
    assert!(query.ends_with("query=%7Bcontainer%3D%22api-1%22%7D"), "{query}");
    let number = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).expect(name);
        value.parse::<u64>().expect(name)
    };
    let (start, end) = (number("start"), number("end"));
    if end < start || end - start > 721 * 3600 * SECOND {
        return failed(400, "the query time range exceeds the limit (query length: 960h, limit: 721h)");
    }
    let mut page: Vec<_> = says.lines.iter().filter(|(time, _)| (start..end).contains(time)).collect();
    page.sort_by_key(|(time, _)| *time);
    if query.contains("direction=backward") {
        page.reverse();
    }
    page.truncate(number("limit") as usize);
    if says.most_bytes.is_some_and(|most| page.iter().map(|(_, text)| text.len()).sum::<usize>() > most) {
        return failed(500, "rpc error: code = ResourceExhausted desc = grpc: received message larger than max");
    }
    let values: Vec<_> = page.iter().map(|(time, text)| json!([time.to_string(), text])).collect();
    Response::new(Body::from(json!({"data": {"result": [{"stream": {}, "values": values}]}}).to_string()))
}

fn line(second: u64, text: &str) -> (u64, String) {
    (unix(second) * SECOND, text.to_owned())
}

/// A line as Docker sends it.
fn piece((time, text): &(u64, String)) -> Vec<u8> {
    let time = humantime::format_rfc3339_nanos(UNIX_EPOCH + Duration::from_nanos(*time));
    let text = format!("{time} {text}\n");
    [&[1, 0, 0, 0], &(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat()
}

fn docker(said: &Mutex<Said>, asked: &str) -> Response<Body> {
    let mut said = said.lock().unwrap();
    let json = |value: Value| Response::new(Body::from(value.to_string()));
    if asked.contains("/logs") {
        said.asked.push(asked.to_owned());
        let moment = |name: &str| {
            let value = asked.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
            moment::parse_parameter(value)
        };
        let (since, until) = (moment("since").unwrap_or(0), moment("until").unwrap_or(u64::MAX));
        let lines = said.lines.iter().filter(|(time, _)| (since..=until).contains(time));
        return Response::new(Body::from(lines.flat_map(piece).collect::<Vec<u8>>()));
    }
    let networks = |address: &str| {
        let address = if said.state == "running" { address } else { "" };
        json!({"Networks": {"n": {"IPAddress": address}}, "SandboxKey": "secret"})
    };
    if asked.contains("/containers/json") {
        return json(json!([{
            "Id": ID, "Names": ["/api-1"], "State": said.state, "Command": "secret", "Labels": {"logging_job": "api"},
            "NetworkSettings": {"Networks": networks(said.listed_address)["Networks"]}
        }]));
    }
    let (running, restarting) = (said.state != "exited", said.state == "restarting");
    json(json!({
        "Config": {"Tty": said.tty, "Env": ["PASSWORD=secret"]},
        "NetworkSettings": networks(said.address),
        "State": {
            "Running": running, "Restarting": restarting, "StartedAt": said.started, "FinishedAt": said.finished
        }
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

async fn addresses(reader: &Router) -> Vec<String> {
    let address = |container: &Value| container["NetworkSettings"]["Networks"]["n"]["IPAddress"].clone();
    listed(reader).await.iter().map(|container| address(container).as_str().unwrap().to_owned()).collect()
}

/// The texts that a collector gets that goes on from `cursor`, in seconds.
async fn texts(reader: &Router, cursor: u64) -> Vec<String> {
    let (status, body) = text(reader, &format!("/containers/{ID}/logs?since={cursor}")).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body.lines().map(|line| line.rsplit_once("Z ").unwrap().1.to_owned()).collect()
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

    // Second 15 is between the end at :10 and the start at :20. The cursor is put back by five seconds.
    let mut held = get(&reader, &format!("/v1.44/containers/{ID}/logs?follow=1&since={}", unix(9))).await.into_body();
    let range = format!("since={}.000000000&until={}.000000000", unix(3), unix(15));
    assert!(bench.asked().ends_with(&range), "{}", bench.asked());
    let first = held.frame().await.unwrap().unwrap().into_data().ok();
    assert_eq!(first, Some(Bytes::from(piece(&line(8, "new")))), "what Loki has is not sent again");
    assert!(tokio::time::timeout(Duration::from_millis(50), held.frame()).await.is_err(), "it must stay open");
    bench.end.send_replace(true);
    assert!(held.frame().await.is_none(), "but not for longer than the program");

    let second = lives[1]["Id"].as_str().unwrap();
    let logs = format!("/containers/{second}/logs?follow=1&since={}&stdout=1", unix(16));
    assert_eq!(text(&bench.reader(), &logs).await.1, "");
    let since = format!("since={}.000000000&follow=1", unix(15));
    assert!(bench.asked().ends_with(&since), "not before its own first line: {}", bench.asked());
}

#[tokio::test]
async fn a_container_that_was_started_again_after_the_last_list_does_not_mix_its_lives() {
    let bench = Bench::new().await;
    let reader = bench.reader();
    listed(&reader).await;
    bench.restarted();
    drop(get(&reader, &format!("/containers/{ID}/logs?follow=1")).await);
    assert!(bench.asked().ends_with(&format!("&until={}.000000000", unix(15))), "{}", bench.asked());
    assert_eq!(listed(&reader).await.len(), 2);
}

#[tokio::test]
async fn a_container_that_ended_is_still_listed_with_its_address() {
    let bench = Bench::new().await;
    let reader = bench.reader();
    listed(&reader).await;
    bench.becomes("exited", 0, 10);
    assert_eq!(addresses(&reader).await, ["172.18.0.5"]);
    drop(get(&reader, &format!("/containers/{ID}/logs?follow=1")).await);
    assert!(!bench.asked().contains("follow"), "{}", bench.asked());
}

/// Alloy looks at the state every five seconds, and ends where there is none.
#[tokio::test]
async fn a_log_whose_stream_was_cut_off_is_asked_for_again_in_every_life() {
    let bench = Bench::new().await;
    let reader = bench.reader();
    listed(&reader).await;
    bench.restarted();
    bench.becomes("exited", 20, 30);
    for life in listed(&reader).await {
        let (status, body) = text(&reader, &format!("/containers/{}/json", life["Id"].as_str().unwrap())).await;
        let state: Value = serde_json::from_str::<Value>(&body).unwrap()["State"].take();
        assert_eq!((status, &state["Running"]), (StatusCode::OK, &json!(true)), "{life}");
        assert!(moment::parse(state["FinishedAt"].as_str().unwrap()).is_some(), "{state}");
    }
}

#[tokio::test]
async fn nothing_else_is_shown() {
    let bench = Bench::new().await;
    let reader = bench.reader();
    listed(&reader).await;
    let (status, body) = text(&reader, &format!("/v1.44/containers/{ID}/json")).await;
    let state = json!({"Running": true, "FinishedAt": "0001-01-01T00:00:00Z"});
    let shown = json!({"Id": ID, "Config": {"Tty": false}, "State": state});
    assert_eq!((status, body), (StatusCode::OK, shown.to_string()));
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

#[tokio::test]
async fn a_container_in_a_crash_loop_is_listed_with_the_address_it_had_last() {
    let bench = Bench::new().await;
    let reader = bench.reader();
    listed(&reader).await;
    bench.becomes("restarting", 5, 6);
    assert_eq!(addresses(&reader).await, ["172.18.0.5"]);
    bench.becomes("restarting", 10, 11);
    assert_eq!(addresses(&reader).await, ["172.18.0.5"], "Docker gave no address, so this is no other one");
    assert_eq!(texts(&reader, unix(9)).await, ["new"]);
}

#[tokio::test]
async fn a_container_that_was_never_seen_with_an_address_has_none() {
    for state in ["restarting", "exited"] {
        let bench = Bench::new().await;
        bench.becomes(state, 5, 6);
        assert_eq!(addresses(&bench.reader()).await, [""], "{state}: a name would be no IP address");
    }
}

#[tokio::test]
async fn equal_lines_without_a_time_of_their_own_are_told_apart_by_the_time_that_docker_noted() {
    let written: Vec<_> = (1..=40).map(|second| line(second, "ok")).collect();
    let (_bench, reader) = Bench::with(&written, &written[..10]).await;
    assert_eq!(texts(&reader, unix(10)).await, ["ok"; 30]);
}

#[tokio::test]
async fn a_line_with_a_time_of_its_own_is_found_at_that_time() {
    let own = |second: u64, zone: &str| {
        format!(r#"{{"timestamp":"{}{zone}","message":"m"}}"#, stamp(second).trim_end_matches('Z'))
    };
    let strange = r#"{"timestamp":"today","message":"m"}"#;
    let written = [
        line(20, &own(2, "Z")),
        line(21, strange),
        line(22, &own(3, "+01:00")),
        line(23, strange),
        line(24, &own(9, "Z")),
    ];
    let mut stored = [line(2, &own(2, "Z")), line(21, strange), line(3, &own(3, "+01:00"))];
    stored[2].0 -= 3600 * SECOND;
    let (bench, reader) = Bench::with(&written, &stored[..2]).await;
    assert_eq!(texts(&reader, unix(22)).await, [own(3, "+01:00"), strange.into(), own(9, "Z")]);
    bench.loki_says.lock().unwrap().lines = stored.to_vec();
    assert_eq!(texts(&reader, unix(22)).await.len(), 3, "what Loki has of an hour ago is not asked for");
}

#[tokio::test]
async fn an_old_cursor_asks_loki_for_no_more_than_it_takes() {
    let (bench, reader) = Bench::with(&[line(1, "a"), line(2, "b")], &[line(1, "a")]).await;
    assert_eq!(texts(&reader, unix(0) - 40 * 24 * 3600).await, ["b"]);
    let since = bench.asked().split("since=").nth(1).unwrap().parse::<f64>().unwrap();
    let age = unix(120) as f64 - since;
    assert!((604_700.0..604_900.0).contains(&age), "Loki refuses lines of more than 168 h: {age} s");
}

#[tokio::test]
async fn pages_that_are_too_large_for_loki_become_smaller() {
    let written: Vec<_> = (1..=40).map(|second| line(second, &format!("{second} {}", "x".repeat(1000)))).collect();
    let (bench, reader) = Bench::with(&written, &written[..39]).await;
    bench.loki_says.lock().unwrap().most_bytes = Some(5000);
    assert_eq!(texts(&reader, unix(2)).await, [written[39].1.clone()]);
}

#[tokio::test]
async fn loki_is_asked_one_question_at_a_time() {
    let (bench, reader) = Bench::with(&[line(1, "a")], &[line(1, "a")]).await;
    bench.loki_says.lock().unwrap().takes = Duration::from_millis(50);
    let cursor = unix(1);
    let answers = tokio::join!(texts(&reader, cursor), texts(&reader, cursor), texts(&reader, cursor));
    assert_eq!(answers, (vec![], vec![], vec![]));
    assert_eq!(bench.loki_says.lock().unwrap().most_at_once, 1);
}

#[tokio::test]
async fn a_question_that_loki_refuses_for_good_does_not_hold_up_the_lines() {
    let written = [line(6, "a"), line(10, "b"), line(11, "c")];
    let (bench, reader) = Bench::with(&written, &written[..1]).await;
    for (status, text) in [(400, "parse error"), (404, "no such page"), (401, "no org id")] {
        bench.loki_says.lock().unwrap().failure = Some((status, text));
        assert_eq!(texts(&reader, unix(10)).await, ["b", "c"], "{status}: and the cursor is not put back");
    }
    assert!(bench.loki_says.lock().unwrap().asked.len() > 3, "it may have gone away");
}

#[tokio::test]
async fn while_loki_is_not_ready_the_collector_comes_again() {
    let (bench, reader) = Bench::with(&[line(1, "a")], &[]).await;
    for status in [500, 503, 429] {
        bench.loki_says.lock().unwrap().failure = Some((status, "Ingester not ready"));
        let (answered, body) = text(&reader, &format!("/containers/{ID}/logs?since={}", unix(1))).await;
        assert_eq!(answered, StatusCode::SERVICE_UNAVAILABLE, "{body}");
        assert!(body.contains("Ingester not ready"), "{body}");
    }
}

#[tokio::test]
async fn a_collector_killed_within_a_backlog_goes_on_behind_the_newest_line_that_loki_has() {
    let written: Vec<_> = (1..=90).map(|second| line(second, &second.to_string())).collect();
    let missing: Vec<_> = (31..=90).map(|second: u64| second.to_string()).collect();
    let (bench, reader) = Bench::with(&written, &written[..30]).await;
    assert_eq!(texts(&reader, unix(80)).await, missing);
    assert_eq!(texts(&reader, 0).await, missing, "a cursor that was lost");
    bench.loki_says.lock().unwrap().lines.clear();
    assert_eq!(texts(&reader, unix(80)).await.len(), 90, "Loki has none of them");
}

#[tokio::test]
async fn a_line_that_is_on_its_way_while_loki_is_asked_is_waited_for() {
    let written: Vec<_> = (1..=20).map(|second| line(second, &second.to_string())).collect();
    let (bench, reader) = Bench::with(&written, &written[..5]).await;
    let says = bench.loki_says.clone();
    let arrives = tokio::spawn(async move {
        while says.lock().unwrap().asked.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        says.lock().unwrap().lines = (1..=20).map(|second| line(second, &second.to_string())).collect();
    });
    assert_eq!(texts(&reader, unix(20)).await, Vec::<String>::new());
    arrives.await.unwrap();
}

#[tokio::test]
async fn the_log_of_a_terminal_goes_on_at_the_cursor() {
    let (bench, reader) = Bench::with(&[], &[]).await;
    bench.said.lock().unwrap().tty = true;
    texts(&reader, unix(10)).await;
    assert!(bench.asked().ends_with(&format!("since={}.000000000", unix(10))), "{}", bench.asked());
}

#[tokio::test]
async fn a_run_that_was_over_before_it_was_listed_ends_the_stream_that_is_kept_open() {
    let (bench, reader) = Bench::with(&[line(1, "first")], &[]).await;
    bench.becomes("exited", 0, 2);
    let mut held = get(&reader, &format!("/containers/{ID}/logs?follow=1")).await.into_body();
    assert!(held.frame().await.is_some());
    bench.becomes("exited", 20, 21);
    bench.said.lock().unwrap().lines.push(line(20, "second"));
    assert_eq!(addresses(&reader).await, ["172.18.0.5"]);
    let end = tokio::time::timeout(Duration::from_secs(10), held.frame()).await;
    assert!(end.expect("the collector must ask again").is_none());
    bench.loki_says.lock().unwrap().lines = vec![line(1, "first")];
    assert_eq!(texts(&reader, unix(1)).await, ["second"]);
}

#[tokio::test]
async fn an_address_is_the_one_of_the_inspect() {
    let bench = Bench::new().await;
    let reader = bench.reader();
    listed(&reader).await;
    bench.restarted();
    bench.said.lock().unwrap().listed_address = "172.18.0.5";
    assert_eq!(addresses(&reader).await, ["172.18.0.5", "172.18.0.7"]);
}

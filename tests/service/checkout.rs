//! `GET /checkout`: one request through several services, and what each says when one of them fails.

use std::net::SocketAddr;
use std::time::Duration;

use http::{Method, StatusCode};
use redpane_service::settings::{Config, Upstream};
use serde_json::json;
use test_support::client::{self, Answer};
use test_support::process::{Reading, free_address, listening};
use test_support::{Line, raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{assert_problem, json as body_of, redpane};
use crate::served::Served;

const NAMES: [&str; 4] = ["api", "orders", "stock", "payment"];

async fn service(app: &str, upstream: Option<SocketAddr>, change: impl FnOnce(&mut Config)) -> Served {
    Served::with(|config| {
        config.app = app.to_owned();
        config.faults = true;
        config.upstream = upstream.and_then(|address| Upstream::parse(&format!("http://{address}")));
        change(config);
    })
    .await
}

/// Four services, each the upstream of the one before.
async fn chain() -> Vec<Served> {
    let mut services: Vec<Served> = Vec::new();
    for app in NAMES.iter().rev() {
        let next = services.last().map(|served| served.address);
        services.push(service(app, next, |_| ()).await);
    }
    services.reverse();
    services
}

/// The value of the calls of a service that ended so; each label set has its counter, count and `+Inf` alike.
fn calls(served: &Served, end: (&str, &str)) -> f64 {
    let samples = served.observed.samples();
    for sample in samples.of("http_client_requests_total", &[]) {
        let labels: Vec<_> = sample.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(samples.value("http_client_request_duration_seconds_count", &labels), sample.value);
        let infinite = [&labels[..], &[("le", "+Inf")]].concat();
        assert_eq!(samples.value("http_client_request_duration_seconds_bucket", &infinite), sample.value);
    }
    let total = samples.sum("http_client_requests_total", &[]);
    let value = samples.value("http_client_requests_total", &[("method", "GET"), ("peer", "127.0.0.1"), end]);
    assert_eq!(total, value, "no call ended in another way");
    value
}

/// Whether the lines are those of one trace, in which every service was called by the one before, through a call.
fn assert_one_trace(answer: &Answer, lines: &[Line]) {
    let mut spans: Vec<&str> = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(line["trace_id"], answer.header("x-trace-id"), "{}", line.text);
        assert_eq!(line["request_id"], answer.header("x-request-id"), "{}", line.text);
        assert_eq!((line.str("app"), line.str("route")), (NAMES[index], "/checkout"));
        let parent = line.get_str("parent_span_id");
        assert_eq!(parent.is_none(), index == 0, "{}", line.text);
        spans.extend(parent.into_iter().chain([line.str("span_id")]));
    }
    let count = spans.len();
    spans.sort_unstable();
    spans.dedup();
    assert_eq!(spans.len(), count, "calls have spans of their own: {spans:?}");
}

#[tokio::test]
async fn a_request_goes_through_four_services_in_one_trace() {
    let services = chain().await;
    let answer = client::get(services[0].address, "/checkout").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(body_of(&answer), json!({"app": "api", "hops": ["orders", "stock", "payment"]}));
    let mut lines = Vec::new();
    for served in &services {
        lines.push(served.observed.only_request().await);
    }
    assert_one_trace(&answer, &lines);
    for served in &services[..3] {
        assert_eq!(calls(served, ("status", "200")), 1.0);
    }
    assert_eq!(services[3].observed.samples().of("http_client_requests_total", &[]).count(), 0, "it calls nobody");
}

/// As processes, where the line of each call shows that the next service has it as its parent.
#[tokio::test]
async fn each_service_has_the_call_of_the_one_before_as_its_parent() {
    let mut processes = Vec::new();
    let mut next = String::new();
    for app in NAMES.iter().rev() {
        let variables =
            [("OTEL_SERVICE_NAME", *app), ("REDPANE_UPSTREAM", &next), ("REDPANE_LOG", "info,redpane::client=debug")];
        let (process, address) = listening(redpane(&[], &variables), Reading::AsItComes).await;
        next = format!("http://{address}/");
        processes.push((process, address));
    }
    processes.reverse();
    let answer = client::get(processes[0].1, "/checkout").await;
    assert_eq!(body_of(&answer)["hops"], json!(["orders", "stock", "payment"]));
    let mut lines: Vec<Line> = Vec::new();
    let mut called: Option<Line> = None;
    for (index, (process, _)) in processes.iter().enumerate() {
        let line = process.line("request").await;
        if let Some(call) = called {
            assert_eq!(line["parent_span_id"], call["client_span_id"], "{}", line.text);
        }
        called = None;
        if index < 3 {
            let call = process.line("call").await;
            assert_eq!(call["parent_span_id"], line["span_id"], "{}", call.text);
            assert_eq!((&call["trace_id"], &call["status"]), (&line["trace_id"], &json!(200)));
            called = Some(call);
        }
        lines.push(line);
    }
    assert_one_trace(&answer, &lines);
}

#[tokio::test]
async fn without_a_next_service_it_is_the_last_one() {
    let served = Served::start().await;
    assert_eq!(body_of(&client::get(served.address, "/checkout").await), json!({"app": "api", "hops": []}));
    super::assert_problem(&client::send(served.address, super::bare("POST", "/checkout")).await, 405);
}

#[tokio::test]
async fn the_reason_of_the_last_service_reaches_the_first() {
    let services = chain().await;
    let faults = client::request(Method::PUT, "/faults").header(super::JSON.0, super::JSON.1);
    client::send(services[3].address, faults.body(r#"{"error_ratio":1}"#.into()).unwrap()).await;
    let answer = client::get(services[0].address, "/checkout").await;
    let detail = assert_problem(&answer, 502);
    assert!(
        detail.starts_with(&format!("http://{}/checkout answered 502 Bad Gateway: ", services[1].address)),
        "{detail}"
    );
    assert!(detail.ends_with("answered 500 Internal Server Error: injected by /faults (error_ratio 1)"), "{detail}");
    for (index, served) in services.iter().enumerate().take(3) {
        let line = served.observed.only_request().await;
        assert_eq!((&line["status"], line.str("level")), (&json!(502), "ERROR"));
        assert_eq!(line.str("error_type"), "redpane_service::demo::checkout::next_error::NextError");
        assert!(line.str("error").ends_with("injected by /faults (error_ratio 1)"), "{}", line.text);
        assert_eq!(line["trace_id"], answer.header("x-trace-id"));
        assert_eq!(calls(served, ("status", if index == 2 { "500" } else { "502" })), 1.0);
    }
    // The request that set the faults has a line too.
    let lines = services[3].observed.access_lines(2).await;
    let line = lines.iter().find(|line| line["route"] == "/checkout").unwrap();
    assert_eq!(line.str("error"), "injected by /faults (error_ratio 1)", "{}", line.text);
    assert_eq!(line["trace_id"], answer.header("x-trace-id"));
}

#[tokio::test]
async fn nobody_there() {
    let served = service("api", Some(free_address()), |_| ()).await;
    let detail = assert_problem(&client::get(served.address, "/checkout").await, 502);
    assert!(detail.contains("gave no answer") && detail.contains("onnection refused"), "{detail}");
    let line = served.observed.only_request().await;
    assert!(line.str("error").contains("onnection refused"), "{}", line.text);
    assert_eq!(calls(&served, ("error", "connect")), 1.0);
}

/// The last service hangs: the one before it says so, in time for all others.
#[tokio::test]
async fn a_service_that_hangs_is_named_by_the_one_before_it() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let timeout = |config: &mut Config| config.request_timeout = Duration::from_secs(3);
    let stock = service("stock", Some(silent.local_addr().unwrap()), timeout).await;
    let orders = service("orders", Some(stock.address), timeout).await;
    let api = service("api", Some(orders.address), timeout).await;
    let answer = client::get(api.address, "/checkout").await;
    let detail = assert_problem(&answer, 502);
    let named = format!("http://{}/checkout did not answer within ", silent.local_addr().unwrap());
    assert!(detail.contains(&named), "{detail}");
    for (served, end) in [(&api, ("status", "502")), (&orders, ("status", "502")), (&stock, ("error", "timeout"))] {
        let line = served.observed.only_request().await;
        assert_eq!((&line["status"], line.str("outcome")), (&json!(502), "complete"));
        assert_eq!(calls(served, end), 1.0);
    }
}

#[tokio::test]
async fn a_service_that_is_its_own_next_one_ends_with_an_error() {
    let address = free_address();
    let served = service("api", Some(address), |config| config.listen = address).await;
    let answer = client::get(served.address, "/checkout").await;
    let detail = assert_problem(&answer, 502);
    assert!(detail.contains("REDPANE_UPSTREAM") || detail.len() == 1000, "{detail}");
    let lines = served.observed.access_lines(9).await;
    assert!(lines.iter().all(|line| line["trace_id"] == answer.header("x-trace-id")));
    let looped: Vec<_> = lines.iter().filter(|line| line["status"] == 508).collect();
    let [last] = looped[..] else { panic!("one gives up: {lines:#?}") };
    assert!(last.str("error").contains("leads back"), "{}", last.text);
}

#[tokio::test]
async fn a_caller_can_shorten_the_way_and_not_lengthen_it() {
    let services = chain().await;
    let ask = async |hops: &str| {
        let asked = client::request(Method::GET, "/checkout").header("max-forwards", hops);
        client::send(services[0].address, asked.body("".into()).unwrap()).await
    };
    for hops in ["3", "4000000000", "-1", "many"] {
        assert_eq!(ask(hops).await.status, StatusCode::OK, "{hops}");
    }
    assert!(assert_problem(&ask("2").await, 502).contains("508 Loop Detected"));
    assert!(assert_problem(&ask("0").await, 508).contains("Max-Forwards"));
}

/// A server that answers every request with these bytes and closes; where `hangs`, it stays without a word.
async fn hostile(answer: Vec<u8>, hangs: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await?);
                }
                // Whoever is asked too much hangs up.
                stream.write_all(&answer).await?;
                if hangs {
                    std::future::pending::<()>().await;
                }
                std::io::Result::Ok(())
            });
        }
    });
    address
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into()
}

#[tokio::test]
async fn whatever_the_next_service_answers_there_is_a_reason() {
    let ok = |body: &str| answer("200 OK", body);
    let huge = "x".repeat(10_000_000);
    let endless = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_owned();
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    let many = serde_json::to_string(&json!({"app": "a", "hops": vec!["b"; 500]})).unwrap();
    let long = serde_json::to_string(&json!({"app": "a".repeat(500), "hops": []})).unwrap();
    let problem = serde_json::to_string(&json!({"detail": "no\u{1b}[31m\n money".repeat(3000)})).unwrap();
    let status = ("status", "200");
    // What it is, the bytes, whether the connection then stays open, how the call is counted, what the answer says.
    let cases = [
        ("closes", vec![], false, ("error", "error"), "gave no answer"),
        ("no HTTP", b"220 mail ready\r\n".to_vec(), false, ("error", "error"), "gave no answer"),
        ("half a head", b"HTTP/1.1 200 OK\r\nx: ".to_vec(), true, ("error", "timeout"), "did not answer within"),
        ("endless head", format!("HTTP/1.1 200 OK\r\nx: {huge}").into(), true, ("error", "error"), "gave no answer"),
        (
            "half a body",
            b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{".to_vec(),
            false,
            ("error", "body_error"),
            "broke off",
        ),
        (
            "hangs in its body",
            b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{".to_vec(),
            true,
            status,
            "did not answer within",
        ),
        ("huge", ok(&huge), true, status, "more than 65536 bytes"),
        ("endless", (endless + &chunk.repeat(1000)).into(), true, status, "more than 65536 bytes"),
        ("no JSON", ok("<html>"), false, status, "something else than the JSON of /checkout"),
        ("other JSON", ok(r#"{"app":7}"#), false, status, "something else"),
        ("deep JSON", ok(&"[".repeat(60_000)), false, status, "something else"),
        ("many services", ok(&many), false, status, "more services"),
        ("long names", ok(&long), false, status, "longer names"),
        ("moved", answer("302 Found", ""), false, ("status", "302"), "answered 302 Found"),
        ("long problem", answer("500 X", &problem), false, ("status", "500"), "answered 500 Internal Server Error: no"),
        ("no problem", answer("503 X", &huge), true, ("status", "503"), "answered 503 Service Unavailable"),
    ];
    for (case, bytes, hangs, end, expected) in cases {
        let upstream = hostile(bytes, hangs).await;
        let served = service("api", Some(upstream), |config| config.request_timeout = Duration::from_secs(1)).await;
        let answer = client::get(served.address, "/checkout").await;
        let detail = assert_problem(&answer, 502);
        assert!(detail.contains(expected) && detail.len() <= 4000, "{case}: {detail}");
        let line = served.observed.only_request().await;
        assert!(line.str("error").contains(expected), "{case}: {}", line.text);
        assert_eq!(calls(&served, end), 1.0, "{case}");
    }
}

/// The client leaves: the call ends too, and both are counted.
#[tokio::test]
async fn a_client_that_leaves_ends_the_call() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let served = service("api", silent.local_addr().ok(), |_| ()).await;
    let stream = raw::send(served.address, "GET /checkout HTTP/1.1\r\nhost: a\r\n\r\n").await;
    let (mut called, _) = silent.accept().await.unwrap();
    called.read_u8().await.unwrap();
    drop(stream);
    let line = served.observed.access_lines(1).await.remove(0);
    assert_eq!((&line["status"], line.str("outcome")), (&json!(499), "aborted"));
    assert_eq!(calls(&served, ("error", "cancelled")), 1.0);
}

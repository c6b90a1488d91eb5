//! Servers that are not axum's, and what an application adds.

use std::net::TcpStream;
use std::process::Command;

use axum::body::Body;
use http::{Method, header};
use test_support::process::{Process, Reading, free_address};
use test_support::{Samples, client as http_client, eventually};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{access_line, post, program, start, start_on};

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";

#[tokio::test]
async fn hyper() {
    let (process, address) = start("hyper").await;
    let answer = http_client::get(address, "/hello/ada").await;
    assert_eq!(answer.text(), "hello, ada\n");
    let line = access_line(&process, "/hello/{name}").await;
    answer.belongs_to(&line);
    assert!(line.str("client").starts_with("127.0.0.1:"), "{}", line.text);
    assert_eq!(http_client::get(address, "/nowhere").await.status, 404);
    assert_eq!(access_line(&process, "unmatched").await["path"], "/nowhere");
    let samples = Samples::parse(http_client::get(address, "/metrics").await.text());
    let labels = [("method", "GET"), ("route", "/hello/{name}"), ("status", "200")];
    assert_eq!(samples.value("http_requests_total", &labels), 1.0);
    assert_eq!(samples.value("http_requests_in_flight", &[]), 0.0, "the scrape does not see itself");
    assert!(process.lines().iter().all(|line| line["route"] != "/metrics"), "{}", process.output());
}

#[tokio::test]
async fn client() {
    calls_of("client").await;
}

#[tokio::test]
async fn reqwest() {
    calls_of("reqwest").await;
}

/// The two examples of clients do the same.
async fn calls_of(example: &str) {
    let (process, address) = start(example).await;
    let samples = async || Samples::parse(http_client::get(address, "/metrics").await.text());
    let labels = [("method", "GET"), ("peer", "stock"), ("status", "200")];
    if example == "client" {
        assert_eq!(samples().await.value("http_client_requests_total", &labels), 0.0, "before the first call");
    }
    let answer = http_client::get(address, "/orders/7").await;
    assert_eq!(answer.text(), "order 7: 2 items\n");
    let [order, stock] =
        [access_line(&process, "/orders/{order}").await, access_line(&process, "/stock/{order}").await];
    assert_eq!((&order["trace_id"], &order["request_id"]), (&stock["trace_id"], &stock["request_id"]));
    assert!(stock["parent_span_id"].is_string() && stock["parent_span_id"] != order["span_id"], "{}", stock.text);
    assert_eq!(samples().await.value("http_client_requests_total", &labels), 1.0);
}

#[tokio::test]
async fn grpc() {
    let (process, [address, metrics]) = start_on("grpc").await;
    let channel =
        tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel);
    let answer = health.check(HealthCheckRequest { service: String::new() }).await.unwrap();
    assert_eq!(answer.get_ref().status(), ServingStatus::Serving);
    let line = access_line(&process, "/grpc.health.v1.Health/Check").await;
    assert_eq!(line.str("grpc_code"), "OK");
    assert_eq!(answer.metadata().get("x-trace-id").unwrap().to_str().unwrap(), line["trace_id"]);
    assert_eq!((&line["method"], &line["status"], &line["outcome"]), (&"POST".into(), &200.into(), &"complete".into()));

    for path in ["/grpc.health.v1.Health/Nothing", "/other.Service/Check"] {
        let asked = http_client::request(Method::POST, path).header(header::CONTENT_TYPE, "application/grpc");
        let answer = http_client::send_http2(address, asked.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.header("grpc-status"), "12", "unimplemented");
    }
    assert_eq!(access_line(&process, "unmatched").await["path"], "/grpc.health.v1.Health/Nothing");
    let samples = Samples::parse(http_client::get(metrics, "/metrics").await.text());
    let handled = [("grpc_service", "grpc.health.v1.Health"), ("grpc_method", "Check"), ("grpc_code", "OK")];
    assert_eq!(samples.value("grpc_server_handled_total", &handled), 1.0);
    let counted = |route| samples.value("http_requests_total", &[("route", route), ("status", "200")]);
    assert_eq!((counted("/grpc.health.v1.Health/Check"), counted("unmatched")), (1.0, 2.0));
}

/// The client of an application, and the server of the example before.
#[tokio::test]
async fn grpc_client() {
    let (server, [address, _]) = start_on("grpc").await;
    let own = free_address();
    let mut command = Command::new(program("grpc_client"));
    command.args([own.to_string(), format!("http://{address}")]);
    let process = Process::spawn(command, Reading::AsItComes);
    eventually("the example listens", async || TcpStream::connect(own).ok()).await;
    let answer = http_client::get(own, "/health").await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "Serving\n"));
    let (asked, called) =
        (access_line(&process, "/health").await, access_line(&server, "/grpc.health.v1.Health/Check").await);
    assert_eq!((&asked["trace_id"], called.str("grpc_code")), (&called["trace_id"], "OK"));
    assert_ne!(asked["span_id"], called["parent_span_id"], "the call has a span of its own");
    let calls = async || {
        let samples = Samples::parse(http_client::get(own, "/metrics").await.text());
        samples.value("http_client_requests_total", &[("method", "POST"), ("peer", "health"), ("status", "200")])
    };
    assert_eq!(calls().await, 1.0);
    drop(server);
    let answer = http_client::get(own, "/health").await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    let line = eventually("the line that says why", async || {
        process.lines().into_iter().find(|line| line.is_access() && line["status"] == 502)
    });
    let line = line.await;
    assert!(line.get("health_code").is_some() && !line.str("error").is_empty(), "{}", line.text);
}

#[tokio::test]
async fn record() {
    let (process, address) = start("record").await;
    let line = async |path: &str, status: u16| {
        let answer = http_client::send(address, post(path)).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let lines = test_support::eventually("its line", async || {
            process.lines().into_iter().find(|line| line["trace_id"] == answer.header("x-trace-id"))
        });
        (lines.await, answer)
    };
    let (taken, _) = line("/orders/acme/3", 200).await;
    assert_eq!((&taken["tenant"], &taken["items"], taken.get("error")), (&"acme".into(), &3.into(), None));
    assert_eq!(taken["card"], "visa");
    let (empty, answer) = line("/orders/acme/0", 422).await;
    assert!(answer.text().contains("an order has at least one item"), "{}", answer.text());
    assert_eq!((&empty["items"], empty.get("error")), (&0.into(), None));
    let (failed, answer) = line("/orders/acme/13", 500).await;
    assert_eq!((&failed["tenant"], &failed["level"]), (&"acme".into(), &"ERROR".into()));
    assert_eq!(failed["error"], "the payment failed: card declined by the bank");
    assert!(failed.str("error_type").ends_with("OrderError"), "{}", failed.text);
    assert!(!answer.text().contains("declined"), "{}", answer.text());
}

#[tokio::test]
async fn observer() {
    let (process, address) = start("observer").await;
    for path in ["/work/0", "/work/600"] {
        assert_eq!(http_client::get(address, path).await.text(), "done\n");
        // An observer may be told after the client has its answer, and before or after the line is written.
        test_support::eventually("its line", async || process.lines().into_iter().find(|line| line["path"] == path))
            .await;
    }
    let lines = process.lines();
    let slow = lines.iter().filter(|line| line["duration_seconds"].as_f64().unwrap() >= 0.5);
    let mut slow: Vec<_> = slow.map(|line| line.str("trace_id").to_owned()).collect();
    slow.reverse();
    assert!(!slow.is_empty(), "600 ms are slow: {lines:#?}");
    let kept = test_support::eventually("the audit has all of them", async || {
        let answer = http_client::get(address, "/audit").await;
        (answer.text().lines().count() >= slow.len()).then_some(answer)
    });
    let kept = kept.await;
    assert!(kept.text().starts_with("GET /work/{milliseconds} 200 "), "{}", kept.text());
    let ids: Vec<_> = kept.text().lines().map(|line| line.rsplit(' ').next().unwrap().to_owned()).collect();
    assert_eq!(ids, slow);
}

#[tokio::test]
async fn opentelemetry_sdk() {
    let (process, address) = start("opentelemetry_sdk").await;
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let asked = http_client::request(Method::GET, "/orders/7").header("traceparent", traceparent);
    let answer = http_client::send(address, asked.body(Body::empty()).unwrap()).await;
    assert_eq!((answer.text(), answer.header("x-trace-id")), ("order 7: 2 items\n", &traceparent[3..35]));
    let span = async |name: &str| {
        let start = format!("span {name} ");
        let printed = test_support::eventually(name, async || {
            process.errors().lines().find_map(|line| Some(line.strip_prefix(&start)?.to_owned()))
        });
        let ids: Vec<_> = printed.await.split(' ').map(str::to_owned).collect();
        <[String; 3]>::try_from(ids).unwrap()
    };
    let trace = &traceparent[3..35];
    let [order_span, call, stock_span] = [span("/orders/7").await, span("ask the stock").await, span("/stock/7").await];
    for (ids, parent) in [(&order_span, &traceparent[36..52]), (&call, &order_span[1]), (&stock_span, &call[1])] {
        assert_eq!((&*ids[0], &*ids[2]), (trace, parent));
    }
    let [order, stock] =
        [access_line(&process, "/orders/{order}").await, access_line(&process, "/stock/{order}").await];
    let asking = process.line("asking the stock").await;
    for (line, span) in [(&order, &order_span), (&asking, &call), (&stock, &stock_span)] {
        assert_eq!((line.str("trace_id"), line.str("span_id")), (trace, &*span[1]), "{}", line.text);
    }
    assert_eq!(
        (&order["parent_span_id"], &stock["parent_span_id"]),
        (&traceparent[36..52].into(), &(&*call[1]).into())
    );
    let asked = http_client::request(Method::GET, "/metrics").header(header::ACCEPT, OPEN_METRICS);
    let scrape = http_client::send(address, asked.body(Body::empty()).unwrap()).await;
    let exemplar = format!("# {{trace_id=\"{trace}\"}}");
    assert_eq!(scrape.text().matches(&exemplar).count(), 2, "{}", scrape.text());
}

#[tokio::test]
async fn anyhow() {
    let (process, address) = start("anyhow").await;
    let answer = http_client::get(address, "/orders/x").await;
    assert_eq!(answer.status, 500);
    assert!(!answer.text().contains("digit"), "{}", answer.text());
    let line = access_line(&process, "/orders/{number}").await;
    assert_eq!(line["error"], "cannot read the number of the order: invalid digit found in string");
    assert_eq!((line.get("error_type"), line.str("level")), (None, "ERROR"));
}

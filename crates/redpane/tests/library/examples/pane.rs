//! The pane, by one word and behind a login.

use std::net::TcpStream;
use std::process::Command;

use axum::body::Body;
use http::Method;
use test_support::client;
use test_support::process::{Process, Reading, free_address};

use super::{access_line, program, start};

#[tokio::test]
async fn pane() {
    let (process, address) = start("pane").await;
    client::get(address, "/hello/ada").await;
    let url = process.line("the pane is at").await;
    let pane = url.str("url").strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap();
    let shown = test_support::eventually("the counter is shown", async || {
        let answer = client::get(pane, "/api/overview").await;
        answer.text().contains("{\"name\":\"greetings_total\",\"kind\":\"counter\"").then_some(answer)
    });
    assert!(shown.await.text().contains("\"requests\":1"));
}

#[tokio::test]
async fn pane_behind_login() {
    let address = free_address();
    let mut command = Command::new(program("pane_behind_login"));
    command.arg(address.to_string()).env("PANE_PASSWORD", "secret");
    let process = Process::spawn(command, Reading::AsItComes);
    test_support::eventually("the example listens", async || TcpStream::connect(address).ok()).await;
    let ask = async |authorization: &str| {
        let request = client::request(Method::GET, "/pane").header("authorization", authorization);
        client::send(address, request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(ask("Basic YWRtaW46d3Jvbmc=").await.status, 401);
    assert!(ask("Basic YWRtaW46c2VjcmV0").await.text().contains("<title>"));
    assert_eq!(client::get(address, "/").await.text(), "the shop\n");
    access_line(&process, "/").await;
    assert!(!process.output().contains("/pane"), "not in the log");
}

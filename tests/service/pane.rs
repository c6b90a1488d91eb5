//! The pane of the service: where it is, who may see it, and that it holds nothing up.

use std::net::SocketAddr;
use std::time::Instant;

use test_support::client;
use test_support::process::{Process, Reading, free_address, listening, run};
use test_support::raw;

use super::{json, redpane};

/// The address that the service says its pane has.
async fn pane_of(process: &Process) -> SocketAddr {
    let line = process.line("the pane is at").await;
    line.str("url").strip_prefix("http://").unwrap().trim_end_matches('/').parse().unwrap()
}

#[tokio::test]
async fn it_is_served_to_this_machine_without_being_asked_for() {
    let (process, address) = listening(redpane(&[], &[]), Reading::AsItComes).await;
    let (other, _) = listening(redpane(&[], &[]), Reading::AsItComes).await;
    let (pane, of_other) = (pane_of(&process).await, pane_of(&other).await);
    assert!(pane.ip().is_loopback() && pane != of_other, "{pane} {of_other}: a free port where 8001 is taken");
    for path in ["/hello/ada", "/nope", "/metrics"] {
        client::get(address, path).await;
    }
    let overview = test_support::eventually("it shows both requests", async || {
        let overview = json(&client::get(pane, "/api/overview").await);
        (overview["totals"]["requests"] == 2).then_some(overview)
    })
    .await;
    assert_eq!((&overview["app"], &overview["version"]), (&"api".into(), &env!("CARGO_PKG_VERSION").into()));
    assert_eq!(overview["service_url"], format!("http://{address}"));
    let names: Vec<_> = overview["metrics"].as_array().unwrap().iter().map(|metric| &metric["name"]).collect();
    assert!(names.iter().any(|name| **name == "tokio_busy_ratio"), "{names:?}");
    assert!(overview["process"]["open_fds"].is_u64() && overview["process"]["tokio_workers"].is_u64(), "{overview}");
    assert_eq!(client::get(address, "/api/overview").await.status, 404, "not on the API's address");
    assert!(process.lines().iter().all(|line| !line.text.contains("/api/") || line["status"] == 404));
}

#[tokio::test]
async fn off_is_off_and_other_roles_have_none() {
    for (arguments, variables) in
        [(&["--pane-listen", "off"][..], &[][..]), (&["receiver"], &[]), (&[], &[("REDPANE_PANE_LISTEN", "OFF")])]
    {
        let (mut process, address) = listening(redpane(arguments, variables), Reading::AsItComes).await;
        let metrics = client::get(address, "/metrics").await;
        assert!(!metrics.text().contains("redpane_pane_bytes"), "{arguments:?}");
        process.signal("TERM");
        process.exit_code().await;
        assert!(!process.output().contains("the pane is at"), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_token_is_asked_for_and_not_shown() {
    let (token, address) = ("a-token-of-20-letters", free_address().to_string());
    let variables = [("REDPANE_PANE_TOKEN", token), ("REDPANE_PANE_LISTEN", &address)];
    let (process, _) = listening(redpane(&[], &variables), Reading::AsItComes).await;
    let pane = pane_of(&process).await;
    assert_eq!(pane.to_string(), address);
    let get = |token: &str| {
        format!("GET /api/overview HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n")
    };
    assert!(raw::exchange(pane, get("wrong")).await.starts_with("HTTP/1.1 401"));
    assert!(raw::exchange(pane, get(token)).await.starts_with("HTTP/1.1 200"));
    process.line("a request of the pane was refused").await;
    assert!(!process.output().contains(token));
    let (code, _, errors) = run(redpane(&[], &[("REDPANE_PANE_LISTEN", "0.0.0.0:0")])).await;
    assert!(code == 64 && errors.contains("REDPANE_PANE_TOKEN is not set"), "{errors}");
}

#[tokio::test]
async fn a_page_that_is_open_holds_no_shutdown_up() {
    let variables = [("REDPANE_SHUTDOWN_GRACE", "20s")];
    let (mut process, _) = listening(redpane(&[], &variables), Reading::AsItComes).await;
    let pane = pane_of(&process).await;
    let mut feed = raw::send(pane, "GET /api/live HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    raw::read_until(&mut feed, "event: hello").await;
    let begun = Instant::now();
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0);
    assert!(begun.elapsed().as_secs() < 15, "{:?}", begun.elapsed());
    raw::read_to_end(&mut feed).await;
}

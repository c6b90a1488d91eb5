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
async fn it_shows_the_same_whatever_the_metrics_are_called() {
    let variables = [("REDPANE_METRIC_NAMES", "otel"), ("REDPANE_FAULTS", "true")];
    let (process, address) = listening(redpane(&[], &variables), Reading::AsItComes).await;
    let pane = pane_of(&process).await;
    client::get_many(address, "/hello/ada".to_owned(), 10).await;
    client::get_many(address, "/faults/status/503".to_owned(), 10).await;
    // The last hour is summed in steps of ten seconds, of which the running one is not over.
    let overview = test_support::eventually("all of them are shown, and the budget burns", async || {
        let overview = json(&client::get(pane, "/api/overview").await);
        let burns = overview["rules"][2]["state"] == "burning";
        (burns && overview["totals"]["requests"] == 20).then_some(overview)
    })
    .await;
    let rules = overview["rules"].as_array().unwrap();
    let states: Vec<_> = rules.iter().map(|rule| rule["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["burning", "ok", "burning", "ok", "ok"]);
    for query in rules.iter().map(|rule| rule["query"].as_str().unwrap()) {
        promql_parser::parser::parse(query).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert!(!query.contains("http_requests_total"), "{query}");
    }
    let routes = overview["routes"].as_array().unwrap();
    let routes: Vec<_> =
        routes.iter().map(|route| (&route["route"], &route["requests"], &route["error_ratio"])).collect();
    assert_eq!(
        routes[..2],
        [
            (&"/faults/status/{code}".into(), &10.into(), &1.0.into()),
            (&"/hello/{name}".into(), &10.into(), &0.0.into())
        ]
    );
    assert!(overview["totals"]["p99_seconds"].is_number() && overview["totals"]["in_flight"].is_u64(), "{overview}");
    // What is listed by its name is what a scrape has.
    let scrape = client::get(address, "/metrics").await;
    let listed = overview["metrics"].as_array().unwrap().iter().map(|metric| metric["name"].as_str().unwrap());
    let missing: Vec<_> = listed.filter(|name| !scrape.text().contains(&format!("# TYPE {name} "))).collect();
    assert!(missing.is_empty(), "{missing:?}");
    let names = ["requests", "errors", "latency", "heatmap", "in_flight", "cpu", "memory"];
    let series = json(&client::get(pane, &format!("/api/series?name={}", names.join("&name="))).await);
    for name in names.iter().filter(|name| **name != "heatmap") {
        let line = series["series"].as_array().unwrap().iter().find(|line| line["name"] == *name);
        let values = line.unwrap_or_else(|| panic!("{name}"))["values"].as_array().unwrap();
        assert!(values.iter().any(|value| value.is_number()), "{name} has values");
    }
    let counts = series["heatmap"]["counts"].as_array().unwrap().iter().filter_map(|step| step.as_array()).flatten();
    assert_eq!(counts.filter_map(serde_json::Value::as_u64).sum::<u64>(), 20);
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
    let bad = [("REDPANE_PANE_LISTEN", "0.0.0.0:0"), ("REDPANE_PANE_TOKEN", "too-short")];
    let (code, _, errors) = run(redpane(&[], &bad)).await;
    assert!(code == 64 && errors.contains("16 to 256") && !errors.contains("is not set"), "{errors}");
    // An address that stands for all is none that a browser opens.
    let all = [("REDPANE_PANE_LISTEN", "0.0.0.0:0"), ("REDPANE_PANE_TOKEN", token)];
    let (process, _) = listening(redpane(&[], &all), Reading::AsItComes).await;
    let line = process.line("the pane is at").await;
    assert!(line.str("url").starts_with("http://localhost:"), "{}", line.text);
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

//! Overview, routes and series.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use test_support::{client, until};

use super::{Shown, problem};

/// The sum of a line's values.
fn sum(series: &Value, name: &str, label: &str) -> f64 {
    let lines = series["series"].as_array().unwrap();
    let line = lines.iter().find(|line| line["name"] == name && line["label"] == label);
    let values = line.unwrap_or_else(|| panic!("no {name} {label} in {series}"))["values"].as_array().unwrap();
    assert_eq!(values.len() as u64, series["points"].as_u64().unwrap());
    values.iter().filter_map(Value::as_f64).sum()
}

#[tokio::test]
async fn the_overview_counts_what_was_sent_and_names_the_worst_route() {
    let shown = Shown::new().await;
    shown.requests("/status/200", 30).await;
    shown.requests("/nothing", 5).await;
    shown.requests("/metrics", 4).await;
    shown.requests("/status/500", 3).await;
    let overview = shown.overview_of(38).await;
    assert_eq!((&overview["app"], &overview["state"]), (&"test".into(), &"burning".into()));
    assert_eq!(overview["totals"]["error_ratio"], 0.0789474, "3 of 38, to six digits: {overview}");
    let routes = overview["routes"].as_array().unwrap();
    let names: Vec<_> = routes.iter().map(|route| (route["route"].as_str().unwrap(), &route["requests"])).collect();
    assert_eq!(names, [("/status/{status}", &33.into()), ("unmatched", &5.into()), ("/metrics", &4.into())]);
    assert_eq!((&routes[0]["probe"], &routes[2]["probe"]), (&false.into(), &true.into()));
    let rules = overview["rules"].as_array().unwrap();
    assert_eq!(
        rules.iter().map(|rule| rule["name"].as_str().unwrap()).collect::<Vec<_>>(),
        ["any_5xx", "p99_slow", "fast_burn", "lines_dropped", "series_overflow"]
    );
    assert_eq!(
        rules[0]["detail"],
        "3 of 38 requests were answered 5xx in the last 2 minutes; most by GET /status/{status} (3 of 33)"
    );
    assert!(rules[0]["since_ms"].is_u64() && rules[1]["since_ms"].is_null(), "{overview}");
    assert!(overview["process"]["resident_bytes"].as_u64() > Some(1 << 20), "{overview}");
    let bytes = overview["pane"]["bytes"].as_u64().unwrap();
    assert!(bytes > 500_000 && bytes < overview["pane"]["limit_bytes"].as_u64().unwrap(), "{bytes}");
    assert!(shown.observed.samples().value("redpane_pane_bytes", &[]) >= bytes as f64 / 2.0);
}

#[tokio::test]
async fn series_add_up_to_what_was_sent() {
    let shown = Shown::with(|redpane| redpane.pane_chart("orders_total")).await;
    let recorder = shown.observed.telemetry.recorder();
    metrics::with_local_recorder(&recorder, || {
        metrics::counter!("orders_total", "tier" => "paid").increment(7);
        metrics::gauge!("queue_depth").set(4.5);
        metrics::histogram!("price_euros").record(0.2);
    });
    shown.requests("/status/200", 20).await;
    shown.requests("/status/404", 5).await;
    shown.overview_of(25).await;
    let series = shown.json("/api/series?name=requests&name=orders_total&name=heatmap&name=latency&name=queue_depth&name=price_euros&name=none").await;
    assert_eq!((sum(&series, "requests", "2xx"), sum(&series, "requests", "4xx")), (20.0, 5.0));
    assert_eq!(sum(&series, "orders_total", "tier=\"paid\""), 7.0);
    assert_eq!(sum(&series, "queue_depth", "") % 4.5, 0.0);
    assert!(sum(&series, "latency", "p99") > 0.0 && sum(&series, "price_euros", "p50") > 0.0);
    let counts = series["heatmap"]["counts"].as_array().unwrap().iter().filter_map(Value::as_array).flatten();
    assert_eq!(counts.filter_map(Value::as_u64).sum::<u64>(), 25);
    assert_eq!(series["unknown"], serde_json::json!(["none"]));
    let own = shown.json("/api/series?name=requests&method=GET&route=/status/%7Bstatus%7D").await;
    assert_eq!(sum(&own, "requests", "2xx"), 20.0);
    let (from, to) = (series["from_ms"].as_u64().unwrap(), series["to_ms"].as_u64().unwrap());
    let routes = shown.json(&format!("/api/routes?from={from}&to={to}")).await;
    assert_eq!((&routes["routes"][0]["requests"], routes["routes"].as_array().unwrap().len()), (&25.into(), 1));
    let overview = shown.json("/api/overview").await;
    assert_eq!(overview["metrics"][0]["name"], "orders_total", "pinned first");
    let long = shown.json("/api/series?name=requests&range=3h").await;
    assert_eq!((&long["step_seconds"], &long["points"]), (&10.into(), &1080.into()));
}

#[tokio::test]
async fn it_does_not_matter_how_metrics_are_spelt() {
    let shown = Shown::with(|redpane| redpane.metric_names(redpane::MetricNames::Otel)).await;
    client::get_many(shown.app, "/status/500".to_owned(), 3).await;
    let overview = shown.overview_of(3).await;
    assert_eq!((&overview["metric_names"], &overview["totals"]["error_ratio"]), (&"otel".into(), &1.0.into()));
    assert!(!shown.observed.telemetry.render(redpane::ExpositionFormat::Text).contains("http_requests_total{"));
}

#[tokio::test]
async fn a_hook_that_panics_does_not_end_the_pane() {
    let shown = Shown::new().await;
    shown.requests("/status/200", 1).await;
    shown.overview_of(1).await;
    let called = Arc::new(AtomicUsize::new(0));
    let calls = Arc::clone(&called);
    shown.observed.telemetry.on_scrape(move || {
        calls.fetch_add(1, Ordering::Relaxed);
        panic!("a hook");
    });
    until("the pane has run the hook", || (called.load(Ordering::Relaxed) > 0).then_some(())).await;
    assert_eq!(shown.json("/api/overview").await["totals"]["requests"], 1, "what it had is still there");
}

#[tokio::test]
async fn parameters_that_are_not_right_are_named() {
    let shown = Shown::new().await;
    for (path, detail) in [
        ("/api/overview?window=3", "there is no parameter \"window\": none is known here"),
        ("/api/series", "name is needed"),
        ("/api/series?name=", "name is needed"),
        ("/api/series?name=requests&range=2h", "range is \"2h\": must be 15m, 3h or 24h"),
        ("/api/series?name=requests&from=1", "from and to belong together"),
        ("/api/series?name=requests&from=2&to=1", "from is not before to"),
        ("/api/series?name=requests&from=1&to=2&range=3h", "range stands for from and to"),
        ("/api/series?name=requests&route=/", "method and route belong together"),
        ("/api/routes", "from and to are needed"),
        ("/api/routes?from=2&to=2", "from is not before to"),
        ("/api/lines?from=2&to=1", "from is not before to"),
        ("/api/lines?limit=0", "limit is \"0\": must be a whole number from 1 to 1000"),
        ("/api/lines?level=loud", "level is \"loud\": must be error, warn, info, debug or trace"),
        ("/api/lines?field=x", "field is \"x\": must be key:value"),
        ("/api/lines?trace_id=xyz", "trace_id is \"xyz\": must be 32 hexadecimal digits"),
        ("/api/traces/xyz", "\"xyz\" is no trace id"),
        ("/api/live?lines=2", "lines is \"2\": must be 0 or 1"),
        ("/api/live?from=1", "there is no parameter \"from\""),
    ] {
        let found = problem(&shown.get(path).await, 400);
        assert!(found.contains(detail), "{path}: {found}");
    }
    assert!(problem(&shown.get("/api/nothing").await, 404).contains("there is nothing at \"/api/nothing\""));
    assert!(problem(&shown.get(&format!("/api/traces/{}", "a".repeat(32))).await, 404).contains("is held"));
}

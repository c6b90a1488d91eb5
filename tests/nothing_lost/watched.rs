//! The pane is on and looked at: the account is the same, the pane has the same numbers, and its memory stays what it says.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use test_support::process::free_address;
use test_support::{client, eventually, raw};

use crate::client::Trust;
use crate::mix::Without;
use crate::service::Service;
use crate::{deeds, seed};

/// What docs/pane.md says that the pane takes at most, in bytes.
const PANE_BYTES: f64 = 48.0 * 1024.0 * 1024.0;
/// Routes that totals of the pane leave out.
const PROBES: [&str; 3] = ["/healthz", "/metrics", "/readyz"];
/// All that a page may ask for, and more than it asks for.
const QUESTIONS: [&str; 5] = [
    "/api/overview",
    "/api/lines?contains=hello&limit=1000",
    "/api/lines?level=error&field=status:500",
    "/api/series?name=requests&name=heatmap&name=latency&range=24h",
    "/api/routes?from=0&to=9999999999999",
];
/// Reaches back as far as the pane's seconds do, with a margin.
const SECONDS: Duration = Duration::from_secs(800);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pane_that_is_looked_at_takes_part_in_no_request() {
    let pane = free_address();
    let mut service = Service::start(&[("REDPANE_PANE_LISTEN", &pane.to_string())]).await;
    let feed = "GET /api/live HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut awake = raw::send(pane, feed).await;
    let reads = tokio::spawn(async move { raw::read_to_end(&mut awake).await });
    // Nobody reads what this one is sent.
    let asleep = raw::send(pane, feed).await;
    let load = service.load(seed(), 16, deeds(), Without::default(), Trust::Answers);
    let loading = tokio::spawn(load.finish());
    while !loading.is_finished() {
        for question in QUESTIONS {
            let answer = client::get(pane, question).await;
            assert_eq!(answer.status, 200, "{question}: {}", answer.text());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    loading.await.unwrap();
    let sum = service.settle().await;
    assert!(sum.counted >= deeds() as u64 && sum.lost == 0, "{sum:?}");
    let samples = service.scrape().await;
    let probes: f64 = PROBES.iter().map(|route| samples.sum("http_requests_total", &[("route", route)])).sum();
    let counted = samples.sum("http_requests_total", &[]) - probes;
    eventually("the pane has counted all of them", async || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        // In seconds: the step that is running is not among those that are shown.
        let range = format!("from={}&to={}", (now - SECONDS).as_millis(), now.as_millis());
        let answer = client::get(pane, &format!("/api/routes?{range}")).await;
        let routes: Value = serde_json::from_slice(&answer.body).unwrap();
        let routes = routes["routes"].as_array()?.iter().filter(|route| route["probe"] == false);
        let shown: u64 = routes.map(|route| route["requests"].as_u64().unwrap()).sum();
        assert!(shown as f64 <= counted, "{shown} of {counted}");
        (shown as f64 == counted).then_some(())
    })
    .await;
    let bytes = samples.value("redpane_pane_bytes", &[]);
    assert!(bytes > 0.0 && bytes <= PANE_BYTES, "{bytes}");
    service.end().await;
    drop(asleep);
    let seen = reads.await.unwrap();
    assert!(
        seen.contains("event: tick") && seen.contains("event: lines"),
        "it has seen something: {} bytes",
        seen.len()
    );
}

//! SIGTERM in the middle of the mix: what was answered has its line, and the last scrape agrees.

use test_support::eventually;

use crate::client::Trust;
use crate::mix::{Asked, Mix, Without};
use crate::seed;
use crate::service::Service;

/// Waits until this many requests are counted.
async fn counted(service: &mut Service, requests: f64) {
    eventually("the mix goes on", async || {
        (service.scrape().await.sum("http_requests_total", &[]) >= requests).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_flight_and_those_that_come_late_are_counted_and_logged() {
    let seed = seed();
    // One request holds the end up until the last scrape is done; then the service answers it 503.
    let variables = [("REDPANE_METRICS_LISTEN", "127.0.0.1:0"), ("REDPANE_REQUEST_TIMEOUT", "12s")];
    let mut service = Service::start(&variables).await;
    service.metrics_address = service.process.line("listening").await.str("metrics_listen").parse().unwrap();
    let without = Without { timeouts: true, certainty: true };
    let mut holding = service.client("held", Mix::new(seed, without), Trust::Answers);
    let held = tokio::spawn(async move {
        let asked = Asked::new("GET", "/faults/delay/60000", "/faults/delay/{ms}", 503);
        holding.ask(&asked, true).await.unwrap();
    });
    eventually("it is in flight", async || {
        (service.scrape().await.value("http_requests_in_flight", &[]) == 1.0).then_some(())
    })
    .await;
    let load = service.load(seed, 16, usize::MAX, without, Trust::MayBreakOff);
    counted(&mut service, 100.0).await;
    service.process.signal("TERM");
    service.process.line("shutting down: not ready any more").await;
    // Whoever connects meanwhile is served too.
    let before = service.scrape().await.sum("http_requests_total", &[]);
    counted(&mut service, before + 20.0).await;
    load.stop().await;

    service.account.kept_in_flight = 1;
    let sum = service.settle().await;
    assert!(sum.lost == 0 && sum.counted > 100, "{sum:?}");
    assert!(!held.is_finished(), "the last scrape came before the last answer");
    held.await.unwrap();
    assert_eq!(service.process.exit_code().await, 0, "{}", service.process.errors());
    let rest = service.process.lines();
    service.read();
    assert_eq!(
        rest.iter().filter(|line| line.is_access()).count(),
        1,
        "the one that was held, and no other: {rest:#?}"
    );
    assert_eq!(service.account.missing().count(), 0, "it is the one that the client saw answered");
    assert_eq!(rest.last().unwrap().str("message"), "shut down: no request was cut");
}

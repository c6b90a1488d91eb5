//! A thousand clients at once.

use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::client::Trust;
use crate::mix::{Asked, Mix, Without};
use crate::seed;
use crate::service::Service;

const CONNECTIONS: usize = 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stderr, reason = "a test that is skipped must say so")]
async fn a_thousand_and_twenty_four_at_once() {
    // The service inherits the limit.
    let limit = rlimit::increase_nofile_limit(CONNECTIONS as u64 + 512).unwrap();
    if limit < CONNECTIONS as u64 + 100 {
        return eprintln!(
            "skipped: {CONNECTIONS} connections need as many file descriptors, and the hard limit is {limit}"
        );
    }
    let seed = seed();
    let mut service = Service::start(&[("REDPANE_REQUEST_TIMEOUT", "20s")]).await;
    let together = Arc::new(Barrier::new(CONNECTIONS));
    let mut clients = JoinSet::new();
    for number in 0..CONNECTIONS {
        let mut client = service.client(format!("c{number}"), Mix::new(seed, Without::default()), Trust::Answers);
        let together = Arc::clone(&together);
        clients.spawn(async move {
            let hello = Asked::get(format!("/hello/{number}"), "/hello/{name}");
            client.ask(&hello, false).await.unwrap();
            together.wait().await;
            client.ask(&Asked::get("/faults/delay/6000", "/faults/delay/{ms}"), false).await.unwrap();
            client.ask(&hello, false).await.unwrap();
        });
    }
    let mut at_once: f64 = 0.0;
    while clients.try_join_next().is_none() {
        at_once = at_once.max(service.scrape().await.value("http_requests_in_flight", &[]));
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(clients.join_all().await.len() == CONNECTIONS - 1, "each got its answers");
    assert!(at_once >= CONNECTIONS as f64, "at most {at_once} requests were in flight at once");
    let sum = service.settle().await;
    assert_eq!((sum.lost, sum.uncertain), (0, 0));
    service.end().await;
}

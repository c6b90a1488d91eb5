//! Under load: every kind of request, every way to end one, many at once.

use std::time::Duration;

use crate::client::Trust;
use crate::mix::Without;
use crate::service::Service;
use crate::{deeds, seed};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_is_counted_and_logged_once() {
    let (seed, deeds) = (seed(), deeds());
    let mut service = Service::start(&[]).await;
    let load = service.load(seed, 16, deeds, Without::default(), Trust::Answers);
    let loading = tokio::spawn(load.finish());
    let mut before = 0.0;
    while !loading.is_finished() {
        let counted = service.scrape().await.sum("http_requests_total", &[]);
        assert!(counted >= before, "a counter went back from {before} to {counted}");
        before = counted;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    loading.await.unwrap();
    let sum = service.settle().await;
    assert!(sum.counted >= deeds as u64 && sum.lost == 0, "{sum:?}");
    service.end().await;
}

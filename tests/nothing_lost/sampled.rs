//! Access lines are sampled: which are left out, and that counted = lines + those left out, exactly.

use crate::client::Trust;
use crate::mix::Without;
use crate::service::Service;
use crate::{deeds, seed};

/// Nothing of the mix takes a second but what times out, so the traces of the share decide alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_end_well_are_sampled_and_the_account_is_exact() {
    let mut service = Service::start(&[("REDPANE_ACCESS_SAMPLE", "0.25")]).await;
    service.account.share = Some(0.25);
    service.load(seed(), 16, deeds(), Without::default(), Trust::Answers).finish().await;
    let sum = service.settle().await;
    assert_eq!(sum.lost, 0, "{sum:?}");
    // Three in four of those that end well, which most of the mix does.
    assert!(sum.sampled_out > sum.counted / 10 && sum.sampled_out < sum.counted, "{sum:?}");
    service.end().await;
}

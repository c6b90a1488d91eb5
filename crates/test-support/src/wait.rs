//! Waiting for something to become true, with a deadline instead of a fixed sleep.

use std::time::{Duration, Instant};

/// Far more than anything here takes, even the start of a process on a machine that runs other tests meanwhile: only a
/// test that fails waits this long.
const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `attempt` yields something.
///
/// # Panics
/// After thirty seconds, saying what was awaited.
pub async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert_in_time(start, what);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until `condition` yields something.
///
/// # Panics
/// After thirty seconds, saying what was awaited.
pub async fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert_in_time(start, what);
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Blocks this thread until `reached`, for tests without a runtime.
///
/// # Panics
/// After thirty seconds, saying what was awaited.
pub fn block_until(what: &str, mut reached: impl FnMut() -> bool) {
    let start = Instant::now();
    while !reached() {
        assert_in_time(start, what);
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn assert_in_time(start: Instant, what: &str) {
    assert!(start.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain until {what}");
}

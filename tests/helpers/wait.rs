//! Waiting for something to become true, with a deadline instead of a fixed sleep.

use std::time::{Duration, Instant};

/// Far more than anything here takes: only a test that fails waits this long.
const DEADLINE: Duration = Duration::from_secs(10);

/// For what other processes do: they have to start first, and may share the machine with the rest of the tests.
const PROCESS_DEADLINE: Duration = Duration::from_secs(30);

/// Waits until `attempt` yields something. Panics, saying what was awaited, after thirty seconds.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = attempt().await {
            return value;
        }
        assert!(start.elapsed() < PROCESS_DEADLINE, "waited {PROCESS_DEADLINE:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until `condition` yields something. Panics, saying what was awaited, after ten seconds.
pub(crate) async fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(start.elapsed() < DEADLINE, "waited {DEADLINE:?} in vain until {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

//! An instrumented router in process: requests in, answers and log lines out.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::response::Response;
use http::Request;
use redpane::{Redpane, Telemetry};
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;

use super::ordered_json::InOrder;

/// No line is longer, by docs/library.md.
const MAX_LINE: usize = 64 * 1024;

pub(crate) struct Service {
    pub(crate) telemetry: Telemetry,
    router: Router,
    log: Captured,
    runtime: Runtime,
}

impl Service {
    pub(crate) fn new(redpane: Redpane, router: Router) -> Self {
        let log = Captured::default();
        let telemetry = redpane.log_writer(log.clone()).build().unwrap();
        let router = telemetry.instrument(router);
        Self { telemetry, router, log, runtime: Builder::new_current_thread().build().unwrap() }
    }

    pub(crate) fn send(&self, request: Request<Body>) -> Response<Bytes> {
        self.runtime.block_on(async {
            let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
            Response::from_parts(parts, to_bytes(body, usize::MAX).await.unwrap())
        })
    }

    /// The lines since the last look: each valid JSON of bounded length that begins with the contract's keys, no key twice.
    pub(crate) fn lines(&self) -> Vec<InOrder> {
        self.telemetry.flush(Duration::from_secs(60)).unwrap();
        let bytes = std::mem::take(&mut *self.log.0.lock().unwrap());
        assert!(bytes.is_empty() || bytes.ends_with(b"\n"), "the last line has no end");
        bytes.split_inclusive(|&byte| byte == b'\n').map(line).collect()
    }

    /// The one line since the last look.
    pub(crate) fn line(&self) -> InOrder {
        let mut lines = self.lines();
        assert_eq!(lines.len(), 1, "not one line");
        lines.remove(0)
    }
}

fn line(bytes: &[u8]) -> InOrder {
    assert!(bytes.len() <= MAX_LINE, "a line of {} bytes", bytes.len());
    let read = serde_json::from_slice::<InOrder>(bytes);
    let line = read.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(bytes)));
    let mut keys: Vec<_> = line.0.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys[..7], ["timestamp", "level", "app", "trace_id", "span_id", "target", "message"]);
    keys.sort_unstable();
    if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        panic!("the key {:?} comes twice: {}", pair[0], String::from_utf8_lossy(bytes));
    }
    line
}

/// A log output that can be read back.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

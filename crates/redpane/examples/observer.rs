//! An observer sees every request at its end: here it keeps the newest slow ones, for whoever asks.
//!
//! Run it with `cargo run --example observer`, then `curl localhost:3000/work/10`, `curl localhost:3000/work/600` and
//! `curl localhost:3000/audit`: only the second took long enough, and its trace id finds its line.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Router, routing::get};
use redpane::{FinishedRequest, Redpane, RequestObserver};

const SLOW: Duration = Duration::from_millis(500);
const KEPT: usize = 100;

#[derive(Clone, Default)]
struct Audit(Arc<Mutex<VecDeque<String>>>);

impl RequestObserver for Audit {
    /// Runs on the thread that ended the request, so it only keeps what it needs.
    fn finished(&self, request: &FinishedRequest<'_>) {
        if request.duration() < SLOW {
            return;
        }
        let (method, route, status) = (request.method(), request.route(), request.status());
        let (milliseconds, trace_id) = (request.duration().as_millis(), request.trace_id());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.truncate(KEPT - 1);
        kept.push_front(format!("{method} {route} {status} {milliseconds} ms {trace_id}\n"));
    }
}

async fn work(Path(milliseconds): Path<u64>) -> &'static str {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    "done\n"
}

async fn audit(State(audit): State<Audit>) -> String {
    audit.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(String::as_str).collect()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let kept = Audit::default();
    let router = Router::new().route("/work/{milliseconds}", get(work)).route("/audit", get(audit));
    let app = Redpane::new("observer").observer(kept.clone()).instrument(router.with_state(kept));

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    axum::serve(listener, app).await?;
    Ok(())
}

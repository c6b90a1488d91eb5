//! Requests whose fate is known: each has an id of its own, which its access line repeats.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::bundle::{Bundle, eventually};
use crate::http::{Request, send};

/// Clients that send at the same time.
const CLIENTS: usize = 4;
/// A client's pause between two requests: about 60 requests a second from all of them.
const PAUSE: Duration = Duration::from_millis(60);

/// A request of the mix: method, path, route, body.
type Kind = (&'static str, &'static str, &'static str, &'static str);

/// Answers of every sort, good ones first.
pub(crate) const MIX: [Kind; 8] = [
    ("GET", "/", "/", ""),
    ("GET", "/hello/ada", "/hello/{name}", ""),
    ("POST", "/echo", "/echo", r#"{"number": 1}"#),
    ("GET", "/unknown", "unmatched", ""),
    ("DELETE", "/hello/ada", "/hello/{name}", ""),
    ("GET", "/faults/status/500", "/faults/status/{code}", ""),
    ("GET", "/faults/status/503", "/faults/status/{code}", ""),
    ("GET", "/faults/panic", "/faults/panic", ""),
];
/// Those of them that are no errors.
pub(crate) const GOOD: &[Kind] = MIX.first_chunk::<3>().unwrap();

/// A request that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) id: String,
    pub(crate) trace_id: String,
    pub(crate) method: &'static str,
    pub(crate) route: &'static str,
    pub(crate) status: u16,
}

/// What became of a number of requests.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) answered: Vec<Answered>,
    /// The ids of requests without an answer, and what happened instead.
    pub(crate) unanswered: Vec<(String, String)>,
}

impl Sent {
    /// Answers by method, route and status.
    pub(crate) fn counts(&self) -> BTreeMap<(String, String, String), u64> {
        let mut counts = BTreeMap::new();
        for one in &self.answered {
            *counts.entry((one.method.into(), one.route.into(), one.status.to_string())).or_default() += 1;
        }
        counts
    }

    /// The ids of the requests that were answered, sorted.
    pub(crate) fn ids(&self) -> Vec<String> {
        let mut ids: Vec<_> = self.answered.iter().map(|one| one.id.clone()).collect();
        ids.sort();
        ids
    }
}

/// Sends one request of a kind.
fn send_one(port: u16, id: &str, kind: Kind, sent: &mut Sent) {
    let (method, path, route, body) = kind;
    let headers = [("X-Request-Id", id), ("Content-Type", "application/json")];
    match send(port, &Request { method, path, headers: &headers, body }) {
        Ok(answer) => {
            let trace_id = answer.header("x-trace-id").unwrap_or_default().to_owned();
            sent.answered.push(Answered { id: id.into(), trace_id, method, route, status: answer.status });
        }
        Err(error) => sent.unanswered.push((id.into(), error.to_string())),
    }
}

/// Sends so many requests of the mix, one after the other.
pub(crate) fn send_mix(bundle: &Bundle, prefix: &str, number: usize) -> Sent {
    let mut sent = Sent::default();
    for index in 0..number {
        send_one(bundle.api, &format!("{prefix}-{index}"), MIX[index % MIX.len()], &mut sent);
    }
    sent
}

/// Clients at work in the background.
pub(crate) struct Traffic {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Sent>>,
}

impl Traffic {
    /// Starts clients that send good requests until they are stopped.
    pub(crate) fn start(bundle: &Bundle, prefix: &str) -> Self {
        let (stop, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = |_| {
            let (stop, next, prefix, port) = (stop.clone(), next.clone(), prefix.to_owned(), bundle.api);
            std::thread::spawn(move || {
                let mut sent = Sent::default();
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    send_one(port, &format!("{prefix}-{index}"), GOOD[index % GOOD.len()], &mut sent);
                    std::thread::sleep(PAUSE);
                }
                sent
            })
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { stop, clients }
    }

    /// Stops the clients; every request has its answer, or never gets one.
    pub(crate) fn stop(self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Sent::default();
        for client in self.clients {
            let sent = client.join().unwrap();
            all.answered.extend(sent.answered);
            all.unanswered.extend(sent.unanswered);
        }
        all
    }
}

impl Bundle {
    /// The request ids in access lines that begin so, sorted; one that is there twice is there twice.
    pub(crate) fn logged_ids(&self, prefix: &str) -> Vec<String> {
        let query = format!(
            r#"{{app="api"}} | json message="message", request_id="request_id" | message="request" | request_id=~"{prefix}-.+""#
        );
        let lines = self.lines(&query);
        assert!(lines.len() < 10_000, "more lines than Loki gives at once");
        let mut ids: Vec<_> = lines.into_iter().map(|mut line| line.labels.remove("request_id").unwrap()).collect();
        ids.sort();
        ids
    }

    /// Waits until exactly the answered requests have a line each; a request without an answer may have one.
    pub(crate) fn expect_lines(&self, prefix: &str, sent: &Sent) {
        let expected = sent.ids();
        eventually("the access lines are those of the answered requests", 90, || {
            let mut logged = self.logged_ids(prefix);
            logged.retain(|id| !sent.unanswered.iter().any(|(unanswered, _)| unanswered == id));
            if logged == expected {
                return Ok(());
            }
            let lost: Vec<_> = expected.iter().filter(|id| !logged.contains(id)).take(5).collect();
            Err(format!("{} answered, {} lines; without a line: {lost:?}", expected.len(), logged.len()))
        });
    }
}

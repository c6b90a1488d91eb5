//! The real service as a process, and what it says of itself: metrics, lines, memory.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::Command;

use axum::body::Body;
use http::Method;
use test_support::client::{self, Answer, Failure};
use test_support::process::{Process, Reading, listening};
use test_support::{Line, Samples, eventually};

/// Label sets that write a line only where something went wrong.
const QUIET: [&str; 3] = ["GET /healthz 200", "GET /metrics 200", "GET /readyz 200"];

pub(crate) struct Service {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// The number of the service's own process: a container's is not the one that was started here.
    pub(crate) pid: u32,
    /// The access lines that were read up to now.
    pub(crate) lines: Vec<Line>,
}

impl Service {
    pub(crate) async fn start(variables: &[(&str, &str)]) -> Self {
        Self::run(crate::redpane(variables)).await
    }

    /// The same by a command that ends up as the service.
    pub(crate) async fn run(command: Command) -> Self {
        let (process, address) = listening(command, Reading::AsItComes).await;
        let pid = process.id();
        Self { process, address, pid, lines: Vec::new() }
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory since the service began, in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    /// A line of the process's status, whose unit is KiB.
    fn status(&self, key: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("the service still runs");
        let value = status.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        value.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Asks on a connection of its own, to a service that may not answer.
    pub(crate) async fn ask(&self, path: &str) -> Result<Answer, Failure> {
        let mut sender = client::try_keep_alive(self.address).await?;
        let asked = client::request(Method::GET, path).body(Body::empty())?;
        Ok(client::read(sender.send_request(asked).await?).await)
    }

    pub(crate) async fn scrape(&self) -> Samples {
        Samples::parse(client::get(self.address, "/metrics").await.text())
    }

    /// Waits until nothing is in flight and at most this many descriptors are open; gives the scrape.
    pub(crate) async fn at_rest(&self, descriptors: Option<f64>) -> Samples {
        eventually("all connections are closed", async || {
            let samples = self.scrape().await;
            is_at_rest(&samples, descriptors.unwrap_or(f64::INFINITY)).then_some(samples)
        })
        .await
    }

    /// Waits until every request of this scrape has its line, unless that was dropped and counted.
    pub(crate) async fn read_lines(&mut self, samples: &Samples) {
        let counted: f64 = loud(samples).map(|(_, count)| count).sum();
        let dropped = samples.sum("log_lines_dropped_total", &[]);
        eventually("every request that was counted has its line", async || {
            self.lines.extend(self.process.take_lines().into_iter().filter(Line::is_access));
            let logged = self.lines.iter().filter(|line| !QUIET.contains(&&labels(line)[..])).count();
            (logged as f64 + dropped >= counted).then_some(())
        })
        .await;
        if dropped == 0.0 {
            self.assert_counted(samples);
        }
    }

    /// The metrics say of each label set what the lines say.
    fn assert_counted(&self, samples: &Samples) {
        let mut logged = HashMap::<String, f64>::new();
        self.lines.iter().for_each(|line| *logged.entry(labels(line)).or_default() += 1.0);
        let quiet: Vec<_> = QUIET.iter().filter_map(|labels| logged.remove_entry(*labels)).collect();
        let mut logged: Vec<_> = logged.into_iter().collect();
        logged.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(loud(samples).collect::<Vec<_>>(), logged, "counted, and logged");
        let counted: HashMap<_, _> = samples.requests().into_iter().collect();
        for (labels, lines) in quiet {
            assert!(
                counted.get(&labels).is_some_and(|count| *count >= lines),
                "{lines} lines of {labels}: {counted:?}"
            );
        }
    }
}

/// Whether nothing is in flight and at most this many descriptors are open.
pub(crate) fn is_at_rest(samples: &Samples, descriptors: f64) -> bool {
    samples.value("http_requests_in_flight", &[]) == 0.0 && samples.value("process_open_fds", &[]) <= descriptors
}

/// The method, route and status of a line.
pub(crate) fn labels(line: &Line) -> String {
    format!("{} {} {}", line.str("method"), line.str("route"), line["status"])
}

/// The counted requests that write a line in any case.
fn loud(samples: &Samples) -> impl Iterator<Item = (String, f64)> {
    samples.requests().into_iter().filter(|(labels, _)| !QUIET.contains(&&labels[..]))
}

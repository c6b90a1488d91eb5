//! The thread that exports: takes batches, sends them, tries again, and counts what became of every span.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::answer::Answer;
use super::batch::{Batch, SpanBuffer};
use super::counts::DropReason;
use super::resource::Envelope;
use super::retry::Backoff;
use super::transport::Transport;

const THREAD: &str = "redpane-traces";
/// A report comes at most this often.
const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// Tells somebody why spans are not exported, and how many were dropped since the last report.
pub(crate) type Report = Box<dyn Fn(&str, u64) + Send>;

/// Sees every batch before it is sent.
pub(crate) type Tap = Box<dyn Fn(&[u8]) + Send>;

/// What the thread needs.
pub(crate) struct Exporter {
    pub(crate) buffer: Arc<SpanBuffer>,
    pub(crate) transport: Transport,
    pub(crate) envelope: Envelope,
    /// How long a batch is tried, with all attempts; `None` while it takes.
    pub(crate) give_up_after: Option<Duration>,
    pub(crate) report: Report,
    pub(crate) tap: Option<Tap>,
}

/// Starts the thread, which ends when the buffer is closed and every batch had its attempt.
///
/// # Errors
/// If the system refuses the thread or what its runtime needs.
pub(crate) fn spawn(exporter: Exporter) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    thread::Builder::new().name(THREAD.into()).spawn(move || runtime.block_on(exporter.run())).map(drop)
}

impl Exporter {
    async fn run(self) {
        let mut reports = Reports { last: None, told: 0 };
        let mut random = SmallRng::from_os_rng();
        while let Some(batch) = self.buffer.next().await {
            if let Some(tap) = &self.tap {
                tap(&batch.encoded);
            }
            self.export(batch, &mut reports, &mut random).await;
        }
    }

    /// Sends a batch until the receiver has it or does not want it, or nobody waits any longer.
    async fn export(&self, batch: Batch, reports: &mut Reports, random: &mut SmallRng) {
        let body = self.transport.body(self.envelope.wrap(&batch.encoded));
        let give_up = self.give_up_after.and_then(|after| Instant::now().checked_add(after));
        let mut backoff = Backoff::default();
        let (dropped, reason, why) = loop {
            let attempt = self.buffer.attempt();
            match self.transport.send(body.clone()).await {
                Answer::Accepted { rejected, why } => break (rejected, DropReason::Rejected, why),
                Answer::Refused { why } => break (batch.spans, DropReason::Rejected, why),
                Answer::Nonsense { why } => break (batch.spans, DropReason::BadAnswer, why),
                Answer::Again { why, .. } if attempt.is_last => break (batch.spans, DropReason::Shutdown, why),
                Answer::Again { after, why } => {
                    let wait = backoff.next(after, random);
                    if give_up.is_some_and(|give_up| Instant::now() + wait > give_up) {
                        break (batch.spans, DropReason::Timeout, why);
                    }
                    reports.tell(self, &why);
                    self.buffer.wait_to_retry(&attempt, wait, after.is_some()).await;
                }
            }
        };
        self.buffer.settle(&batch, dropped, reason);
        if dropped > 0 || self.dropped() > reports.told {
            reports.tell(self, &why);
        }
    }

    fn dropped(&self) -> u64 {
        self.buffer.counts().dropped.iter().sum()
    }
}

/// At most one report a minute.
struct Reports {
    last: Option<Instant>,
    /// Dropped spans that were reported.
    told: u64,
}

impl Reports {
    fn tell(&mut self, exporter: &Exporter, why: &str) {
        if self.last.is_some_and(|last| last.elapsed() < REPORT_INTERVAL) {
            return;
        }
        let dropped = exporter.dropped();
        (exporter.report)(why, dropped - self.told);
        self.last = Some(Instant::now());
        self.told = dropped;
    }
}

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

/// Tells somebody what is wrong, why, and how many spans were dropped since the last report.
pub(crate) type Report = Box<dyn Fn(&'static str, &str, u64) + Send>;

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
        let mut reports = Reports::default();
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
                // A receiver may say that it refused more than there was.
                Answer::Accepted { rejected, why } => break (rejected.min(batch.spans), DropReason::Rejected, why),
                Answer::Refused { why } => break (batch.spans, DropReason::Rejected, why),
                Answer::Nonsense { why } => break (batch.spans, DropReason::BadAnswer, why),
                Answer::Again { why, .. } if attempt.is_last => break (batch.spans, DropReason::Shutdown, why),
                Answer::Again { after, why } => {
                    let wait = backoff.next(after, random);
                    if give_up.is_some_and(|give_up| Instant::now() + wait > give_up) {
                        break (batch.spans, DropReason::Timeout, why);
                    }
                    reports.tell(self, &why, None);
                    self.buffer.wait_to_retry(&attempt, wait, after.is_some()).await;
                }
            }
        };
        if dropped == 0 && !why.is_empty() {
            reports.warn(self, &why);
        }
        // Those too that found no room meanwhile. Before the batch is settled: whoever flushes has the line then.
        let why = if dropped > 0 { &*why } else { "" };
        let settling = Some((reason, dropped));
        if reports.untold(self, settling).iter().any(|spans| *spans > 0) {
            reports.tell(self, why, settling);
        }
        self.buffer.settle(&batch, dropped, reason);
    }
}

/// At most one report of each kind a minute.
#[derive(Default)]
struct Reports {
    last: Option<Instant>,
    last_warning: Option<Instant>,
    /// Dropped spans that were reported.
    told: [u64; DropReason::NAMES.len()],
}

impl Reports {
    /// Spans are not exported. `settling`: those of a batch that are not counted yet.
    fn tell(&mut self, exporter: &Exporter, why: &str, settling: Option<(DropReason, u64)>) {
        if !is_due(&mut self.last) {
            return;
        }
        let untold = self.untold(exporter, settling);
        let reasons = DropReason::NAMES.into_iter().zip(untold).filter(|(_, spans)| *spans > 0);
        let reasons: Vec<_> = reasons.map(|(reason, spans)| format!("{reason} {spans}")).collect();
        let dropped = if reasons.is_empty() { String::new() } else { format!("dropped: {}", reasons.join(", ")) };
        let separator = if why.is_empty() || dropped.is_empty() { "" } else { "; " };
        (exporter.report)("spans are not exported", &format!("{why}{separator}{dropped}"), untold.iter().sum());
        self.told = std::array::from_fn(|at| self.told[at] + untold[at]);
    }

    /// The receiver took a batch, and has something to say: OTLP's way for warnings.
    fn warn(&mut self, exporter: &Exporter, text: &str) {
        if is_due(&mut self.last_warning) {
            (exporter.report)("the receiver of spans took them, and warns", text, 0);
        }
    }

    /// Dropped spans since the last report.
    fn untold(&self, exporter: &Exporter, settling: Option<(DropReason, u64)>) -> [u64; DropReason::NAMES.len()] {
        let mut dropped = exporter.buffer.counts().dropped;
        if let Some((reason, spans)) = settling {
            dropped[reason as usize] += spans;
        }
        std::array::from_fn(|at| dropped[at] - self.told[at])
    }
}

/// Whether a minute has passed since the last one. It is the last one then.
fn is_due(last: &mut Option<Instant>) -> bool {
    let is_due = last.is_none_or(|last| last.elapsed() >= REPORT_INTERVAL);
    if is_due {
        *last = Some(Instant::now());
    }
    is_due
}

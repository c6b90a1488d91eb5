//! An attack on a service, what was measured meanwhile, and what of it must not be.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use test_support::Samples;
use tokio::runtime::Builder;
use tokio::sync::{Mutex, MutexGuard};

use crate::attackers::Attackers;
use crate::expected::{CONNECTIONS_CUT, Expected, STREAMS_RESET};
use crate::probes::Waits;
use crate::service::{Service, labels};
use crate::watch::{Watch, held, is_over};
use crate::{ANOTHER_CLIENT_WAITS, CLIENT_MEMORY, PATIENCE, SETTINGS};

const MIB: f64 = 1024.0 * 1024.0;
/// The most that the service may say it holds, in bytes: from an eighth above its limit on it cuts whoever holds something,
/// and meanwhile bytes come. Scrapes that wait for the same answer hold it all at once, and share its memory.
const MAY_HOLD: f64 = CLIENT_MEMORY as f64 * 2.0;

/// A row of the table, and what is wrong with it.
pub(crate) struct Row {
    name: &'static str,
    sent: u64,
    at_rest: u64,
    peak: u64,
    held: Option<f64>,
    waits: Waits,
    became: String,
    pub(crate) faults: Vec<String>,
}

/// Waits for its turn: an attack takes both cores, and tells of its memory and times.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::const_new(());
    TURN.lock().await
}

/// Attacks a service of its own, with these settings besides those of all, and fails where it did not hold out.
pub(crate) async fn trial<F>(
    name: &'static str,
    settings: &[(&str, &str)],
    expected: &Expected,
    attack: impl Fn(Attackers) -> F,
) where
    F: Future<Output = Attackers> + Send + 'static,
{
    let _alone = alone().await;
    let mut service = Service::start(&[&SETTINGS, settings].concat()).await;
    let mut row = Row::of(name, &mut service, expected, attack).await;
    let (grown, bound) = (row.peak.saturating_sub(row.at_rest), expected.grows * 1024 * 1024);
    row.fault(grown > bound, || format!("it grew by {grown} bytes, not by {bound} at most"));
    service.process.signal("TERM");
    let code = service.process.exit_code().await;
    row.fault(code != 0, || format!("it ended with exit code {code}: {}", service.process.errors()));
    assert!(row.faults.is_empty(), "{row}\n{:#?}", row.faults);
}

impl Row {
    /// Attacks a service, and prints the row.
    #[allow(clippy::print_stdout, reason = "it belongs into a document")]
    pub(crate) async fn of<F>(
        name: &'static str,
        service: &mut Service,
        expected: &Expected,
        attack: impl Fn(Attackers) -> F,
    ) -> Self
    where
        F: Future<Output = Attackers> + Send + 'static,
    {
        let before = service.at_rest(None).await;
        let (known, descriptors) = (service.lines.len(), before.value("process_open_fds", &[]));
        let at_rest = service.resident();
        let mut watch = Watch::begin(service);
        // With threads of their own: what another client waits for is the service then, not the clients that attack.
        let apart = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let attack = apart.spawn(attack(Attackers::new(service.address)));
        watch.until(service, Duration::MAX, |_| attack.is_finished()).await;
        let attackers = attack.await.unwrap();
        let is_rid = watch.until(service, PATIENCE, |samples| is_over(samples, descriptors)).await;
        let Watch { probes, unanswered: scrapes, held: most, .. } = watch;
        let waits = probes.finish();
        let counts = attackers.counts.clone();
        drop(attackers);
        apart.shutdown_background();
        let samples = service.at_rest(Some(descriptors)).await;
        service.read_lines(&samples).await;
        let kinds = kinds(service, known);
        let became = became(&kinds, &before, &samples);
        let peak = service.peak();
        let (sent, unanswered) = (counts.sent.get(), scrapes + waits.unanswered);
        let mut row = Self { name, sent, at_rest, peak, held: most, waits, became, faults: Vec::new() };
        for shown in expected.shown {
            let (what, is_shown) = shown.is_in(&counts, &kinds, &before, &samples, row.waits.answered);
            row.fault(!is_shown, || format!("the attack did not take place: {what}"));
        }
        row.fault(most.is_some_and(|held| held > MAY_HOLD), || {
            format!("it held {most:?} bytes, not {MAY_HOLD} at most")
        });
        row.fault(unanswered > 0, || format!("another client waited longer than {ANOTHER_CLIENT_WAITS:?}, or in vain"));
        row.fault(!is_rid, || format!("what clients began is not over after {PATIENCE:?}"));
        row.fault(held(&samples).is_none(), || "it does not say what it holds for clients".into());
        println!("{row}");
        row
    }

    fn fault(&mut self, is_one: bool, what: impl FnOnce() -> String) {
        if is_one {
            self.faults.push(what());
        }
    }
}

/// The new lines, counted by method, route, status and outcome.
fn kinds(service: &Service, known: usize) -> BTreeMap<String, usize> {
    let mut kinds = BTreeMap::<_, usize>::new();
    for line in &service.lines[known..] {
        *kinds.entry(format!("{} {}", labels(line), line.str("outcome"))).or_default() += 1;
    }
    kinds
}

/// What became of the requests, and of the connections.
fn became(kinds: &BTreeMap<String, usize>, before: &Samples, after: &Samples) -> String {
    let requests = kinds.iter().map(|(kind, count)| format!("{count} × {kind}"));
    let more = |name, reason| after.sum(name, &[("reason", reason)]) - before.sum(name, &[("reason", reason)]);
    let told = [
        (CONNECTIONS_CUT, "stalled", "cut: stalled"),
        (CONNECTIONS_CUT, "memory", "cut: memory"),
        (STREAMS_RESET, "stalled", "streams reset"),
        (STREAMS_RESET, "memory", "streams refused"),
    ];
    let cut = told.into_iter().filter_map(|(name, reason, what)| {
        let count = more(name, reason);
        (count > 0.0).then(|| format!("{count} {what}"))
    });
    let all: Vec<_> = requests.chain(cut).collect();
    if all.is_empty() { "no request".into() } else { all.join(", ") }
}

impl fmt::Display for Row {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: f64| format!("{:.1} MiB", bytes / MIB);
        let [sent, at_rest, peak] = [self.sent, self.at_rest, self.peak].map(|bytes| mib(bytes as f64));
        let held = self.held.map_or_else(|| "not said".into(), mib);
        let (name, became) = (self.name, &self.became);
        let (p99, most) = self.waits.p99_and_most();
        let waits = format!("{} ms, {} ms at most", p99.as_millis(), most.as_millis());
        write!(to, "| {name} | {sent} | {peak} ({at_rest} at rest) | {held} | {waits} | {became} |")
    }
}

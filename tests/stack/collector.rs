//! What reads log lines: Promtail, or Alloy in its place. And what that costs.

use crate::bundle::{Bundle, eventually, root};
use crate::traffic::Traffic;

/// Lines that it has sent before its cost is read.
const LINES: f64 = 5_000.0;

#[derive(Debug, Clone, Copy)]
pub(crate) enum Collector {
    Promtail,
    Alloy,
}

impl Collector {
    /// The one that `REDPANE_TEST_COLLECTOR` names; Promtail if it is not set.
    pub(crate) fn chosen() -> Self {
        match std::env::var("REDPANE_TEST_COLLECTOR").as_deref() {
            Err(_) | Ok("promtail") => Self::Promtail,
            Ok("alloy") => Self::Alloy,
            Ok(other) => panic!("REDPANE_TEST_COLLECTOR is {other:?}: must be promtail or alloy"),
        }
    }

    /// Its name in Compose's files. Prometheus calls both `promtail`.
    pub(crate) fn service(self) -> &'static str {
        match self {
            Self::Promtail => "promtail",
            Self::Alloy => "alloy",
        }
    }

    /// The files that the bundle is made of, as the variable `COMPOSE_FILE` has them.
    pub(crate) fn compose_files(self) -> String {
        let own = format!("{}/docker-compose.yml", root());
        match self {
            Self::Promtail => own,
            Self::Alloy => format!("{own}:{}/docker-compose.alloy.yml", root()),
        }
    }
}

/// Memory and processor time at a steady rate of lines, for the table in docs/bundle.md.
pub(crate) fn its_cost_is_read(bundle: &Bundle) {
    let sum = |name: &str| bundle.promql_value(&format!(r#"sum({name}{{job="promtail"}})"#));
    let scraped = || bundle.promql_value(r#"max(timestamp(up{job="promtail"}))"#);
    let read = || (sum("promtail_sent_entries_total"), sum("process_cpu_seconds_total"), scraped());
    let before = eventually("it is scraped", 60, || {
        let now = read();
        if now.1 > 0.0 && now.2 > 0.0 { Ok(now) } else { Err("no scrape of it".to_owned()) }
    });
    let traffic = Traffic::start(bundle, "cost");
    let after = eventually("lines are sent", 180, || {
        let now = read();
        if now.0 - before.0 >= LINES { Ok(now) } else { Err(format!("{} lines of {LINES}", now.0 - before.0)) }
    });
    let sent = traffic.stop();
    bundle.expect_lines("cost", &sent);
    let (lines, cpu, seconds) = (after.0 - before.0, after.1 - before.1, after.2 - before.2);
    println!(
        "  {}: {:.0} lines a second, {:.2} ms of CPU for each of them, {:.0} MiB resident",
        bundle.collector.service(),
        lines / seconds,
        1_000.0 * cpu / lines,
        sum("process_resident_memory_bytes") / 1_048_576.0
    );
}

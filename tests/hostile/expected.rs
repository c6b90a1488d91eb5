//! What an attack must have done, and what it may take.

use std::collections::BTreeMap;

use test_support::Samples;

use crate::attackers::Counts;

pub(crate) const CONNECTIONS_CUT: &str = "redpane_client_connections_cut_total";
pub(crate) const STREAMS_RESET: &str = "redpane_client_streams_reset_total";

/// What an attack must have done, or it is none, and what it may take.
pub(crate) struct Expected {
    /// What the service may grow by, in MiB as the kernel counts it: half as much again as was measured, at least.
    pub(crate) grows: u64,
    pub(crate) shown: &'static [Shown],
}

/// What shows that an attack took place.
pub(crate) enum Shown {
    /// So many MiB were sent at least.
    Sent(u64),
    /// So many lines at least are of requests such as `GET /metrics 200 aborted`, of which this is a part.
    Lines(&'static str, usize),
    /// So many probes at least were answered, those of the other client left out.
    Probes(f64),
    /// So many connections were cut or streams reset at least.
    Cut(f64),
    /// So many clients at least were told that they are refused: with 431, or with the code ENHANCE_YOUR_CALM.
    Refused(u64),
}

impl Shown {
    /// What was seen of it, and whether that is enough.
    pub(crate) fn is_in(
        &self,
        counts: &Counts,
        kinds: &BTreeMap<String, usize>,
        before: &Samples,
        after: &Samples,
        probes: usize,
    ) -> (String, bool) {
        let more = |name: &str, labels: &[(&str, &str)]| after.sum(name, labels) - before.sum(name, labels);
        match *self {
            Self::Sent(mib) => {
                let sent = counts.sent.get();
                (format!("{sent} bytes were sent, not {mib} MiB"), sent >= mib * 1024 * 1024)
            }
            Self::Refused(count) => {
                let refused = counts.refused.get();
                (format!("{refused} clients were told that they are refused, not {count}"), refused >= count)
            }
            Self::Lines(kind, count) => {
                let lines: usize = kinds.iter().filter(|(line, _)| line.contains(kind)).map(|(_, count)| count).sum();
                (format!("{lines} lines are of {kind}, not {count}"), lines >= count)
            }
            Self::Probes(count) => {
                let others = more("http_requests_total", &[("route", "/healthz")]) - probes as f64;
                (format!("{others} probes were answered, not {count}"), others >= count)
            }
            Self::Cut(count) => {
                let cut = more(CONNECTIONS_CUT, &[]) + more(STREAMS_RESET, &[]);
                (format!("{cut} connections and streams were cut, not {count}"), cut >= count)
            }
        }
    }
}

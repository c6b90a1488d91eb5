//! The names of the application's metrics: what kind each has, and which it cannot have.

use std::collections::{HashMap, HashSet};

use super::catalogue;
use super::snapshot::Kind;

/// What a histogram `h` adds to the names: `h_bucket`, `h_sum`, `h_count`.
const SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];

/// The answer to a name that is asked for.
pub(super) enum Check {
    Free,
    /// With who has the name, the first time it is refused.
    Taken(Option<String>),
}

#[derive(Default)]
pub(super) struct Names {
    /// Whether OpenTelemetry's names are taken.
    otel: bool,
    kinds: HashMap<String, Kind>,
    refused: HashSet<String>,
}

impl Names {
    pub(super) fn new(otel: bool) -> Self {
        Self { otel, ..Self::default() }
    }

    /// Whether a name may be used for this kind of metric. The first use decides; another kind, or a name that redpane or
    /// a histogram's own series have, would make two families of one name, which no scraper accepts.
    pub(super) fn check(&mut self, name: &str, kind: Kind) -> Check {
        match self.conflict(name, kind) {
            None => {
                self.kinds.insert(name.to_owned(), kind);
                Check::Free
            }
            Some(taken) => Check::Taken(self.refused.insert(name.to_owned()).then_some(taken)),
        }
    }

    fn conflict(&self, name: &str, kind: Kind) -> Option<String> {
        match self.kinds.get(name) {
            Some(known) if *known == kind => return None,
            Some(other) => return Some(format!("a {} of the application", other.as_str())),
            None => {}
        }
        let base = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
        let otel = if self.otel { &catalogue::OTEL[..] } else { &[] };
        let own = |name: &str| catalogue::OWN.iter().chain(otel).any(|definition| definition.name == name);
        // OpenMetrics names the family of a counter without its `_total`.
        if own(name) || own(&format!("{name}_total")) || base.is_some_and(own) {
            return Some("redpane itself".into());
        }
        if base.is_some_and(|base| self.kinds.get(base) == Some(&Kind::Histogram)) {
            return Some("a series of a histogram of the application".into());
        }
        let covers = |suffix: &&str| self.kinds.contains_key(&format!("{name}{suffix}"));
        let covered = SUFFIXES.iter().find(|suffix| kind == Kind::Histogram && covers(suffix));
        covered.map(|suffix| format!("the application's {name}{suffix}, which this histogram would need"))
    }
}

//! OpenMetrics 1.0.

use std::collections::HashSet;
use std::fmt::Write as _;

use super::samples::{Dialect, Samples, push_help};
use crate::metrics::exemplars::Exemplar;
use crate::metrics::snapshot::{Family, Kind};

struct OpenMetrics;

impl Dialect for OpenMetrics {
    /// What is a float must look like one: 1.0, not 1.
    fn bound(bound: f64) -> String {
        format!("{bound:?}")
    }

    fn exemplar(out: &mut String, exemplar: &Exemplar) {
        let seconds = exemplar.nanoseconds as f64 / 1e9;
        let (time, milliseconds) = (exemplar.time / 1000, exemplar.time % 1000);
        // Writing to a String cannot fail.
        let _ = write!(out, " # {{trace_id=\"{}\"}} {seconds:?} {time}.{milliseconds:03}", exemplar.trace_id);
    }
}

pub(super) fn write(out: &mut String, families: &[Family]) {
    let taken: HashSet<&str> = families.iter().map(|family| &*family.name).collect();
    let mut samples = Samples::new(out);
    for family in families {
        let (name, kind) = family_name(family, &taken);
        if !family.help.is_empty() {
            samples.out.extend(["# HELP ", name, " "]);
            push_help(samples.out, &family.help, true);
            samples.out.push('\n');
        }
        samples.out.extend(["# TYPE ", name, " ", kind, "\n"]);
        // The name must end in the unit.
        if let Some(unit) = family.unit.filter(|unit| name.strip_suffix(unit).is_some_and(|base| base.ends_with('_'))) {
            samples.out.extend(["# UNIT ", name, " ", unit, "\n"]);
        }
        family.series.iter().for_each(|series| samples.series::<OpenMetrics>(&family.name, series));
    }
    out.push_str("# EOF\n");
}

/// The family of a counter has the name without `_total`. A counter that has no `_total`, or whose family would have the
/// name of another, is `unknown` and keeps its name.
fn family_name<'a>(family: &'a Family, taken: &HashSet<&str>) -> (&'a str, &'static str) {
    if family.kind != Kind::Counter {
        return (&family.name, family.kind.as_str());
    }
    match family.name.strip_suffix("_total").filter(|base| !base.is_empty() && !taken.contains(base)) {
        Some(base) => (base, "counter"),
        None => (&family.name, "unknown"),
    }
}

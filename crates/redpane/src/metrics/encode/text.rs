//! Prometheus' text format, version 0.0.4.

use super::samples::{Dialect, Samples, push_help};
use crate::metrics::exemplars::Exemplar;
use crate::metrics::snapshot::Family;

struct Text;

impl Dialect for Text {
    fn bound(bound: f64) -> String {
        bound.to_string()
    }

    /// Left out: an exemplar breaks a scrape in this format.
    fn exemplar(_: &mut String, _: &Exemplar) {}
}

pub(super) fn write(out: &mut String, families: &[Family]) {
    let mut samples = Samples::new(out);
    for family in families {
        let name = &*family.name;
        if !family.help.is_empty() {
            samples.out.extend(["# HELP ", name, " "]);
            push_help(samples.out, &family.help, false);
            samples.out.push('\n');
        }
        samples.out.extend(["# TYPE ", name, " ", family.kind.as_str(), "\n"]);
        family.series.iter().for_each(|series| samples.series::<Text>(name, series));
    }
}

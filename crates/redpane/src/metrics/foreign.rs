//! The counters and gauges that the exporter wrote, in the format that was asked for.

use std::collections::HashSet;

use super::exposition::ExpositionFormat;

/// Appends what the exporter rendered (text format 0.0.4), sorted, without blank lines; for OpenMetrics with the
/// family names and numbers that its specification asks for. `taken` are the names of the families before them.
pub(super) fn write<'a>(out: &mut String, rendered: &'a str, mut taken: HashSet<&'a str>, format: ExpositionFormat) {
    // The exporter ends each family with a blank line, and escapes line breaks in help texts.
    let mut families: Vec<Family<'_>> = rendered.split("\n\n").filter_map(Family::read).collect();
    families.sort_by(|one, other| one.name.cmp(other.name));
    taken.extend(families.iter().map(|family| family.name));
    for family in families {
        family.write(out, &taken, format);
    }
}

struct Family<'a> {
    name: &'a str,
    help: Option<&'a str>,
    kind: &'a str,
    /// Sorted lines.
    samples: Vec<&'a str>,
}

impl<'a> Family<'a> {
    fn read(block: &'a str) -> Option<Self> {
        let (mut name, mut kind, mut help, mut samples) = ("", "", None, Vec::new());
        // Not `lines`, which would take a carriage return off the end of a help text.
        for line in block.split('\n') {
            if let Some(comment) = line.strip_prefix("# HELP ") {
                help = comment.split_once(' ').map(|(_, help)| help);
            } else if let Some(comment) = line.strip_prefix("# TYPE ") {
                (name, kind) = comment.split_once(' ')?;
            } else if !line.is_empty() {
                samples.push(line);
            }
        }
        samples.sort_unstable();
        (!name.is_empty()).then_some(Self { name, help, kind, samples })
    }

    /// Counters of the facade hold whole numbers only, so a fractional one (CPU seconds) is kept as a gauge; its name says
    /// what it is, unless its values say otherwise.
    fn is_counter(&self) -> bool {
        let counts =
            |sample: &&str| sample.rsplit(' ').next().is_some_and(|value| value != "NaN" && !value.starts_with('-'));
        self.kind == "counter" || (self.name.ends_with("_total") && self.samples.iter().all(counts))
    }

    fn write(&self, out: &mut String, taken: &HashSet<&str>, format: ExpositionFormat) {
        let kind = if self.is_counter() { "counter" } else { self.kind };
        let base = self.name.strip_suffix("_total").filter(|base| !base.is_empty() && !taken.contains(base));
        let (name, kind) = match (format, kind, base) {
            (ExpositionFormat::OpenMetrics, "counter", Some(base)) => (base, "counter"),
            // OpenMetrics names the family of a counter without `_total`. One that has no `_total`, or whose family would
            // have the name of another, is `unknown` and keeps its name.
            (ExpositionFormat::OpenMetrics, "counter", None) => (self.name, "unknown"),
            (_, kind, _) => (self.name, kind),
        };
        if let Some(help) = self.help {
            out.extend(["# HELP ", name, " "]);
            match format {
                ExpositionFormat::Text => out.push_str(help),
                // Help texts escape quotes here, and nowhere else.
                ExpositionFormat::OpenMetrics => out.push_str(&help.replace('"', "\\\"")),
            }
            out.push('\n');
        }
        out.extend(["# TYPE ", name, " ", kind, "\n"]);
        for sample in &self.samples {
            let (series, value) = sample.rsplit_once(' ').unwrap_or((sample, "NaN"));
            let value = match value {
                "inf" => "+Inf",
                "-inf" => "-Inf",
                value => value,
            };
            out.extend([series, " ", value, "\n"]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RENDERED: &str = "# HELP jobs_total Jobs \\\\ \"done\"\n# TYPE jobs_total counter\njobs_total{b=\"2\"} 2\njobs_total{b=\"1\"} 1\n\n\
        # TYPE depth gauge\ndepth inf\n\n# TYPE plain counter\nplain 3\n\n";

    fn written(format: ExpositionFormat) -> String {
        let mut out = String::new();
        write(&mut out, RENDERED, HashSet::new(), format);
        out
    }

    #[test]
    fn text_keeps_names_and_is_sorted() {
        assert_eq!(
            written(ExpositionFormat::Text),
            "# TYPE depth gauge\ndepth +Inf\n# HELP jobs_total Jobs \\\\ \"done\"\n# TYPE jobs_total counter\n\
             jobs_total{b=\"1\"} 1\njobs_total{b=\"2\"} 2\n# TYPE plain counter\nplain 3\n"
        );
    }

    #[test]
    fn a_help_text_keeps_its_carriage_return() {
        let mut out = String::new();
        write(&mut out, "# HELP a A\r\n# TYPE a gauge\na 1\n\n", HashSet::new(), ExpositionFormat::Text);
        assert_eq!(out, "# HELP a A\r\n# TYPE a gauge\na 1\n");
    }

    #[test]
    fn openmetrics_names_the_family_without_total() {
        let text = written(ExpositionFormat::OpenMetrics);
        assert!(
            text.contains("# HELP jobs Jobs \\\\ \\\"done\\\"\n# TYPE jobs counter\njobs_total{b=\"1\"} 1\n"),
            "{text}"
        );
        assert!(text.contains("# TYPE plain unknown\nplain 3\n"), "{text}");
    }
}

//! The counters and gauges that the exporter keeps, read from the text that it writes.

use super::snapshot::{Family, Kind, SeriesSnapshot, Value};

/// Reads what the exporter rendered (text format 0.0.4), sorted by name. `unit_of` knows the units of names.
pub(super) fn read(rendered: &str, unit_of: impl Fn(&str) -> Option<&'static str>) -> Vec<Family> {
    // The exporter ends each family with a blank line, and escapes line breaks in help texts.
    let mut families: Vec<Family> = rendered.split("\n\n").filter_map(read_family).collect();
    families.sort_by(|one, other| one.name.cmp(&other.name));
    for family in &mut families {
        family.unit = unit_of(&family.name);
    }
    families
}

fn read_family(block: &str) -> Option<Family> {
    let (mut name, mut kind, mut help, mut samples) = ("", "", "", Vec::new());
    // Not `lines`, which would take a carriage return off the end of a help text.
    for line in block.split('\n') {
        if let Some(comment) = line.strip_prefix("# HELP ") {
            help = comment.split_once(' ').map_or("", |(_, help)| help);
        } else if let Some(comment) = line.strip_prefix("# TYPE ") {
            (name, kind) = comment.split_once(' ')?;
        } else if !line.is_empty() {
            samples.push(line);
        }
    }
    samples.sort_unstable();
    let kind = if is_counter(name, kind) { Kind::Counter } else { Kind::Gauge };
    let series = samples.into_iter().map(read_sample).collect();
    let help = unescaped(help);
    (!name.is_empty()).then(|| Family { name: name.to_owned().into(), kind, help: help.into(), unit: None, series })
}

/// Counters of the facade hold whole numbers only, so the CPU seconds of a process, a fractional one that every collector
/// has under this name, are kept as a gauge.
fn is_counter(name: &str, kind: &str) -> bool {
    kind == "counter" || name == "process_cpu_seconds_total"
}

fn read_sample(sample: &str) -> SeriesSnapshot {
    let (series, value) = sample.rsplit_once(' ').unwrap_or((sample, "NaN"));
    let labels = series.split_once('{').and_then(|(_, labels)| labels.strip_suffix('}')).unwrap_or("");
    let value = match value {
        "inf" => "+Inf",
        "-inf" => "-Inf",
        value => value,
    };
    SeriesSnapshot { labels: labels.into(), value: Value::Text(value.into()) }
}

/// A help text without the escapes of the text format.
fn unescaped(help: &str) -> String {
    let mut plain = String::with_capacity(help.len());
    let mut characters = help.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::super::encode::{ExpositionFormat, encode};
    use super::*;

    const RENDERED: &str = "# HELP jobs_total Jobs \\\\ \"done\"\n# TYPE jobs_total counter\njobs_total{b=\"2\"} 2\njobs_total{b=\"1\"} 1\n\n\
        # TYPE depth gauge\ndepth inf\n\n# TYPE plain counter\nplain 3\n\n";

    fn written(rendered: &str, format: ExpositionFormat) -> String {
        encode(&read(rendered, |name| (name == "depth_bytes").then_some("bytes")), format, 0)
    }

    #[test]
    fn text_keeps_names_and_is_sorted() {
        assert_eq!(
            written(RENDERED, ExpositionFormat::Text),
            "# TYPE depth gauge\ndepth +Inf\n# HELP jobs_total Jobs \\\\ \"done\"\n# TYPE jobs_total counter\n\
             jobs_total{b=\"1\"} 1\njobs_total{b=\"2\"} 2\n# TYPE plain counter\nplain 3\n"
        );
    }

    #[test]
    fn a_help_text_keeps_its_carriage_return() {
        let help = "# HELP a A\r\n# TYPE a gauge\na 1\n\n";
        assert_eq!(written(help, ExpositionFormat::Text), "# HELP a A\r\n# TYPE a gauge\na 1\n");
    }

    #[test]
    fn openmetrics_names_the_family_without_total() {
        let text = written(RENDERED, ExpositionFormat::OpenMetrics);
        assert!(
            text.contains("# HELP jobs Jobs \\\\ \\\"done\\\"\n# TYPE jobs counter\njobs_total{b=\"1\"} 1\n"),
            "{text}"
        );
        assert!(text.contains("# TYPE plain unknown\nplain 3\n"), "{text}");
    }

    #[test]
    fn openmetrics_says_the_unit() {
        let depth = "# TYPE depth_bytes gauge\ndepth_bytes 1\n\n";
        let text = written(depth, ExpositionFormat::OpenMetrics);
        assert_eq!(text, "# TYPE depth_bytes gauge\n# UNIT depth_bytes bytes\ndepth_bytes 1\n# EOF\n");
        assert!(!written(depth, ExpositionFormat::Text).contains("UNIT"));
    }
}

//! A strict parser of the text format 0.0.4 and of OpenMetrics 1.0: what it does not know to be valid is an error.

use std::collections::{BTreeMap, HashSet};

use redpane::ExpositionFormat::{self, OpenMetrics};

use super::parts::{Labels, check_name, labels, number, unescape};

#[derive(Debug, Default)]
pub(crate) struct Exposition {
    pub(crate) families: Vec<Family>,
}

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) help: Option<String>,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Labels,
    pub(crate) value: f64,
    pub(crate) exemplar: Option<Exemplar>,
}

#[derive(Clone, Debug)]
pub(crate) struct Exemplar {
    pub(crate) labels: Labels,
    pub(crate) value: f64,
}

impl Exposition {
    pub(crate) fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }

    /// All samples of this very name.
    pub(crate) fn samples(&self, name: &str) -> Vec<&Sample> {
        self.families.iter().flat_map(|family| &family.samples).filter(|sample| sample.name == name).collect()
    }

    /// The value of the one sample with this name and exactly these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels: Labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        self.samples(name).into_iter().find(|sample| sample.labels == labels).map(|sample| sample.value)
    }

    /// The sum over all label sets.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        self.samples(name).iter().map(|sample| sample.value).sum()
    }
}

pub(crate) fn parse(text: &str, format: ExpositionFormat) -> Result<Exposition, String> {
    let body = match format {
        OpenMetrics => text.strip_suffix("# EOF\n").ok_or("the last line is not # EOF")?,
        _ => text,
    };
    if !body.is_empty() && !body.ends_with('\n') {
        return Err("the last line has no end".into());
    }
    let mut exposition = Exposition::default();
    for line in body.split_terminator('\n') {
        read_line(&mut exposition, line, format).map_err(|error| format!("{error}; in the line {line:?}"))?;
    }
    let mut names = HashSet::new();
    let mut series = HashSet::new();
    for family in &exposition.families {
        for name in family.claims(format) {
            if !names.insert(name.clone()) {
                return Err(format!("{name} belongs to two families"));
            }
        }
        for sample in &family.samples {
            if !series.insert((&sample.name, &sample.labels)) {
                return Err(format!("the series {}{:?} comes twice", sample.name, sample.labels));
            }
        }
        family.check(format).map_err(|error| format!("{error}; in the family {}", family.name))?;
    }
    Ok(exposition)
}

fn read_line(exposition: &mut Exposition, line: &str, format: ExpositionFormat) -> Result<(), String> {
    if let Some(comment) = line.strip_prefix("# HELP ") {
        let (name, help) = comment.split_once(' ').ok_or("no help text")?;
        if format == OpenMetrics && help.replace("\\\\", "").replace("\\\"", "").contains('"') {
            return Err("a quote in a help text is not escaped".into());
        }
        let allowed = if format == OpenMetrics { "\\\"n" } else { "\\n" };
        let help = Some(unescape(help, allowed)?);
        check_name(name, true)?;
        exposition.families.push(Family { name: name.into(), kind: String::new(), help, samples: Vec::new() });
    } else if let Some(comment) = line.strip_prefix("# TYPE ") {
        let (name, kind) = comment.split_once(' ').ok_or("no type")?;
        check_name(name, true)?;
        let unknown = if format == OpenMetrics { "unknown" } else { "untyped" };
        if !["counter", "gauge", "histogram", unknown].contains(&kind) {
            return Err(format!("no type {kind:?}"));
        }
        match exposition.families.last_mut().filter(|family| family.kind.is_empty()) {
            Some(family) if family.name == name => family.kind = kind.into(),
            Some(family) => return Err(format!("the type of {} is missing", family.name)),
            None => {
                let family = Family { name: name.into(), kind: kind.into(), help: None, samples: Vec::new() };
                exposition.families.push(family);
            }
        }
    } else {
        let sample = sample(line, format)?;
        let family = exposition.families.last_mut().ok_or("a sample without a family")?;
        if !family.sample_names(format).contains(&sample.name) {
            return Err(format!("not a sample of the {} {}", family.kind, family.name));
        }
        family.samples.push(sample);
    }
    Ok(())
}

fn sample(line: &str, format: ExpositionFormat) -> Result<Sample, String> {
    let end = line.find(['{', ' ']).ok_or("a sample without a value")?;
    let (name, rest) = line.split_at(end);
    check_name(name, true)?;
    let (labels, rest) = if rest.starts_with('{') { labels(rest)? } else { (Labels::new(), rest) };
    let rest = rest.strip_prefix(' ').ok_or("no space before the value")?;
    let (value, exemplar) = match rest.split_once(" # ") {
        Some((value, text)) if format == OpenMetrics => (value, Some(exemplar(text)?)),
        _ => (rest, None),
    };
    Ok(Sample { name: name.into(), labels, value: number(value)?, exemplar })
}

fn exemplar(text: &str) -> Result<Exemplar, String> {
    let (labels, rest) = labels(text)?;
    let characters: usize = labels.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum();
    if characters > 128 {
        return Err(format!("an exemplar of {characters} characters"));
    }
    let rest = rest.strip_prefix(' ').ok_or("no space before an exemplar's value")?;
    let (value, time) = rest.split_once(' ').unwrap_or((rest, "1.0"));
    if number(time)? <= 0.0 {
        return Err("an exemplar from before 1970".into());
    }
    Ok(Exemplar { labels, value: number(value)? })
}

impl Family {
    fn sample_names(&self, format: ExpositionFormat) -> Vec<String> {
        match self.kind.as_str() {
            "counter" if format == OpenMetrics => vec![format!("{}_total", self.name)],
            "histogram" => ["_bucket", "_sum", "_count"].map(|suffix| format!("{}{suffix}", self.name)).into(),
            "" => Vec::new(),
            _ => vec![self.name.clone()],
        }
    }

    /// The names that no other family may have or need.
    fn claims(&self, format: ExpositionFormat) -> HashSet<String> {
        self.sample_names(format).into_iter().chain([self.name.clone()]).collect()
    }

    fn check(&self, format: ExpositionFormat) -> Result<(), String> {
        if self.kind.is_empty() {
            return Err("no type".into());
        }
        let negative = |sample: &&Sample| sample.value.is_nan() || sample.value < 0.0;
        if self.kind == "counter"
            && let Some(sample) = self.samples.iter().find(negative)
        {
            return Err(format!("a counter of {}", sample.value));
        }
        if self.kind == "histogram" { self.check_histogram(format) } else { Ok(()) }
    }

    /// Every label set: its buckets in ascending order up to `+Inf`, then sum and count, with nothing in between.
    fn check_histogram(&self, format: ExpositionFormat) -> Result<(), String> {
        let mut seen = BTreeMap::new();
        let mut samples = self.samples.iter().peekable();
        while samples.peek().is_some() {
            let mut last = (f64::NEG_INFINITY, 0.0);
            let mut series = Labels::new();
            while let Some(bucket) = samples.next_if(|sample| sample.name.ends_with("_bucket")) {
                series.clone_from(&bucket.labels);
                let le = series.remove("le").ok_or("a bucket without le")?;
                let bound = number(&le)?;
                if format == OpenMetrics && bound.is_finite() && le != format!("{bound:?}") {
                    return Err(format!("le={le:?} is not canonical"));
                }
                if bound <= last.0 || bucket.value < last.1 || bucket.value.fract() != 0.0 {
                    return Err(format!("the bucket le={le:?} holds {} after {}", bucket.value, last.1));
                }
                if let Some(exemplar) = &bucket.exemplar
                    && (exemplar.value > bound || exemplar.value <= last.0 || bucket.value == last.1)
                {
                    return Err(format!("the exemplar {exemplar:?} is not of the bucket le={le:?}"));
                }
                last = (bound, bucket.value);
            }
            if last.0 != f64::INFINITY {
                return Err(format!("{series:?} has no bucket +Inf"));
            }
            let (sum, count) = (samples.next().ok_or("no sum")?, samples.next().ok_or("no count")?);
            if !sum.name.ends_with("_sum") || !count.name.ends_with("_count") {
                return Err(format!("{} and {} instead of sum and count", sum.name, count.name));
            }
            if sum.labels != series || count.labels != series || count.value != last.1 {
                return Err(format!("sum {sum:?} and count {count:?} after a bucket +Inf of {}", last.1));
            }
            if seen.insert(series.clone(), ()).is_some() {
                return Err(format!("{series:?} comes in two places"));
            }
        }
        Ok(())
    }
}

#[test]
fn the_parser_refuses_what_is_not_valid() {
    for (broken, format) in [
        ("jobs 1\n", ExpositionFormat::Text),
        ("# TYPE jobs counter\njobs 1\njobs 2\n", ExpositionFormat::Text),
        ("# TYPE jobs counter\njobs{a=\"1\",b=\"2\"} 1\njobs{b=\"2\",a=\"1\"} 2\n", ExpositionFormat::Text),
        ("# TYPE jobs counter\njobs{a=\"\\q\"} 1\n", ExpositionFormat::Text),
        ("# TYPE jobs counter\njobs{__name__=\"a\"} 1\n", ExpositionFormat::Text),
        ("# TYPE jobs counter\njobs -1\n", ExpositionFormat::Text),
        ("# TYPE jobs gauge\njobs inf\n", ExpositionFormat::Text),
        ("# TYPE jobs gauge\n\njobs 1\n# EOF\n", OpenMetrics),
        ("# TYPE jobs gauge\njobs 1\n", OpenMetrics),
        ("# TYPE jobs counter\njobs 1\n# EOF\n", OpenMetrics),
        ("# TYPE jobs gauge\njobs 1\n# TYPE jobs counter\njobs_total 1\n# EOF\n", OpenMetrics),
        ("# TYPE t histogram\nt_bucket{le=\"1\"} 1\nt_bucket{le=\"+Inf\"} 1\nt_sum 1\nt_count 1\n# EOF\n", OpenMetrics),
        (
            "# TYPE t histogram\nt_bucket{le=\"1\"} 2\nt_bucket{le=\"+Inf\"} 1\nt_sum 1\nt_count 1\n",
            ExpositionFormat::Text,
        ),
        (
            "# TYPE t histogram\nt_bucket{le=\"1\"} 1\nt_bucket{le=\"+Inf\"} 1\nt_sum 1\nt_count 2\n",
            ExpositionFormat::Text,
        ),
        ("# TYPE t histogram\nt_bucket{le=\"1\"} 1\nt_sum 1\nt_count 1\n", ExpositionFormat::Text),
        ("# TYPE t histogram\nt_bucket{le=\"+Inf\"} 1 # {a=\"b\"} 1.0\nt_sum 1\nt_count 1\n", ExpositionFormat::Text),
    ] {
        assert!(parse(broken, format).is_err(), "{broken}");
    }
}

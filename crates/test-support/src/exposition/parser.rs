//! A strict parser of the text format 0.0.4 and of OpenMetrics 1.0: what it does not know to be valid is an error.

use std::collections::HashSet;

use redpane::ExpositionFormat::{self, OpenMetrics};

use super::lexical::{Labels, check_name, labels, number, unescape};
use super::{Exemplar, Exposition, Family, Sample};

/// Parses a text of this format.
///
/// # Errors
/// What is wrong, and where.
pub fn parse(text: &str, format: ExpositionFormat) -> Result<Exposition, String> {
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
    } else if let Some(comment) = line.strip_prefix("# UNIT ").filter(|_| format == OpenMetrics) {
        let (name, unit) = comment.split_once(' ').ok_or("no unit")?;
        let family = exposition.families.last().filter(|family| family.name == name && family.samples.is_empty());
        family.ok_or_else(|| format!("the unit of {name} stands apart from its type"))?;
        if unit.is_empty() || !name.ends_with(&format!("_{unit}")) {
            return Err(format!("{name} does not end in its unit {unit:?}"));
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

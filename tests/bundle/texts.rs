//! The texts of alert rules as Grafana writes them: the part of its templates that the rules use.

use std::collections::BTreeMap;

/// What a rule measured, by the letters and names of its queries. `C` is 1 while its condition holds.
pub(crate) type Values = BTreeMap<String, f64>;

/// The service, and the instance of a series that has one.
pub(crate) const APP: &str = "orders";
const INSTANCE: &str = "10.0.0.1:8000";

#[derive(Debug)]
enum Part {
    Text(String),
    Output(String),
    Block { with: bool, condition: String, then: Vec<Part>, otherwise: Vec<Part> },
}

/// What an expression is worth: a number, a text, or one of the values (which a block then calls `.`).
enum Worth {
    Number(f64),
    Text(String),
    Value(String),
}

/// The text of a template, or what in it is not understood.
pub(crate) fn render(template: &str, values: &Values) -> Result<String, String> {
    let mut rest = template;
    let (parts, end) = parse(&mut rest)?;
    match end {
        None => write(&parts, None, values),
        Some(word) => Err(format!("{{{{ {word} }}}} ends nothing")),
    }
}

/// Parts up to the end of the text, or to an `else` or `end`, which is returned.
fn parse(rest: &mut &str) -> Result<(Vec<Part>, Option<String>), String> {
    let mut parts = Vec::new();
    while let Some((text, after)) = rest.split_once("{{") {
        let (action, after) = after.split_once("}}").ok_or("{{ is not closed")?;
        let trims = action.starts_with('-');
        parts.push(Part::Text(if trims { text.trim_end() } else { text }.to_owned()));
        *rest = after;
        let action = action.trim_start_matches('-').trim();
        match action.split_once(' ').unwrap_or((action, "")) {
            ("if" | "with", condition) => parts.push(block(action.starts_with("with"), condition, rest)?),
            ("else" | "end", _) => return Ok((parts, Some(action.to_owned()))),
            _ => parts.push(Part::Output(action.to_owned())),
        }
    }
    parts.push(Part::Text(std::mem::take(rest).to_owned()));
    Ok((parts, None))
}

fn block(with: bool, condition: &str, rest: &mut &str) -> Result<Part, String> {
    let (then, end) = parse(rest)?;
    let otherwise = match end.as_deref() {
        Some("end") => Vec::new(),
        Some("else") => match parse(rest)? {
            (parts, Some(end)) if end == "end" => parts,
            _ => return Err(format!("the else of {condition} has no end")),
        },
        Some(other) => match other.strip_prefix("else if ") {
            Some(next) => vec![block(false, next, rest)?],
            None => return Err(format!("{{{{ {other} }}}} is not understood")),
        },
        None => return Err(format!("{condition} has no end")),
    };
    Ok(Part::Block { with, condition: condition.to_owned(), then, otherwise })
}

fn write(parts: &[Part], dot: Option<&str>, values: &Values) -> Result<String, String> {
    let mut result = String::new();
    for part in parts {
        match part {
            Part::Text(text) => result.push_str(text),
            Part::Output(expression) => match worth(expression, dot, values)? {
                Some(Worth::Text(text)) => result.push_str(&text),
                Some(Worth::Number(number)) => return Err(format!("{number} is written without printf")),
                _ => return Err(format!("{expression} may be missing: ask for it by `with`")),
            },
            Part::Block { with, condition, then, otherwise } => {
                let worth = worth(condition, dot, values)?;
                let holds = match &worth {
                    Some(Worth::Number(number)) => *number != 0.0,
                    Some(Worth::Text(text)) => !text.is_empty(),
                    Some(Worth::Value(_)) => true,
                    None => false,
                };
                let inner = match &worth {
                    Some(Worth::Value(name)) if *with => Some(name.as_str()),
                    _ => dot,
                };
                result.push_str(&write(if holds { then } else { otherwise }, if holds { inner } else { dot }, values)?);
            }
        }
    }
    Ok(result)
}

fn worth(expression: &str, dot: Option<&str>, values: &Values) -> Result<Option<Worth>, String> {
    let number = |name: &str| values.get(name).copied().map(Worth::Number);
    if let Some(rest) = expression.strip_prefix("printf ") {
        let (format, argument) = rest.rsplit_once(' ').ok_or("printf needs a format and a value")?;
        let Some(Worth::Number(number)) = worth(argument, dot, values)? else {
            return Err(format!("{argument} may be missing: ask for it by `with`"));
        };
        let decimals: usize = match format {
            r#""%.0f""# => 0,
            r#""%.1f""# => 1,
            r#""%.2f""# => 2,
            _ => return Err(format!("printf {format} is not understood")),
        };
        return Ok(Some(Worth::Text(format!("{number:.decimals$}"))));
    }
    Ok(match expression.strip_prefix("$values.").map(|rest| rest.split_once('.').unwrap_or((rest, ""))) {
        Some((name, "Value")) => number(name),
        Some((name, "")) => values.contains_key(name).then(|| Worth::Value(name.to_owned())),
        Some(_) => return Err(format!("{expression} is not understood")),
        None => match (expression, dot) {
            ("$labels.app", _) => Some(Worth::Text(APP.to_owned())),
            ("externalURL", _) => Some(Worth::Text("http://localhost:3000/".to_owned())),
            (".Value", Some(name)) => number(name),
            (".Labels.instance", Some(_)) => Some(Worth::Text(INSTANCE.to_owned())),
            (".Labels.reason", Some(_)) => Some(Worth::Text("too_far_behind".to_owned())),
            (".Labels.integration", Some(_)) => Some(Worth::Text("webhook".to_owned())),
            _ => return Err(format!("{expression} is not understood")),
        },
    })
}

#[test]
fn templates_are_written_as_grafana_writes_them() {
    let values = Values::from([("A".to_owned(), 0.0869), ("C".to_owned(), 0.0)]);
    let template = "{{ $labels.app }}{{ with $values.C }}{{ if .Value }} fails\n  {{- else if $values.A.Value }} at {{ printf \"%.2f\" $values.A.Value }}{{ end }}{{ end }}{{ with $values.B }}no{{ else }}!{{ end }}";
    assert_eq!(render(template, &values).unwrap(), "orders at 0.09!");
    assert!(render("{{ printf \"%.0f\" $values.B.Value }}", &values).unwrap_err().contains("may be missing"));
    assert!(render("{{ if $values.A.Value }}", &values).unwrap_err().contains("no end"));
}

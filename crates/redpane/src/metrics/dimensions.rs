//! What tells the series of one route apart beside the status: the method, and labels whose values are declared.

use super::label_text::push_label;
use crate::request::method::METHODS;

/// The value of a declared label for everything that is not among its values.
pub(crate) const OTHER: &str = "_other";
/// The most combinations of values of all declared labels. Each may become a label set for every method, route and status.
const MOST_COMBINATIONS: usize = 1000;
/// Labels that series of redpane's have, or that a scraper needs for itself.
const TAKEN: [&str; 12] = [
    "method",
    "route",
    "status",
    "le",
    "quantile",
    "http_request_method",
    "http_route",
    "http_response_status_code",
    "url_scheme",
    "error_type",
    // Prometheus has its own on each target, and would rename these.
    "instance",
    "job",
];

/// A label of the application's own, with the values that it may have.
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

impl Declared {
    /// Values, [`OTHER`] included.
    fn count(&self) -> usize {
        self.values.len() + 1
    }

    fn value(&self, number: usize) -> &str {
        self.values.get(number).map_or(OTHER, String::as_str)
    }

    /// What is wrong with it, and what would be right.
    fn problem(&self) -> Option<String> {
        let is_name = |name: &str| {
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            plain && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())
        };
        let twice = |value: &String| self.values.iter().filter(|other| *other == value).count() > 1;
        if !is_name(&self.name) || self.name.starts_with("__") {
            Some("a name is letters, digits and _, begins with no digit and with one _ at most, as in \"tier\"".into())
        } else if TAKEN.contains(&self.name.as_str()) {
            Some("redpane's own series or scrapers have this label; another name is right".into())
        } else if self.values.is_empty() {
            Some("no values are declared; at least one is right".into())
        } else if let Some(bad) = self.values.iter().find(|value| value.is_empty() || *value == OTHER) {
            Some(format!(
                "the value {bad:?} cannot be declared: Prometheus has no empty values, and {OTHER} stands for all others"
            ))
        } else {
            self.values.iter().find(|value| twice(value)).map(|value| format!("the value {value:?} is declared twice"))
        }
    }
}

/// What is wrong with labels, each with what was given.
pub(crate) fn problems(labels: &[Declared]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (at, label) in labels.iter().enumerate() {
        let again = labels[..at].iter().any(|earlier| earlier.name == label.name);
        let problem = label.problem().or_else(|| again.then(|| "this label is declared already".into()));
        found.extend(problem.map(|problem| (format!("{:?}, {:?}", label.name, label.values), problem)));
    }
    let combinations = labels.iter().fold(1_usize, |product, label| product.saturating_mul(label.count()));
    if combinations > MOST_COMBINATIONS {
        let names: Vec<_> = labels.iter().map(|label| label.name.as_str()).collect();
        let problem = format!(
            "{combinations} combinations of values, {OTHER} included, are too many for the series of a route; \
             {MOST_COMBINATIONS} or fewer are right"
        );
        found.push((names.join(", "), problem));
    }
    found
}

/// The methods, the combinations of declared values, and for OpenTelemetry's names the schemes, numbered.
pub(crate) struct Dimensions {
    /// `tier="free"` by combination.
    texts: Box<[Box<str>]>,
    has_schemes: bool,
}

impl Dimensions {
    /// `has_schemes` says whether requests of `https` are counted apart from those of `http`.
    pub(crate) fn new(labels: &[Declared], has_schemes: bool) -> Self {
        let combinations: usize = labels.iter().map(Declared::count).product();
        let text = |mut combination: usize| {
            let mut text = String::new();
            for label in labels {
                push_label(&mut text, &label.name, label.value(combination % label.count()));
                combination /= label.count();
            }
            text.into_boxed_str()
        };
        Self { texts: (0..combinations).map(text).collect(), has_schemes }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        METHODS.len() * self.texts.len() * if self.has_schemes { 2 } else { 1 }
    }

    /// The number of a method and a combination.
    pub(crate) fn number(method: usize, combination: usize) -> usize {
        method + METHODS.len() * combination
    }

    /// What is added to a combination where the scheme is `https`.
    pub(crate) fn https(&self) -> usize {
        if self.has_schemes { self.texts.len() } else { 0 }
    }

    /// The same method and scheme, and [`OTHER`] for all declared labels.
    pub(crate) fn other(&self, number: usize) -> usize {
        let schemes = number / METHODS.len() / self.texts.len();
        Self::number(number % METHODS.len(), self.texts.len() * (schemes + 1) - 1)
    }

    pub(crate) fn has_schemes(&self) -> bool {
        self.has_schemes
    }

    pub(crate) fn scheme(&self, number: usize) -> &'static str {
        if number / METHODS.len() < self.texts.len() { "http" } else { "https" }
    }

    /// All numbers of a method in `http`.
    pub(crate) fn of_method(&self, method: usize) -> impl Iterator<Item = usize> + use<> {
        (0..self.texts.len()).map(move |combination| Self::number(method, combination))
    }

    pub(crate) fn method(number: usize) -> &'static str {
        METHODS[number % METHODS.len()]
    }

    /// The declared labels of a number, as a text.
    pub(crate) fn label_text(&self, number: usize) -> &str {
        &self.texts[number / METHODS.len() % self.texts.len()]
    }
}

/// The combination of the values of these numbers, each with how many its label has, [`OTHER`] included.
pub(crate) fn combination(values: impl DoubleEndedIterator<Item = (usize, usize)>) -> usize {
    values.rev().fold(0, |combination, (number, count)| combination * count + number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_has_its_number() {
        let declared = |name: &str, values: &[&str]| Declared {
            name: name.into(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let dimensions = Dimensions::new(&[declared("tier", &["free", "paid"]), declared("region", &["eu"])], false);
        assert_eq!(dimensions.count(), METHODS.len() * 6);
        let text = |tier, region| {
            dimensions.label_text(Dimensions::number(3, combination([(tier, 3), (region, 2)].into_iter())))
        };
        assert_eq!(text(0, 0), r#"tier="free",region="eu""#);
        assert_eq!(text(2, 0), r#"tier="_other",region="eu""#);
        assert_eq!(text(1, 1), r#"tier="paid",region="_other""#);
        assert_eq!(Dimensions::new(&[], false).count(), METHODS.len());
        assert_eq!(Dimensions::new(&[], false).label_text(3), "");
    }

    #[test]
    fn schemes_are_numbered_behind_all_others() {
        let tier = Declared { name: "tier".into(), values: vec!["free".into()] };
        let dimensions = Dimensions::new(&[tier], true);
        assert_eq!((dimensions.count(), dimensions.https()), (METHODS.len() * 4, 2));
        let number = Dimensions::number(1, 1 + dimensions.https());
        assert_eq!((dimensions.scheme(number), dimensions.label_text(number)), ("https", "tier=\"_other\""));
        assert_eq!(dimensions.scheme(Dimensions::number(1, 1)), "http");
        for free in [0, 2] {
            let other = dimensions.other(Dimensions::number(1, free));
            assert_eq!(other, Dimensions::number(1, free + 1), "the same scheme and method");
        }
    }
}

//! Log filter directives as people write them. Stricter than `Targets`, which accepts nearly every text as a target.

use std::fmt;

use tracing_subscriber::filter::{LevelFilter, Targets};

/// A log filter directive that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadDirective {
    directive: String,
}

impl BadDirective {
    fn new(directive: &str) -> Self {
        Self { directive: directive.chars().take(120).collect() }
    }

    /// The directive, at most 120 characters of it.
    #[must_use]
    pub fn directive(&self) -> &str {
        &self.directive
    }
}

impl fmt::Display for BadDirective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is neither a level (off, error, warn, info, debug, trace) nor target=level, such as redpane::access=warn",
            self.directive
        )
    }
}

impl std::error::Error for BadDirective {}

/// Reads directives separated by commas: `level` or `target=level`. White space around their parts and empty directives
/// are ignored. For [`Redpane::log_filter`](crate::Redpane::log_filter) and
/// [`Telemetry::set_log_filter`](crate::Telemetry::set_log_filter).
///
/// # Errors
/// The first directive that is neither: quoted, at most 120 characters of it.
///
/// ```
/// let filter = redpane::parse_log_filter("info, redpane::access=warn").unwrap();
/// assert!(redpane::parse_log_filter("inof").is_err());
/// # drop(redpane::Redpane::new("api").log_filter(filter));
/// ```
pub fn parse_log_filter(directives: &str) -> Result<Targets, BadDirective> {
    let given: Vec<&str> = directives.split(',').map(str::trim).filter(|directive| !directive.is_empty()).collect();
    if given.is_empty() {
        return Err(BadDirective::new(directives));
    }
    let normal = given.iter().map(|directive| normalized(directive).ok_or_else(|| BadDirective::new(directive)));
    normal.collect::<Result<Vec<_>, _>>()?.join(",").parse().map_err(|_| BadDirective::new(directives))
}

/// The directive as `Targets` must get it, or `None` for one that is refused here.
///
/// `Targets` counts white space as part of a target's name, so it is removed. It takes a bare word that is no level for a
/// target and then silences everything else, so a bare word must be a level. It takes `target=` for `target=error`, so the
/// level must be there. It takes a number for a level, and a name of a span for a part of the target, which no event has.
fn normalized(directive: &str) -> Option<String> {
    let (start, level) = match directive.split_once('=') {
        Some((target, level)) => (format!("{}=", target.trim_end()), level.trim_start()),
        None => (String::new(), directive),
    };
    level.parse::<LevelFilter>().ok().filter(|_| level.starts_with(|first: char| first.is_ascii_alphabetic()))?;
    let target = start.trim_end_matches('=');
    if target.split_once('[').is_some_and(|(_, span)| !span.starts_with('{')) {
        return None;
    }
    let normal = start + level;
    normal.parse::<Targets>().is_ok().then_some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(text: &str, clear: &str) {
        assert_eq!(parse_log_filter(text), Ok(clear.parse().unwrap()), "{text:?}");
    }

    #[test]
    fn white_space_and_a_comma_too_many_do_not_count() {
        same("info, warn", "info,warn");
        same(" info ,\tredpane::access = warn\n", "info,redpane::access=warn");
        same("info,", "info");
        same(",,debug", "debug");
        same("shop[{user}]=debug", "shop[{user}]=debug");
    }

    #[test]
    fn the_bad_directive_is_named() {
        for (text, bad) in [
            ("info,inof,warn", "inof"),
            ("info, redpane=", "redpane="),
            ("a=b=info", "a=b=info"),
            ("5", "5"),
            ("shop=3", "shop=3"),
            ("info,shop[cart]=debug", "shop[cart]=debug"),
            ("shop[cart{user}]=debug", "shop[cart{user}]=debug"),
            ("shop[{user,cart}]=debug", "shop[{user"),
            ("shop[{user=debug", "shop[{user=debug"),
            (" , ", " , "),
        ] {
            assert_eq!(parse_log_filter(text), Err(BadDirective { directive: bad.into() }), "{text:?}");
        }
        assert_eq!(parse_log_filter(&"x".repeat(500)).unwrap_err().directive.len(), 120);
    }
}

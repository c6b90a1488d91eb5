//! The variables of OpenTelemetry's specification that say where and how an exporter sends.

use std::str::FromStr;
use std::time::Duration;

use super::endpoint;
use super::variable_values::{pairs, time};
use super::variables::Variables;

impl Variables<'_> {
    /// That of traces is a whole URL; that of all signals is a base.
    pub(super) fn endpoint(&mut self) -> Option<String> {
        if let Some((name, protocol)) =
            self.of_traces("PROTOCOL").filter(|(_, protocol)| !protocol.eq_ignore_ascii_case("http/protobuf"))
        {
            self.notes.push(format!("{name}={protocol} is not supported: spans are exported as http/protobuf"));
        }
        let (name, value) = self.of_traces("ENDPOINT")?;
        if let Err(problem) = endpoint::read(&value) {
            self.bad(name, endpoint::shown(&value), problem);
            return None;
        }
        match name.contains("_TRACES_") {
            true => Some(value),
            false => Some(endpoint::below(&value)),
        }
    }

    /// `name=value,name=value`, values percent-encoded. Nothing of a list that cannot be read is told: where a pair is not
    /// right, nobody knows which of its parts are secret.
    pub(super) fn headers(&mut self) -> Vec<(String, String)> {
        let Some((variable, list)) = self.of_traces("HEADERS") else { return Vec::new() };
        let is_right = |(name, value): &(String, String)| {
            http::HeaderName::from_str(name).is_ok() && http::HeaderValue::from_str(value).is_ok()
        };
        let pairs: Vec<_> = pairs(&list).map(|pair| pair.filter(is_right)).collect();
        let bad = pairs.iter().enumerate().filter(|(_, pair)| pair.is_none());
        let bad: Vec<_> = bad.map(|(at, _)| (at + 1).to_string()).collect();
        if !bad.is_empty() {
            let (all, are) = (pairs.len(), if bad.len() == 1 { "is" } else { "are" });
            let problem = format!(
                "pair {} of {all} {are} not right: a pair is name=value, pairs are separated by commas, and values are in \
                 percent-encoding",
                bad.join(" and ")
            );
            self.bad(variable, "…", problem);
        }
        pairs.into_iter().flatten().collect()
    }

    pub(super) fn gzip(&mut self) -> bool {
        match self.of_traces("COMPRESSION") {
            Some((name, value)) if !value.eq_ignore_ascii_case("gzip") => {
                if !value.eq_ignore_ascii_case("none") {
                    self.bad(name, value, "gzip or none is right");
                }
                false
            }
            found => found.is_some(),
        }
    }

    pub(super) fn timeout(&mut self) -> Option<Duration> {
        let (name, value) = self.of_traces("TIMEOUT")?;
        let parsed = value.parse().ok().map(time);
        if parsed.is_none() {
            self.bad(name, value, "a whole number of milliseconds is right, as in 10000");
        }
        parsed
    }
}

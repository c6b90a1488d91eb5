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

    /// `name=value,name=value`, values percent-encoded.
    pub(super) fn headers(&mut self) -> Vec<(String, String)> {
        let Some((variable, list)) = self.of_traces("HEADERS") else { return Vec::new() };
        let is_right = |(name, value): &(String, String)| {
            http::HeaderName::from_str(name).is_ok() && http::HeaderValue::from_str(value).is_ok()
        };
        match pairs(&list).filter(|pairs| pairs.iter().all(is_right)) {
            Some(pairs) => pairs,
            None => {
                let names = list.split(',').map(|pair| pair.split_once('=').map_or("…", |(name, _)| name.trim()));
                let shown = names.map(|name| format!("{name}=…")).collect::<Vec<_>>().join(",");
                self.bad(
                    variable,
                    shown,
                    "pairs are right, as in name=value,other=value, with values in percent-encoding",
                );
                Vec::new()
            }
        }
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

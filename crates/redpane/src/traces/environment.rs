//! The variables of OpenTelemetry's specification that say whether, where and how spans are exported.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use percent_encoding::percent_decode_str;

use super::config::{Otlp, endpoint};
use super::sampler::Sampler;

/// Variables that change what the specification's exporters and SDKs do, and nothing here.
const UNSUPPORTED: [&str; 12] = [
    "OTEL_EXPORTER_OTLP_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_CONFIG_FILE",
    "OTEL_EXPERIMENTAL_CONFIG_FILE",
];

/// A variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadVariable {
    /// Its name.
    pub variable: String,
    /// Its value; of headers the names alone.
    pub value: String,
    /// What is wrong with that, and what would be right.
    pub problem: String,
}

/// Every variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentError(Vec<BadVariable>);

impl EnvironmentError {
    /// Every one of them.
    #[must_use]
    pub fn problems(&self) -> &[BadVariable] {
        &self.0
    }
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, BadVariable { variable, value, problem }) in self.0.iter().enumerate() {
            write!(f, "{}{variable}={value:?}: {problem}", if at > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for EnvironmentError {}

impl Otlp {
    /// What the environment says: `None` where it names no endpoint, or switches traces off (`OTEL_SDK_DISABLED=true`,
    /// `OTEL_TRACES_EXPORTER=none`).
    ///
    /// # Errors
    /// One error that names every bad variable, its value, and what would be right.
    pub fn from_env() -> Result<Option<Self>, EnvironmentError> {
        Self::from_variables(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// The same of variables that `look` finds, for tests and for applications with settings of their own. An empty value is
    /// none.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_variables(look: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, EnvironmentError> {
        let mut variables = Variables { look: &look, problems: Vec::new(), notes: Vec::new() };
        let otlp = variables.read();
        match variables.problems.is_empty() {
            true => Ok(otlp.map(|otlp| Self { notes: variables.notes, ..otlp })),
            false => Err(EnvironmentError(variables.problems)),
        }
    }
}

/// Reads variables and collects what is wrong with them.
struct Variables<'a> {
    look: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<BadVariable>,
    /// What is said at start: values that change nothing.
    notes: Vec<String>,
}

impl Variables<'_> {
    fn read(&mut self) -> Option<Otlp> {
        if self.flag("OTEL_SDK_DISABLED") || self.is_none_exporter() {
            return None;
        }
        let endpoint = self.endpoint();
        let mut otlp = Otlp::new(endpoint.clone().unwrap_or_default());
        otlp.headers = self.headers();
        otlp.gzip = self.gzip();
        let milliseconds =
            |most: &mut Self, name| most.parsed(name, "a whole number of milliseconds, as in 5000").map(time);
        if let Some(timeout) = self.timeout() {
            otlp.timeout = timeout;
        }
        otlp.sampler = self.sampler();
        if let Some(delay) = milliseconds(self, "OTEL_BSP_SCHEDULE_DELAY") {
            otlp.delay = delay;
        }
        otlp.give_up_after = milliseconds(self, "OTEL_BSP_EXPORT_TIMEOUT");
        otlp.batch_spans = self.count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE").unwrap_or(otlp.batch_spans);
        otlp.max_spans = self.count("OTEL_BSP_MAX_QUEUE_SIZE").unwrap_or(otlp.max_spans);
        otlp.resource = self.resource();
        otlp.service_name = self.get("OTEL_SERVICE_NAME").or_else(|| {
            let mut resource = otlp.resource.iter();
            resource.find_map(|(key, value)| (key == "service.name").then(|| value.clone()))
        });
        // The telemetry's app is the one name of the service.
        otlp.resource.retain(|(key, _)| key != "service.name");
        for name in UNSUPPORTED {
            if self.get(name).is_some() {
                self.notes.push(format!("{name} is not supported and changes nothing"));
            }
        }
        endpoint.map(|_| otlp)
    }

    fn get(&self, name: &str) -> Option<String> {
        (self.look)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The variable of traces, else that of all signals; with its name.
    fn of_traces(&self, rest: &str) -> Option<(String, String)> {
        let names = [format!("OTEL_EXPORTER_OTLP_TRACES_{rest}"), format!("OTEL_EXPORTER_OTLP_{rest}")];
        names.into_iter().find_map(|name| self.get(&name).map(|value| (name, value)))
    }

    fn bad(&mut self, variable: impl Into<String>, value: impl Into<String>, problem: impl Into<String>) {
        self.problems.push(BadVariable { variable: variable.into(), value: value.into(), problem: problem.into() });
    }

    /// `true` in any case is true, everything else false, as the specification has it.
    fn flag(&mut self, name: &str) -> bool {
        let value = self.get(name).unwrap_or_default();
        let is_true = value.eq_ignore_ascii_case("true");
        if !is_true && !value.is_empty() && !value.eq_ignore_ascii_case("false") {
            self.bad(name, value, "true or false is right");
        }
        is_true
    }

    fn is_none_exporter(&mut self) -> bool {
        match self.get("OTEL_TRACES_EXPORTER").as_deref() {
            Some("none") => true,
            None | Some("otlp") => false,
            Some(other) => {
                self.notes.push(format!("OTEL_TRACES_EXPORTER={other} is not supported: spans are exported as otlp"));
                false
            }
        }
    }

    /// That of traces is a whole URL; that of all signals is a base.
    fn endpoint(&mut self) -> Option<String> {
        if let Some((name, protocol)) = self.of_traces("PROTOCOL").filter(|(_, protocol)| protocol != "http/protobuf") {
            self.notes.push(format!("{name}={protocol} is not supported: spans are exported as http/protobuf"));
        }
        let (name, value) = self.of_traces("ENDPOINT")?;
        if let Err(problem) = endpoint(&value) {
            self.bad(name, value, problem);
            return None;
        }
        match name.contains("_TRACES_") {
            true => Some(value),
            false => Some(format!("{}/v1/traces", value.trim_end_matches('/'))),
        }
    }

    /// `name=value,name=value`, values percent-encoded.
    fn headers(&mut self) -> Vec<(String, String)> {
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

    fn resource(&mut self) -> Vec<(String, String)> {
        const NAME: &str = "OTEL_RESOURCE_ATTRIBUTES";
        let Some(list) = self.get(NAME) else { return Vec::new() };
        pairs(&list).unwrap_or_else(|| {
            self.bad(NAME, list, "pairs are right, as in key=value,other=value, with values in percent-encoding");
            Vec::new()
        })
    }

    fn gzip(&mut self) -> bool {
        match self.of_traces("COMPRESSION") {
            Some((name, value)) if value != "gzip" => {
                if value != "none" {
                    self.bad(name, value, "gzip or none is right");
                }
                false
            }
            found => found.is_some(),
        }
    }

    fn timeout(&mut self) -> Option<Duration> {
        let (name, value) = self.of_traces("TIMEOUT")?;
        let parsed = value.parse().ok().map(time);
        if parsed.is_none() {
            self.bad(name, value, "a whole number of milliseconds is right, as in 10000");
        }
        parsed
    }

    fn sampler(&mut self) -> Sampler {
        const NAME: &str = "OTEL_TRACES_SAMPLER";
        const RATIO: &str = "OTEL_TRACES_SAMPLER_ARG";
        let name = self.get(NAME).unwrap_or_else(|| "parentbased_always_on".into());
        // Only these two have an argument.
        let argument = self.get(RATIO).filter(|_| name.ends_with("traceidratio"));
        let ratio = argument.as_ref().map_or(Some(1.0), |argument| argument.parse().ok()).unwrap_or(f64::NAN);
        match (Sampler::by_name(&name, 1.0), Sampler::by_name(&name, ratio)) {
            (Err(problem), _) => self.bad(NAME, name, problem),
            (_, Err(problem)) => self.bad(RATIO, argument.unwrap_or_default(), problem),
            (_, Ok(sampler)) => return sampler,
        }
        Sampler::default()
    }

    fn count(&mut self, name: &str) -> Option<u64> {
        self.parsed::<std::num::NonZeroU64>(name, "a whole number above zero, as in 512").map(Into::into)
    }

    fn parsed<T: FromStr>(&mut self, name: &str, right: &str) -> Option<T> {
        let value = self.get(name)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.bad(name, value, format!("{right}, is right"));
        }
        parsed
    }
}

fn time(milliseconds: u64) -> Duration {
    match milliseconds {
        // No limit, as the specification has it.
        0 => Duration::from_secs(365 * 24 * 60 * 60),
        _ => Duration::from_millis(milliseconds),
    }
}

/// `key=value,key=value`, spaces around them left out and values decoded.
fn pairs(list: &str) -> Option<Vec<(String, String)>> {
    let pairs = list.split(',').filter(|pair| !pair.trim().is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
        (!key.trim().is_empty()).then(|| (key.trim().to_owned(), value.into_owned()))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<Otlp>, EnvironmentError> {
        let found =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Otlp::from_variables(found)
    }

    const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://tempo:4318");

    #[test]
    fn without_an_endpoint_or_switched_off_there_is_nothing() {
        for variables in [
            &[][..],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
            &[ENDPOINT, ("OTEL_SDK_DISABLED", "TRUE")],
            &[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")],
        ] {
            assert!(read(variables).unwrap().is_none(), "{variables:?}");
        }
        assert!(read(&[ENDPOINT, ("OTEL_SDK_DISABLED", "false")]).unwrap().is_some());
    }

    #[test]
    fn an_endpoint_is_a_base_or_of_traces() {
        for (variables, expected) in [
            (&[ENDPOINT][..], "http://tempo:4318/v1/traces"),
            (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a/base/")], "http://a/base/v1/traces"),
            (&[ENDPOINT, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://b/as/it/is")], "http://b/as/it/is"),
        ] {
            assert_eq!(read(variables).unwrap().unwrap().endpoint, expected);
        }
    }

    #[test]
    fn every_variable_is_read() {
        let otlp = read(&[
            ENDPOINT,
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%2Cb, x=y"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "64"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "4096"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment=a%20b"),
            ("OTEL_SERVICE_NAME", "orders"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
        ]);
        let otlp = otlp.unwrap().unwrap();
        assert_eq!(otlp.headers, [("api-key".into(), "a,b".into()), ("x".into(), "y".into())]);
        assert_eq!((otlp.timeout, otlp.gzip), (Duration::from_millis(1500), true));
        assert_eq!(otlp.sampler, Sampler::by_name("traceidratio", 0.25).unwrap());
        assert_eq!((otlp.delay, otlp.batch_spans, otlp.max_spans), (Duration::from_millis(100), 64, 4096));
        assert!(otlp.give_up_after.unwrap().as_secs() > 1_000_000);
        assert_eq!(otlp.resource, [("deployment.environment".into(), "a b".into())]);
        assert_eq!(otlp.service_name.as_deref(), Some("orders"));
        assert_eq!(otlp.notes.len(), 2, "{:?}", otlp.notes);
    }

    #[test]
    fn one_error_names_every_bad_variable_and_no_secret() {
        let error = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "tempo"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret,s3cret"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zip"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "2"),
            ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "x"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0"),
            ("OTEL_RESOURCE_ATTRIBUTES", "no pair"),
            ("OTEL_SDK_DISABLED", "maybe"),
        ]);
        let error = error.unwrap_err();
        assert_eq!(error.problems().len(), 10, "{error}");
        let text = error.to_string();
        assert!(text.contains("OTEL_TRACES_SAMPLER_ARG=\"2\": a ratio is a number from 0 to 1"), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
        let sampler = read(&[ENDPOINT, ("OTEL_TRACES_SAMPLER", "sometimes")]).unwrap_err();
        assert!(sampler.to_string().contains("OTEL_TRACES_SAMPLER=\"sometimes\": a sampler is one of always_on"));
    }
}

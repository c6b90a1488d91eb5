//! The variables of OpenTelemetry's specification that say whether, where and how spans are exported.

use super::bad_variable::EnvironmentError;
use super::config::{Otlp, SERVICE_NAME};
use super::sampler::Sampler;
use super::variable_values::{attributes, time};
use super::variables::Variables;

#[cfg(test)]
mod tests;

impl Otlp {
    /// What the environment says: `None` where it names no endpoint, or switches traces off (`OTEL_SDK_DISABLED=true`,
    /// `OTEL_TRACES_EXPORTER=none`). Where `OTEL_TRACES_EXPORTER` asks for other exporters alone, nothing is exported
    /// ([`is_off`](Self::is_off)), and a line at start says so.
    ///
    /// # Errors
    /// One error that names every bad variable, its value, and what would be right.
    pub fn from_env() -> Result<Option<Self>, EnvironmentError> {
        Self::from_variables(variable_of_environment)
    }

    /// The same of variables that `look` finds, for tests and for applications with settings of their own. An empty value is
    /// none.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn from_variables(look: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, EnvironmentError> {
        let mut variables = Variables::new(&look);
        let otlp = variables.read();
        match variables.problems.is_empty() {
            true => Ok(otlp.map(|otlp| Self { notes: variables.notes, ..otlp })),
            false => Err(EnvironmentError::of(variables.problems)),
        }
    }
}

pub(super) const RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

pub(super) fn variable_of_environment(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

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

/// What `OTEL_TRACES_EXPORTER` says.
enum Exporter {
    Otlp,
    None,
    /// Exporters that are not supported, and no other.
    Unsupported,
}

impl Variables<'_> {
    fn read(&mut self) -> Option<Otlp> {
        if self.flag("OTEL_SDK_DISABLED") {
            return None;
        }
        match self.exporter() {
            Exporter::Otlp => {}
            Exporter::None => return None,
            Exporter::Unsupported => return Some(Otlp { is_off: true, ..Otlp::new("") }),
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
        // The telemetry's app is the one name of the service.
        otlp.resource.retain(|(key, _)| key != SERVICE_NAME);
        self.note_propagators();
        for name in UNSUPPORTED {
            if self.get(name).is_some() {
                self.notes.push(format!("{name} is not supported and changes nothing"));
            }
        }
        endpoint.map(|_| otlp)
    }

    /// A list of exporters, of which only `otlp` is supported.
    fn exporter(&mut self) -> Exporter {
        const NAME: &str = "OTEL_TRACES_EXPORTER";
        let Some(list) = self.get(NAME) else { return Exporter::Otlp };
        let names = || list.split(',').map(str::trim).filter(|name| !name.is_empty());
        let is = |name: &str, known: &str| name.eq_ignore_ascii_case(known);
        let has_otlp = names().any(|name| is(name, "otlp"));
        if names().all(|name| is(name, "otlp") || is(name, "none")) {
            return if has_otlp { Exporter::Otlp } else { Exporter::None };
        }
        let instead =
            if has_otlp { "spans are exported as otlp alone" } else { "spans are exported as otlp or not at all" };
        self.notes.push(format!("{NAME}={list} is not supported: {instead}"));
        if has_otlp { Exporter::Otlp } else { Exporter::Unsupported }
    }

    /// What is passed on is what W3C has standards for, whatever this list says.
    fn note_propagators(&mut self) {
        const NAME: &str = "OTEL_PROPAGATORS";
        let Some(list) = self.get(NAME) else { return };
        let is_known = |name: &str| ["tracecontext", "baggage"].contains(&name.trim().to_ascii_lowercase().as_str());
        if !list.split(',').all(is_known) {
            self.notes.push(format!("{NAME}={list} is not supported: tracecontext and baggage are passed on"));
        }
    }

    fn resource(&mut self) -> Vec<(String, String)> {
        let Some(list) = self.get(RESOURCE_ATTRIBUTES) else { return Vec::new() };
        attributes(&list).unwrap_or_else(|| {
            self.bad(
                RESOURCE_ATTRIBUTES,
                list,
                "pairs are right, as in key=value,other=value, with values in percent-encoding",
            );
            Vec::new()
        })
    }

    fn sampler(&mut self) -> Sampler {
        const NAME: &str = "OTEL_TRACES_SAMPLER";
        const RATIO: &str = "OTEL_TRACES_SAMPLER_ARG";
        let given = self.get(NAME).unwrap_or_else(|| "parentbased_always_on".into());
        // Names of the specification are read in any case.
        let name = given.to_ascii_lowercase();
        // Only these two have an argument.
        let argument = self.get(RATIO).filter(|_| name.ends_with("traceidratio"));
        let ratio = argument.as_ref().map_or(Some(1.0), |argument| argument.parse().ok()).unwrap_or(f64::NAN);
        match (Sampler::by_name(&name, 1.0), Sampler::by_name(&name, ratio)) {
            (Err(problem), _) => self.bad(NAME, given, problem),
            (_, Err(problem)) => self.bad(RATIO, argument.unwrap_or_default(), problem),
            (_, Ok(sampler)) => return sampler,
        }
        Sampler::default()
    }
}

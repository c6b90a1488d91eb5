//! One setting at a time: the text of a flag or a variable becomes a value, or a sentence that says what would be right.
//!
//! Every method records a bad value and continues with the default, so that one start names all bad values at once.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use bytesize::ByteSize;
use ipnet::IpNet;
use redpane::{BadVariable, Otlp, TraceKeep, parse_log_filter};
use tracing::Level;
use tracing_subscriber::filter::Targets;

use super::error::{BadSetting, BadSettings};
use super::source::Source;
use super::upstream::Upstream;

const NAME: &str = "a name of at most 64 bytes of letters, digits and - _ . /";

/// Reads settings from a [`Source`] and collects what is wrong with them.
pub(super) struct Reader<'a> {
    source: &'a dyn Source,
    bad: Vec<BadSetting>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(source: &'a dyn Source) -> Self {
        Self { source, bad: Vec::new() }
    }

    /// Gives `value` unless a setting was bad.
    pub(super) fn finish<T>(self, value: T) -> Result<T, BadSettings> {
        if self.bad.is_empty() { Ok(value) } else { Err(BadSettings(self.bad)) }
    }

    /// The value of `variable`, or `None` where it is unset, empty or wrong. Empty counts as unset because a compose
    /// file's `${NAME:-}` cannot say "unset" in any other way.
    fn read<T>(&mut self, variable: &'static str, expected: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let raw = self.source.value(variable).filter(|raw| !raw.is_empty())?;
        let parsed = raw.to_str().map(str::trim).and_then(parse);
        if parsed.is_none() {
            self.reject(variable, &raw.to_string_lossy(), expected);
        }
        parsed
    }

    /// Records that `value` of `variable` cannot be used.
    pub(super) fn reject(&mut self, variable: &'static str, value: &str, expected: &str) {
        self.refuse(variable.into(), value, format!("must be {expected}"));
    }

    fn refuse(&mut self, variable: Cow<'static, str>, value: &str, problem: String) {
        let value = without_password(value).chars().take(120).collect();
        self.bad.push(BadSetting { variable, value, problem });
    }

    /// Where spans are exported to, as OpenTelemetry's own variables say it; `None` where they name no endpoint.
    pub(super) fn otlp(&mut self, keep: &'static str) -> Option<Otlp> {
        let expected = "errors, slow, both as in errors,slow, or none";
        let listed = |text: &str| text.parse().ok().filter(|keep| *keep != TraceKeep::NONE);
        let parse = |text: &str| if text == "none" { Some(TraceKeep::NONE) } else { listed(text) };
        let keep = self.read(keep, expected, parse).unwrap_or_default();
        let source = self.source;
        match Otlp::from_variables(|name| text_of(source, name)) {
            Ok(otlp) => otlp.map(|otlp| otlp.keep(keep)),
            Err(error) => {
                for BadVariable { variable, value, problem, .. } in error.problems() {
                    self.refuse(variable.clone().into(), value, problem.clone());
                }
                None
            }
        }
    }

    /// The name that OpenTelemetry's own variables have for the service, whether it exports spans or not.
    pub(super) fn otel_service_name(&self) -> Option<String> {
        Otlp::service_name_from_variables(|name| text_of(self.source, name))
    }

    pub(super) fn address(&mut self, variable: &'static str) -> Option<SocketAddr> {
        let expected = "an IP address and a port, such as 0.0.0.0:8000 or [::1]:8000";
        self.read(variable, expected, |text| text.parse().ok())
    }

    /// An address, or `None` for `off`.
    pub(super) fn address_or_off(&mut self, variable: &'static str) -> Option<Option<SocketAddr>> {
        let expected = "an IP address and a port, such as 127.0.0.1:8001 or [::1]:8001, or off";
        self.read(variable, expected, |text| match text.eq_ignore_ascii_case("off") {
            true => Some(None),
            false => text.parse().ok().map(Some),
        })
    }

    /// Whether a variable has a value, be it right or wrong.
    pub(super) fn is_given(&self, variable: &str) -> bool {
        self.source.value(variable).is_some_and(|raw| !raw.is_empty())
    }

    /// A text that no message repeats.
    pub(super) fn secret<T>(
        &mut self,
        variable: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let raw = self.source.value(variable).filter(|raw| !raw.is_empty())?;
        let parsed = raw.to_str().map(str::trim).and_then(parse);
        if parsed.is_none() {
            self.reject(variable, "***", expected);
        }
        parsed
    }

    pub(super) fn duration(
        &mut self,
        variable: &'static str,
        default: Duration,
        bounds: RangeInclusive<Duration>,
    ) -> Duration {
        let [low, high, example] = [*bounds.start(), *bounds.end(), default].map(humantime::format_duration);
        let expected = format!("a duration with its unit from {low} to {high}, such as {example} or 500ms");
        let parse = |text: &str| humantime::parse_duration(text).ok().filter(|value| bounds.contains(value));
        self.read(variable, &expected, parse).unwrap_or(default)
    }

    /// A size in bytes: `1MiB` is 1,048,576, `1MB` is 1,000,000, a bare number is bytes.
    pub(super) fn size(&mut self, variable: &'static str, default: usize, bounds: RangeInclusive<usize>) -> usize {
        let iec = |bytes: usize| ByteSize::b(bytes as u64).display().iec().to_string();
        let [low, high, example] = [*bounds.start(), *bounds.end(), default].map(iec);
        let expected = format!("a size from {low} to {high}, such as {example} or 65536 (bytes)");
        let parse = |text: &str| {
            let bytes = usize::try_from(text.parse::<ByteSize>().ok()?.as_u64()).ok()?;
            bounds.contains(&bytes).then_some(bytes)
        };
        self.read(variable, &expected, parse).unwrap_or(default)
    }

    pub(super) fn count(&mut self, variable: &'static str, default: usize, bounds: RangeInclusive<usize>) -> usize {
        let expected = format!("a whole number from {} to {}, such as {default}", bounds.start(), bounds.end());
        let parse = |text: &str| text.parse().ok().filter(|value| bounds.contains(value));
        self.read(variable, &expected, parse).unwrap_or(default)
    }

    /// A part of a whole.
    pub(super) fn share(&mut self, variable: &'static str, default: f64) -> f64 {
        let parse = |text: &str| text.parse().ok().filter(|value| (0.0..=1.0).contains(value));
        self.read(variable, "a number from 0 to 1, such as 0.1", parse).unwrap_or(default)
    }

    pub(super) fn boolean(&mut self, variable: &'static str, default: bool) -> bool {
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        };
        self.read(variable, "true, false, 1 or 0", parse).unwrap_or(default)
    }

    /// One of a few words, upper or lower case.
    pub(super) fn choice<T: Clone>(&mut self, variable: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let parse = |text: &str| {
            let found = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
            found.map(|(_, value)| value.clone())
        };
        self.read(variable, &words.join(" or "), parse)
    }

    /// A name that goes into every log line: at most 64 bytes, without characters that would need escaping.
    pub(super) fn name(&mut self, variable: &'static str) -> Option<String> {
        let text = self.read(variable, NAME, |text| Some(text.to_owned()))?;
        self.checked_name(variable, &text)
    }

    /// The same of a name that stands somewhere in `variable`.
    pub(super) fn checked_name(&mut self, variable: &'static str, name: &str) -> Option<String> {
        let is_plain = |name: &str| name.chars().all(|c| c.is_alphanumeric() || "-_./".contains(c));
        if name.is_empty() || name.len() > 64 || !is_plain(name) {
            self.reject(variable, name, NAME);
            return None;
        }
        Some(name.to_owned())
    }

    pub(super) fn upstream(&mut self, variable: &'static str) -> Option<Upstream> {
        self.read(variable, Upstream::EXPECTED, Upstream::parse)
    }

    /// Networks, and addresses as networks of one.
    pub(super) fn networks(&mut self, variable: &'static str) -> Option<Vec<IpNet>> {
        let expected = "IP addresses or networks, separated by commas, such as 127.0.0.1 or 10.0.0.0/8,fd00::/8";
        let text = self.read(variable, expected, |text| Some(text.to_owned()))?;
        let network = |part: &str| part.parse().ok().or_else(|| part.parse::<IpAddr>().ok().map(IpNet::from));
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks: Result<Vec<IpNet>, &str> = parts.map(|part| network(part).ok_or(part)).collect();
        // Named again because only the beginning of a long value is shown.
        let shown = |part: &str| part.chars().take(120).collect::<String>();
        networks.map_err(|bad| self.reject(variable, &text, &format!("{expected}; {:?} is neither", shown(bad)))).ok()
    }

    /// Filter directives of the log. Where `needed` names a target, its events of `INFO` must come through.
    pub(super) fn log_filter(&mut self, variable: &'static str, needed: Option<&str>) -> Option<Targets> {
        let expected = "a level (off, error, warn, info, debug, trace) or target=level, separated by commas, \
                        such as info or info,redpane::access=warn";
        let text = self.read(variable, expected, |text| Some(text.to_owned()))?;
        // Named again because only the beginning of a long value is shown.
        let named = |bad: &str| format!("{expected}; {bad:?} is neither");
        let filter =
            parse_log_filter(&text).map_err(|bad| self.reject(variable, &text, &named(bad.directive()))).ok()?;
        match needed.filter(|target| !filter.would_enable(target, &Level::INFO)) {
            Some(target) => {
                let expected = format!(
                    "a filter that hides no alert, firing (WARN) or resolved (INFO), such as info or warn,{target}=info"
                );
                self.reject(variable, &text, &expected);
                None
            }
            None => Some(filter),
        }
    }
}

fn text_of(source: &dyn Source, variable: &str) -> Option<String> {
    source.value(variable).map(|value| value.to_string_lossy().into_owned())
}

/// What may be shown of a value: a URL without its user and password.
fn without_password(value: &str) -> String {
    let parts = value.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let at = rest[..end].rfind('@')?;
        Some((scheme, &rest[at..]))
    });
    parts.map_or_else(|| value.to_owned(), |(scheme, rest)| format!("{scheme}://***{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (value, shown) in [
            ("http://user:secret@orders:8000/a", "http://***@orders:8000/a"),
            ("http://a@b@orders", "http://***@orders"),
            ("http://orders/a@b", "http://orders/a@b"),
            ("user@orders", "user@orders"),
        ] {
            assert_eq!(without_password(value), shown);
        }
    }
}

//! Which format and encoding a scraper asked for (RFC 9110, section 12.5).

use http::{HeaderMap, HeaderName, header};

use super::encode::ExpositionFormat;

/// OpenMetrics where `Accept` names it, in a version we speak, with at least the weight of plain text; else text.
pub(crate) fn format(headers: &HeaderMap) -> ExpositionFormat {
    let (mut open_metrics, mut text) = (0.0_f32, 0.0_f32);
    for range in list(headers, &header::ACCEPT) {
        let ours = range.parameter("version").is_none_or(|version| matches!(version, "1.0.0" | "0.0.1"));
        if range.name.eq_ignore_ascii_case("application/openmetrics-text") && ours {
            open_metrics = open_metrics.max(range.weight());
        } else if range.name.eq_ignore_ascii_case("text/plain") {
            text = text.max(range.weight());
        }
    }
    if open_metrics > 0.0 && open_metrics >= text { ExpositionFormat::OpenMetrics } else { ExpositionFormat::Text }
}

/// Whether `Accept-Encoding` takes gzip.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut named, mut any) = (None, None);
    for range in list(headers, &header::ACCEPT_ENCODING) {
        if range.name.eq_ignore_ascii_case("gzip") || range.name.eq_ignore_ascii_case("x-gzip") {
            named = Some(range.weight());
        } else if range.name == "*" {
            any = Some(range.weight());
        }
    }
    named.or(any).is_some_and(|weight| weight > 0.0)
}

struct Range<'a> {
    name: &'a str,
    parameters: &'a str,
}

impl<'a> Range<'a> {
    fn parameter(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self.parameters.split(';').filter_map(|pair| pair.split_once('='));
        pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().trim_matches('"'))
    }

    fn weight(&self) -> f32 {
        self.parameter("q").map_or(1.0, |weight| weight.parse().unwrap_or(0.0))
    }
}

fn list<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = Range<'a>> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|range| {
        let (name, parameters) = range.split_once(';').unwrap_or((range, ""));
        Range { name: name.trim(), parameters }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ExpositionFormat::{OpenMetrics, Text};

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn scrapers_get_the_format_they_prefer() {
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
            application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
            text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, format) in [
            (prometheus_3, OpenMetrics),
            ("application/openmetrics-text; version=1.0.0", OpenMetrics),
            ("APPLICATION/OPENMETRICS-TEXT", OpenMetrics),
            ("application/openmetrics-text;version=2.0.0", Text),
            ("application/openmetrics-text;q=0", Text),
            ("application/openmetrics-text;q=0.1,text/plain", Text),
            ("*/*", Text),
            ("garbage;;q=,", Text),
        ] {
            assert_eq!(super::format(&headers(header::ACCEPT, accept)), format, "{accept}");
        }
        assert_eq!(super::format(&HeaderMap::new()), Text);
    }

    #[test]
    fn gzip_only_where_it_is_taken() {
        for (encodings, taken) in
            [("gzip", true), ("br, gzip;q=0.5", true), ("*", true), ("*, gzip;q=0", false), ("br", false)]
        {
            assert_eq!(accepts_gzip(&headers(header::ACCEPT_ENCODING, encodings)), taken, "{encodings}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}

//! Which format a scraper asked for (RFC 9110, section 12.5.1).

use http::{HeaderMap, header};

use super::encode::ExpositionFormat;
use crate::request::accept::list;

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

#[cfg(test)]
mod tests {
    use http::HeaderName;

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
}

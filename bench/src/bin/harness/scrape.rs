//! What a server says that it counted.

use anyhow::{Context, Result};

use crate::server::Server;

/// The requests that `counter` counted, those for the metrics themselves aside.
///
/// # Errors
/// If the server does not answer, or with something else than metrics.
pub(crate) fn counted(server: &Server, counter: &str) -> Result<u64> {
    sum(&server.get("/metrics")?, counter)
}

/// The value of a metric without labels.
pub(crate) fn value(server: &Server, name: &str) -> Result<u64> {
    sum(&server.get("/metrics")?, name)
}

fn sum(exposition: &str, name: &str) -> Result<u64> {
    let mut total = 0.0;
    for line in exposition.lines() {
        let Some(sample) = line.strip_prefix(name) else { continue };
        if !sample.starts_with(['{', ' ']) || sample.contains("\"/metrics\"") {
            continue;
        }
        let value = sample.rsplit_once(' ').map_or(sample, |(_, value)| value);
        total += value.parse::<f64>().with_context(|| format!("{value:?} is no value: {line}"))?;
    }
    Ok(total as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "\
# TYPE http_requests_total counter
http_requests_total{method=\"GET\",route=\"/hello/{name}\",status=\"200\"} 12
http_requests_total{method=\"GET\",route=\"/route 1\",status=\"200\"} 3.0
http_requests_total{method=\"GET\",route=\"/metrics\",status=\"200\"} 100
http_requests_total_created{method=\"GET\"} 5
redpane_series 6
";

    #[test]
    fn series_of_one_name_are_summed() {
        assert_eq!(sum(METRICS, "http_requests_total").unwrap(), 15);
        assert_eq!(sum(METRICS, "redpane_series").unwrap(), 6);
        assert_eq!(sum(METRICS, "http_requests").unwrap(), 0);
    }

    #[test]
    fn no_number_is_an_error() {
        let error = sum("up{} many\n", "up").unwrap_err().to_string();
        assert!(error.contains("many"), "{error}");
    }
}

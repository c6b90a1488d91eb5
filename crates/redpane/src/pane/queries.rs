//! The rules in PromQL, for Prometheus or Grafana.

use std::collections::HashSet;

use super::windows::{BUDGET, Pair};

/// How `/metrics` spells what the rules ask for, and which series are of this application.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names<'a> {
    /// OpenTelemetry's names, and no others.
    pub(super) otel: bool,
    /// There are gRPC calls.
    pub(super) grpc: bool,
    pub(super) app: &'a str,
    /// Routes that are counted, but not judged.
    pub(super) probes: &'a HashSet<String>,
}

/// gRPC codes that are the server's fault.
const FAULTS: &str = "grpc_code=~\"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss\"";

impl Names<'_> {
    pub(super) fn any_5xx(self) -> String {
        let increase = |series: String| format!("sum(increase({series}[2m])) > 0");
        let failed = increase(self.failed());
        if self.grpc { format!("{failed} or {}", increase(self.failed_calls())) } else { failed }
    }

    pub(super) fn p99_slow(self) -> String {
        let buckets = self.series(match self.otel {
            true => "http_server_request_duration_seconds_bucket",
            false => "http_request_duration_seconds_bucket",
        });
        let requests = self.requests();
        format!(
            "histogram_quantile(0.99, sum by (le) (rate({buckets}[5m]))) > 1 and sum(increase({requests}[5m])) >= 20"
        )
    }

    /// One pair of windows in full: no recording rule is needed.
    pub(super) fn fast_burn(self, pair: Pair) -> String {
        let [short, long] = [pair.short.1, pair.long.1].map(|time| {
            let failed = self.all_failed("rate", time);
            format!("{failed} / sum(rate({}[{time}])) > {} * {BUDGET}", self.requests(), pair.limit)
        });
        format!("{short} and {long} and {} >= 5", self.all_failed("increase", "1h"))
    }

    /// A counter that should stay as it is.
    pub(super) fn increase(self, counter: &str) -> String {
        format!("sum(increase({counter}{{{}}}[5m])) > 0", self.own())
    }

    fn all_failed(self, function: &str, time: &str) -> String {
        let sum = |series: String| format!("sum({function}({series}[{time}]))");
        match self.grpc {
            true => {
                format!("(({} or vector(0)) + ({} or vector(0)))", sum(self.failed()), sum(self.failed_calls()))
            }
            false => sum(self.failed()),
        }
    }

    /// The labels that Prometheus puts on every series; the instance is for whoever looks at one of several.
    fn own(self) -> String {
        format!("app={},instance=~\".+\"", quoted(self.app))
    }

    /// All requests but probes.
    fn series(self, name: &str) -> String {
        let route = if self.otel { "http_route" } else { "route" };
        let mut probes: Vec<_> = self.probes.iter().map(|probe| escaped(probe)).collect();
        probes.sort();
        format!("{name}{{{},{route}!~{}}}", self.own(), quoted(&probes.join("|")))
    }

    fn requests(self) -> String {
        self.series(if self.otel { "http_server_request_duration_seconds_count" } else { "http_requests_total" })
    }

    fn failed(self) -> String {
        let status = if self.otel { "http_response_status_code" } else { "status" };
        self.requests().replacen('{', &format!("{{{status}=~\"5..\","), 1)
    }

    fn failed_calls(self) -> String {
        format!("grpc_server_handled_total{{{},{FAULTS}}}", self.own())
    }
}

/// A text in a regular expression.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        if "\\.+*?()|[]{}^$".contains(character) {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// A text in PromQL.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIR: Pair = Pair { limit: 14.4, short: (300, "5m", ""), long: (3600, "1h", "") };

    #[test]
    fn they_ask_for_the_names_that_are_there_and_leave_probes_out() {
        let probes = HashSet::from(["/metrics".to_owned(), "/health.z".to_owned()]);
        let own = Names { otel: false, grpc: true, app: "api", probes: &probes };
        let otel = Names { otel: true, grpc: false, app: "a\"b", ..own };
        let labels = "app=\"api\",instance=~\".+\"";
        let grpc = format!(
            "sum(increase(grpc_server_handled_total{{{labels},grpc_code=~\"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss\"}}[2m])) > 0"
        );
        let all = format!("{labels},route!~\"/health\\\\.z|/metrics\"");
        let failed = format!("sum(increase(http_requests_total{{status=~\"5..\",{all}}}[2m])) > 0");
        assert_eq!(own.any_5xx(), format!("{failed} or {grpc}"));
        assert!(own.p99_slow().contains(&format!("(http_request_duration_seconds_bucket{{{all}}}[5m])")));
        assert!(own.fast_burn(PAIR).starts_with("((sum(rate(http_requests_total{status="), "{}", own.fast_burn(PAIR));
        let labels = "app=\"a\\\"b\",instance=~\".+\",http_route!~\"/health\\\\.z|/metrics\"";
        let count = format!("http_server_request_duration_seconds_count{{{labels}}}");
        let failed =
            format!("http_server_request_duration_seconds_count{{http_response_status_code=~\"5..\",{labels}}}");
        assert_eq!(otel.any_5xx(), format!("sum(increase({failed}[2m])) > 0"));
        assert_eq!(
            otel.fast_burn(PAIR),
            format!(
                "sum(rate({failed}[5m])) / sum(rate({count}[5m])) > 14.4 * 0.001 and \
                 sum(rate({failed}[1h])) / sum(rate({count}[1h])) > 14.4 * 0.001 and \
                 sum(increase({failed}[1h])) >= 5"
            )
        );
    }
}

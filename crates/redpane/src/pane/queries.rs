//! The rules in PromQL, for Prometheus or Grafana.

/// How `/metrics` spells what the rules ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    /// OpenTelemetry's names, and no others.
    pub(super) otel: bool,
    /// There are gRPC calls.
    pub(super) grpc: bool,
}

/// gRPC codes that are the server's fault.
const FAULTS: &str = "Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss";

impl Names {
    pub(super) fn any_5xx(self) -> String {
        let failed = format!("sum(increase({}[2m])) > 0", self.failed());
        match self.grpc {
            true => {
                format!("{failed} or sum(increase(grpc_server_handled_total{{grpc_code=~\"{FAULTS}\"}}[2m])) > 0")
            }
            false => failed,
        }
    }

    pub(super) fn p99_slow(self) -> String {
        let buckets = match self.otel {
            true => "http_server_request_duration_seconds_bucket",
            false => "http_request_duration_seconds_bucket",
        };
        format!("histogram_quantile(0.99, sum by (le) (rate({buckets}[5m]))) > 1")
    }

    /// Under redpane's names the bundle records the rates.
    pub(super) fn fast_burn(self) -> String {
        if !self.otel {
            return "app:slo_availability:burn_rate5m > 14.4 and app:slo_availability:burn_rate1h > 14.4".into();
        }
        let burns = |time: &str| {
            let rate = |of: &str| format!("sum(rate({of}[{time}]))");
            format!("{} / {} > 14.4 * 0.001", rate(self.failed()), rate(self.requests()))
        };
        format!("{} and {}", burns("5m"), burns("1h"))
    }

    fn requests(self) -> &'static str {
        if self.otel { "http_server_request_duration_seconds_count" } else { "http_requests_total" }
    }

    fn failed(self) -> &'static str {
        match self.otel {
            true => "http_server_request_duration_seconds_count{http_response_status_code=~\"5..\"}",
            false => "http_requests_total{status=~\"5..\"}",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_ask_for_the_names_that_are_there() {
        let (own, otel) = (Names { otel: false, grpc: true }, Names { otel: true, grpc: false });
        let grpc = "sum(increase(grpc_server_handled_total{grpc_code=~\"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss\"}[2m])) > 0";
        assert_eq!(own.any_5xx(), format!("sum(increase(http_requests_total{{status=~\"5..\"}}[2m])) > 0 or {grpc}"));
        assert!(own.p99_slow().contains("(http_request_duration_seconds_bucket[5m])"));
        let count = "http_server_request_duration_seconds_count";
        let failed = format!("{count}{{http_response_status_code=~\"5..\"}}");
        assert_eq!(otel.any_5xx(), format!("sum(increase({failed}[2m])) > 0"));
        assert_eq!(
            otel.fast_burn(),
            format!(
                "sum(rate({failed}[5m])) / sum(rate({count}[5m])) > 14.4 * 0.001 and \
                 sum(rate({failed}[1h])) / sum(rate({count}[1h])) > 14.4 * 0.001"
            )
        );
    }
}

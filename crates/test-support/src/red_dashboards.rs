//! What two published dashboards ask of the HTTP metrics under OpenTelemetry's names: those of docker-otel-lgtm (Apache-2.0),
//! `docker/grafana-dashboard-red-metrics-classic.json` and `…-native.json`, as of commit 6b62ccecbf11 of grafana/docker-otel-lgtm.
//! Their queries take any spelling that the duration of requests ever had, of which redpane has the one of today.

/// A query of a panel, with the dashboard's drop-downs at *All*.
#[derive(Debug)]
pub struct PanelQuery {
    /// The title of its panel.
    pub panel: &'static str,
    /// The query, in PromQL.
    pub query: String,
}

/// Where Prometheus keeps classic histograms.
pub fn classic() -> Vec<PanelQuery> {
    let rate = |more| format!("sum(rate({}[5m]))", selector("_count", more));
    let buckets = format!("sum by (le) (rate({}[5m]))", selector("_bucket", ""));
    vec![
        panel("Request Rate", rate("")),
        panel("Error Rate", format!("{} / {}", rate(ERRORS), rate(""))),
        panel("Duration histogram (s)", buckets.clone()),
        panel("Duration Heatmap", buckets.clone()),
        panel("Duration percentiles", format!("histogram_quantile(0.95, {buckets})")),
        panel("Duration percentiles", format!("histogram_quantile(0.5, {buckets})")),
    ]
}

/// Where it keeps native ones.
pub fn native() -> Vec<PanelQuery> {
    let rate = |more| format!("rate({}[5m])", selector("", more));
    let count = |more| format!("sum(histogram_count({}))", rate(more));
    vec![
        panel("Request Rate", count("")),
        panel("Error Rate", format!("{} / {}", count(ERRORS), count(""))),
        panel("Duration Heatmap", format!("sum({})", rate(""))),
        panel("Duration percentiles", format!("histogram_quantile(0.95, sum({}))", rate(""))),
        panel("Duration percentiles", format!("histogram_quantile(0.5, sum({}))", rate(""))),
    ]
}

const ERRORS: &str = r#", http_response_status_code=~"5..""#;

fn panel(panel: &'static str, query: String) -> PanelQuery {
    PanelQuery { panel, query }
}

/// Every spelling of the metric, and the drop-downs `job` and `instance`.
fn selector(suffix: &str, more: &str) -> String {
    let spellings = [
        "http_server_request_duration_seconds",
        "http_server_request_duration",
        "http_server_duration_milliseconds",
        "http_server_duration_seconds",
        "http_server_duration",
    ];
    let names = spellings.map(|name| format!("{name}{suffix}")).join("|");
    format!(r#"{{__name__=~"{names}", job=~".+", instance=~".+"{more}}}"#)
}

//! Questions to Prometheus and Loki.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::bundle::Bundle;
use crate::http::{encode, get};

/// A set of labels.
pub(crate) type Labels = BTreeMap<String, String>;

/// A log line with its stream's labels and what the query took out of it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) labels: Labels,
    pub(crate) text: String,
}

impl Bundle {
    /// An instant query in PromQL.
    pub(crate) fn promql(&self, query: &str) -> Vec<(Labels, f64)> {
        samples(&get(self.prometheus, &format!("/api/v1/query?query={}", encode(query))).json())
    }

    /// The single value of an instant query in PromQL, 0 for none.
    pub(crate) fn promql_value(&self, query: &str) -> f64 {
        self.promql(query).first().map_or(0.0, |(_, value)| *value)
    }

    /// An instant query in LogQL that counts.
    pub(crate) fn logql(&self, query: &str) -> Vec<(Labels, f64)> {
        samples(&get(self.loki, &format!("/loki/api/v1/query?query={}", encode(query))).json())
    }

    /// The lines of the last hour that a LogQL query selects: at most what Loki gives at once.
    pub(crate) fn lines(&self, query: &str) -> Vec<Line> {
        lines(&get(self.loki, &lines_path(query)).json())
    }

    /// The same lines, through Grafana's proxy to the data source.
    pub(crate) fn lines_through_grafana(&self, query: &str) -> Vec<Line> {
        let path = format!("/api/datasources/proxy/uid/loki{}", lines_path(query));
        lines(&self.grafana("GET", &path, "").json())
    }
}

fn lines_path(query: &str) -> String {
    let start = now_seconds() - 3600;
    format!("/loki/api/v1/query_range?limit=10000&start={start}&query={}", encode(query))
}

/// Seconds since 1970.
pub(crate) fn now_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn samples(answer: &Value) -> Vec<(Labels, f64)> {
    let result = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("no result in {answer}"));
    let value = |sample: &Value| sample["value"][1].as_str().unwrap().parse().unwrap();
    result.iter().map(|sample| (labels(&sample["metric"]), value(sample))).collect()
}

fn lines(answer: &Value) -> Vec<Line> {
    let streams = answer["data"]["result"].as_array().unwrap_or_else(|| panic!("no result in {answer}"));
    let of_stream = |stream: &Value| {
        let labels = labels(&stream["stream"]);
        let entries = stream["values"].as_array().unwrap().clone();
        entries
            .into_iter()
            .map(move |entry| Line { labels: labels.clone(), text: entry[1].as_str().unwrap().to_owned() })
    };
    streams.iter().flat_map(of_stream).collect()
}

fn labels(value: &Value) -> Labels {
    let entries = value.as_object().unwrap().iter();
    entries.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

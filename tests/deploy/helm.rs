//! Helm, where it is installed.

use std::ffi::OsStr;
use std::process::Command;

use serde_json::{Value, json};
use test_support::is_required;

use crate::files;
use crate::manifests::Manifests;

/// Says that a test is skipped for want of `tool`, or fails where `REDPANE_TEST_REQUIRE` names it.
pub(crate) fn skip(tool: &str) {
    assert!(!is_required(tool), "REDPANE_TEST_REQUIRE names {tool}, which is not on the PATH");
    eprintln!("skipped: {tool} is not on the PATH");
}

/// Whether a program can be started.
pub(crate) fn installed(program: &str, argument: &str) -> bool {
    Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
}

/// Helm with the chart of the repository.
pub(crate) struct Helm;

/// Kinds that a cluster with the Prometheus Operator has.
pub(crate) const OPERATOR: [&str; 2] =
    ["monitoring.coreos.com/v1/ServiceMonitor", "monitoring.coreos.com/v1/PrometheusRule"];
/// The version that is rendered for unless a test says otherwise.
pub(crate) const KUBERNETES: &str = "1.31.0";

impl Helm {
    pub(crate) fn find() -> Option<Self> {
        if installed("helm", "version") {
            return Some(Self);
        }
        skip("helm");
        None
    }

    /// Standard output, or standard error of a call that failed.
    pub(crate) fn run(&self, arguments: &[&dyn AsRef<OsStr>]) -> Result<String, String> {
        let output = Command::new("helm").args(arguments).output().expect("helm starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    /// What `helm template shop` prints for these values, in the namespace `store`.
    pub(crate) fn text(&self, values: &Value, kubernetes: &str, kinds: &[&str]) -> Result<String, String> {
        let chart = files::path(files::CHART);
        let given = values_file(values);
        let mut arguments: Vec<&dyn AsRef<OsStr>> = vec![
            &"template",
            &"shop",
            &chart,
            &"--namespace",
            &"store",
            &"--values",
            &given,
            &"--kube-version",
            &kubernetes,
        ];
        for kind in kinds {
            arguments.extend([&"--api-versions" as &dyn AsRef<OsStr>, kind]);
        }
        let printed = self.run(&arguments);
        std::fs::remove_file(&given).expect("the values were written");
        printed
    }

    /// The objects that the chart makes with these values.
    pub(crate) fn render(&self, values: Value) -> Manifests {
        self.render_for(values, KUBERNETES, &[])
    }

    pub(crate) fn render_for(&self, values: Value, kubernetes: &str, kinds: &[&str]) -> Manifests {
        let text = self.text(&values, kubernetes, kinds).unwrap_or_else(|error| panic!("{values}: {error}"));
        Manifests::parse(&text)
    }

    /// Everything on.
    pub(crate) fn everything(&self) -> Manifests {
        self.render(json!({
            "autoscaling": {"enabled": true, "requestsPerSecond": 100},
            "serviceMonitor": {"enabled": true},
            "prometheusRule": {"enabled": true, "alerts": true},
            "grafana": {"url": "https://grafana.example.org"},
        }))
    }
}

/// A file with these values. JSON is YAML too.
fn values_file(values: &Value) -> std::path::PathBuf {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = format!("values-{}-{}.yaml", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&file, values.to_string()).expect("the folder for temporary files can be written");
    file
}

//! Two dashboards that others have published for OpenTelemetry's names, beside the bundle's own: with `REDPANE_METRIC_NAMES=both`
//! every panel of them has data, in the bundle's Prometheus, and in one that keeps native histograms.

use std::path::PathBuf;

use test_support::red_dashboards::{PanelQuery, classic, native};

use crate::bundle::{Bundle, docker, eventually};
use crate::http::{Request, encode, send};
use crate::traffic::send_mix;

/// For the load, two scrapes of it, and a Prometheus that starts.
const SECONDS: u64 = 120;

pub(crate) fn published_dashboards_have_data(bundle: &Bundle) {
    bundle.up_with(&[("REDPANE_METRIC_NAMES", "both")]);
    let other = Native::start(bundle);
    for (port, queries) in [(bundle.prometheus, classic()), (other.port, native())] {
        for PanelQuery { panel, query } in &queries {
            eventually(&format!("{panel} has data: {query}"), SECONDS, || {
                send_mix(bundle, "red", 16);
                has_data(port, query)
            });
        }
        println!("  {} queries have data", queries.len());
    }
    assert!(bundle.promql_value("count(http_requests_total)") > 0.0, "the bundle's own names are there too");
}

/// Whether an answer has a value, and none that is not a number.
fn has_data(port: u16, query: &str) -> Result<(), String> {
    let path = format!("/api/v1/query?query={}", encode(query));
    let request = Request { method: "GET", path: &path, headers: &[], body: "" };
    let answer = send(port, &request).map_err(|error| error.to_string())?;
    if answer.status != 200 {
        return Err(answer.body);
    }
    let result = answer.json()["data"]["result"].clone();
    let filled = result.as_array().is_some_and(|series| !series.is_empty());
    if filled && !answer.body.contains("NaN") { Ok(()) } else { Err(answer.body) }
}

/// A second Prometheus on the bundle's network, which converts the histograms that it scrapes. Gone when it is dropped.
struct Native {
    name: String,
    config: PathBuf,
    port: u16,
}

impl Native {
    fn start(bundle: &Bundle) -> Self {
        let config = std::env::temp_dir().join(format!("{}-native.yml", bundle.project));
        let text = "global: {scrape_interval: 5s}\n\
                    scrape_configs:\n\
                    - job_name: api\n\
                    \x20 convert_classic_histograms_to_nhcb: true\n\
                    \x20 dns_sd_configs: [{names: [api], type: A, port: 8000, refresh_interval: 5s}]\n";
        std::fs::write(&config, text).unwrap();
        let containers = bundle.containers();
        let own = containers.iter().find(|container| container["Service"] == "prometheus").unwrap();
        let name = format!("{}-native", bundle.project);
        let network = format!("{}_default", bundle.project);
        let mount = format!("{}:/etc/prometheus/prometheus.yml:ro,z", config.display());
        let image = own["Image"].as_str().unwrap();
        // Before anything can fail: what was begun is taken away.
        let mut native = Self { name, config, port: 0 };
        let name = native.name.as_str();
        let run = ["run", "-d", "--name", name, "--network", &network, "-p", "127.0.0.1::9090", "-v", &mount, image];
        printed(&run);
        let address = printed(&["port", name, "9090/tcp"]);
        native.port = address.trim().rsplit_once(':').unwrap().1.parse().unwrap();
        eventually("the second Prometheus is ready", SECONDS, || {
            let up = has_data(native.port, "up{job=\"api\"} == 1");
            up.map_err(|body| format!("no target is up: {body}"))
        });
        native
    }
}

fn printed(arguments: &[&str]) -> String {
    let output = docker(arguments).unwrap();
    assert!(output.status.success(), "docker {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Drop for Native {
    fn drop(&mut self) {
        drop(docker(&["rm", "--force", "--volumes", &self.name]));
        drop(std::fs::remove_file(&self.config));
    }
}

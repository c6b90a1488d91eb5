//! The real scraper: Debian's Prometheus finds the service, and the two queries that users rely on give values.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use test_support::process::{Process, Reading, free_address, listening};
use test_support::red_dashboards::{self, PanelQuery};
use test_support::{client, eventually, is_required};

use super::redpane;

/// As they stand in docs/bundle.md.
const ERRORS: &str = r#"sum(rate(http_requests_total{status=~"5.."}[2m])) > 0"#;
const QUANTILE: &str = "histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket[5m])) by (le))";

/// A directory of one test, removed with everything in it.
pub(super) struct Directory(pub(super) PathBuf);

impl Directory {
    pub(super) fn new(name: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("redpane-{name}-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What is left in a directory for temporary files does no harm.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn is_installed() -> bool {
    let asked = Command::new("prometheus").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let installed = asked.is_ok_and(|status| status.success());
    assert!(
        installed || !is_required("prometheus"),
        "REDPANE_TEST_REQUIRE asks for prometheus, which is not installed"
    );
    installed
}

fn start(directory: &Path, target: SocketAddr) -> (Process, SocketAddr) {
    let config = format!(
        "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n\
         scrape_configs:\n- job_name: api\n  static_configs:\n  - targets: ['{target}']\n"
    );
    let file = directory.join("prometheus.yml");
    std::fs::write(&file, config).unwrap();
    let address = free_address();
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .args(["--enable-feature=exemplar-storage", "--log.level=warn"]);
    (Process::spawn(command, Reading::AsItComes), address)
}

/// Asks the HTTP API; `None` while there is nobody to answer.
async fn ask(address: SocketAddr, path: &str) -> Option<Value> {
    std::net::TcpStream::connect(address).ok()?;
    let answer = client::get(address, path).await;
    let answer: Value = serde_json::from_slice(&answer.body).ok()?;
    (answer["status"] == "success").then(|| answer["data"].clone())
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}

/// The value of a query with one result, once it has one and that is a number.
async fn value(address: SocketAddr, query: &str) -> f64 {
    eventually(&format!("{query} has a value"), async || {
        let data = ask(address, &format!("/api/v1/query?query={}", encode(query))).await?;
        let value: f64 = data["result"][0]["value"][1].as_str()?.parse().ok()?;
        assert_eq!(data["result"].as_array()?.len(), 1, "{data}");
        value.is_finite().then_some(value)
    })
    .await
}

/// What other dashboards for OpenTelemetry's names ask.
const OTEL: [&str; 2] = [
    r#"sum(rate(http_server_request_duration_seconds_count{http_route="/hello/{name}",http_request_method="GET",url_scheme="http"}[2m])) > 0"#,
    r#"sum by (service_name) (target_info{service_name="api"})"#,
];

#[tokio::test]
async fn dashboards_for_opentelemetrys_names_have_data() {
    if !is_installed() {
        return std::io::stderr().write_all(b"skipped: prometheus is not installed\n").unwrap();
    }
    let directory = Directory::new("prometheus");
    let variables = [("REDPANE_FAULTS", "1"), ("REDPANE_METRIC_NAMES", "both")];
    let (_service, service) = listening(redpane(&[], &variables), Reading::AsItComes).await;
    let (_prometheus, address) = start(&directory.0, service);
    let before = r#"sum(http_server_request_duration_seconds_count{http_route="/hello/{name}"})"#;
    assert_eq!(value(address, before).await, 0.0);
    for path in ["/faults/status/500", "/hello/ada"] {
        client::get(service, path).await;
    }
    for query in OTEL {
        value(address, query).await;
    }
    for PanelQuery { panel, query } in red_dashboards::classic() {
        // Of many buckets their number, which is that of the bounds and the one without.
        let (query, least) = match query.starts_with("sum by (le)") {
            true => (format!("count({query} >= 0)"), 15.0),
            false => (format!("{query} > 0"), 0.0),
        };
        assert!(value(address, &query).await >= least, "{panel}: {query}");
    }
}

#[tokio::test]
async fn the_target_is_up_and_both_queries_give_values() {
    if !is_installed() {
        // Past the capture of the test's own output: who runs the tests must see that this one did not run.
        return std::io::stderr().write_all(b"skipped: prometheus is not installed\n").unwrap();
    }
    let directory = Directory::new("prometheus");
    let (_service, service) = listening(redpane(&[], &[("REDPANE_FAULTS", "1")]), Reading::AsItComes).await;
    let (prometheus, address) = start(&directory.0, service);
    let up = eventually("the target is up", async || {
        let data = ask(address, "/api/v1/targets").await;
        assert!(data.is_some() || !prometheus.errors().contains("level=error"), "{}", prometheus.errors());
        let target = data?["activeTargets"][0].clone();
        (target["health"] == "up").then_some(target)
    });
    assert_eq!(up.await["lastError"], "");
    assert_eq!(value(address, r#"http_requests_total{route="/faults/status/{code}",status="500"}"#).await, 0.0);

    let mut traces = Vec::new();
    for path in ["/faults/status/500", "/hello/ada", "/faults/panic", "/faults/delay/30"] {
        traces.push(client::get(service, path).await.header("x-trace-id").to_owned());
    }
    assert!(value(address, ERRORS).await > 0.0, "the first error is seen");
    let seconds = value(address, QUANTILE).await;
    assert!((0.0..=10.0).contains(&seconds), "{seconds} s");
    assert_eq!(value(address, "sum(process_resident_memory_bytes > bool 0)").await, 1.0);

    let exemplars = format!(
        "/api/v1/query_exemplars?query={}&start=0&end=9999999999",
        encode(r#"http_request_duration_seconds_bucket{route="/faults/delay/{ms}"}"#)
    );
    let trace_id = eventually("there is an exemplar", async || {
        let data = ask(address, &exemplars).await?;
        Some(data[0]["exemplars"][0]["labels"]["trace_id"].as_str()?.to_owned())
    });
    assert_eq!(trace_id.await, traces[3], "it leads to the request");
}

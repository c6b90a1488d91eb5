//! The disk under Loki fills up and has room again: what was written meanwhile waits, and arrives.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

use serde_json::Value;

use crate::bundle::{Bundle, docker, eventually};
use crate::traffic::{Traffic, send_mix};

/// A volume of its own in memory, in the place of Loki's: the disk of whoever runs this must not be filled.
const OVERRIDE: &str = "services: {loki: {volumes: [\"loki-small:/loki\"]}}
volumes: {loki-small: {driver: local, driver_opts: {type: tmpfs, device: tmpfs, o: \"size=64m\"}}}
";
/// Leaves 2 MB of 64 MB, which is more than Loki takes in before it looks at its disk again, and less than 5 %.
const FILL: &str = "free=$(df -Pk /loki | tail -n 1 | awk '{print $4}')
dd if=/dev/zero of=/loki/filler bs=1024 count=$((free - 2048)) 2>/dev/null";

/// The small volume, and what it takes to use it.
struct SmallDisk<'a> {
    bundle: &'a Bundle,
    /// What the volume is called outside of Compose.
    volume: String,
    shell: String,
    file: PathBuf,
}

impl<'a> SmallDisk<'a> {
    fn new(bundle: &'a Bundle) -> Self {
        let volume = format!("{}_loki-small", bundle.project);
        let file = std::env::temp_dir().join(format!("{}-small-disk.yml", std::process::id()));
        Self { bundle, volume, shell: bundle.image_with_shell(), file }
    }

    /// Starts Loki on it, empty.
    fn mount(&self) {
        std::fs::write(&self.file, OVERRIDE).unwrap();
        let own = self.bundle.collector.compose_files();
        let files: Vec<_> = own.split(':').chain(self.file.to_str()).flat_map(|file| ["-f", file]).collect();
        self.bundle.compose(&[&files[..], &["up", "-d", "--wait", "--no-deps", "loki"]].concat());
    }

    /// Gives Loki its own volume back.
    fn remove(&self) {
        self.bundle.compose(&["up", "-d", "--wait", "--no-deps", "loki"]);
        let output = docker(&["volume", "rm", "--force", &self.volume]).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        drop(std::fs::remove_file(&self.file));
    }

    /// Runs a script in a container that has the volume too.
    fn run(&self, script: &str) {
        let mount = format!("{}:/loki", self.volume);
        let run =
            ["run", "--rm", "--network", "none", "--user", "0:0", "--entrypoint", "sh", "-v", &mount, &self.shell];
        let output = docker(&[&run[..], &["-ec", script]].concat()).unwrap();
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

pub(crate) fn nothing_is_lost_while_the_disk_is_full(bundle: &Bundle) {
    let small = SmallDisk::new(bundle);
    // The steps after this one need Loki's own volume, whatever was seen here.
    let seen = catch_unwind(AssertUnwindSafe(|| fills_up(bundle, &small)));
    small.remove();
    seen.unwrap_or_else(|panic| resume_unwind(panic));
}

fn fills_up(bundle: &Bundle, small: &SmallDisk<'_>) {
    small.mount();
    let refused =
        || bundle.promql_value(r#"sum(promtail_request_duration_seconds_count{status_code="500"}) or vector(0)"#);
    let before = refused();
    let traffic = Traffic::start(bundle, "full-disk");
    eventually("lines reach the small disk", 60, || {
        if bundle.logged_ids("full-disk").is_empty() { Err("no line".to_owned()) } else { Ok(()) }
    });
    small.run(FILL);
    eventually("Loki refuses lines", 60, || {
        let now = refused();
        if now > before { Ok(()) } else { Err(format!("{now} pushes were answered 500, as before")) }
    });
    let sent = traffic.stop();
    assert!(sent.unanswered.is_empty(), "a full disk must not matter to clients: {:?}", sent.unanswered);
    let usage = the_alert_sees_it(bundle);
    let waiting = sent.answered.len() - bundle.logged_ids("full-disk").len();
    assert!(waiting > 0, "no line waits, so nothing was tried");

    small.run("rm /loki/filler");
    bundle.expect_lines("full-disk", &sent);
    let after = send_mix(bundle, "full-after", 80);
    bundle.expect_lines("full-after", &after);
    println!("  disk {usage:.1} % full: {waiting} of {} lines waited, and all arrived, once", sent.answered.len());
}

/// Waits until the query of the alert *Loki disk* is over its threshold and the alert waits for its five minutes; gives what
/// the query says.
fn the_alert_sees_it(bundle: &Bundle) -> f64 {
    let rule = bundle.grafana("GET", "/api/v1/provisioning/alert-rules/loki-disk", "").json();
    let data = |name: &str| rule["data"].as_array().unwrap().iter().find(|data| data["refId"] == name).unwrap();
    let query = data("A")["model"]["expr"].as_str().unwrap();
    let threshold = data("C")["model"]["conditions"][0]["evaluator"]["params"][0].as_f64().unwrap();
    let usage = eventually("the query of the alert is over its threshold", 60, || {
        let usage = bundle.promql_value(query);
        if usage > threshold { Ok(usage) } else { Err(format!("{usage}, threshold {threshold}")) }
    });
    eventually("the alert is no longer quiet", 60, || {
        let answer = bundle.grafana("GET", "/api/prometheus/grafana/api/v1/rules", "").json();
        let groups = answer["data"]["groups"].as_array().unwrap();
        let mut rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        let state = rules.find(|rule| rule["name"] == "Loki disk").map_or(&Value::Null, |rule| &rule["state"]);
        if state == "pending" || state == "firing" { Ok(()) } else { Err(format!("its state is {state}")) }
    });
    usage
}

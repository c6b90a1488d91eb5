//! `scripts/check-settings.sh`, which names every bad value before anything starts.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use redpane_service::settings::{Config, Role};

use crate::files::{Bundle, scalar};
use crate::findings::Findings;

/// A folder of its own with a `.env`, deleted at the end.
struct Folder(PathBuf);

impl Folder {
    fn with(env: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("env-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        std::fs::write(folder.join(".env"), env).expect("the file can be written");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The exit code of the check of these values, and what it said.
fn check(folder: &Path, values: &str) -> (Option<i32>, String) {
    let script = Bundle::repository().root().join("scripts/check-settings.sh");
    let output = Command::new("sh").arg(script).arg(folder).env("SETTINGS", values).output().expect("sh starts");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// The values that docker-compose.yml hands to the check, with every variable at its default.
fn defaults() -> String {
    let compose = Bundle::repository().value("docker-compose.yml", &mut Findings::default()).expect("it parses");
    let lines = scalar(&compose["services"]["settings"]["build"]["args"]["SETTINGS"]);
    let value = |line: &str| {
        let (name, value) = line.split_once('=').expect("NAME=${NAME:-default}");
        let default = value.split_once(":-").and_then(|(_, default)| default.strip_suffix('}')).expect("a default");
        format!("{name}={default}\n")
    };
    lines.lines().map(value).collect()
}

#[test]
fn the_defaults_pass_and_every_variable_of_the_example_is_checked() {
    let values = defaults();
    assert_eq!(check(&Folder::with("").0, &values), (Some(0), String::new()));
    let example = Bundle::repository().text(".env.example", &mut Findings::default()).expect("it is there");
    let named = |line: &str| Some(line.trim_start_matches('#').split_once('=')?.0.to_owned());
    let names: BTreeSet<String> = example.lines().filter_map(named).filter(|name| !name.contains(' ')).collect();
    // Any text is right for these: the password is looked at in the file itself.
    let any = ["GRAFANA_ADMIN_PASSWORD", "REDPANE_IMAGE", "REVISION"];
    for name in names.iter().filter(|name| !any.contains(&name.as_str())) {
        assert!(values.contains(&format!("{name}=")), "docker-compose.yml does not hand {name} to the check");
    }
}

#[test]
fn every_bad_value_is_named_with_what_would_be_right() {
    let cases = [
        ("GRAFANA_ANONYMOUS", "yes", "must be true or false"),
        ("GRAFANA_ROOT_URL", "grafana.example", "must be a URL that starts with http:// or https://"),
        ("SLACK_WEBHOOK_URL", "hooks.slack.com/x", "must be a URL that starts with http:// or https://"),
        ("ALERT_WEBHOOK_URL", "https://a b", "must be a URL without spaces"),
        ("PAGERDUTY_ROUTING_KEY", "no key!", "is \"(not shown)\": must be the letters and digits"),
        ("API_PORT", "80000", "must be a whole number from 1 to 65535"),
        ("LOKI_PORT", "9090", "must be another port than PROMETHEUS_PORT"),
        ("PROMETHEUS_RETENTION_TIME", "15", "must be a duration of at least 1h"),
        ("PROMETHEUS_RETENTION_SIZE", "5", "must be a size such as 512MB or 5GB"),
        ("LOKI_RETENTION", "1h", "must be a duration of at least 24h"),
        ("LOKI_RETENTION", "23h59m", "must be a duration of at least 24h"),
        ("LOKI_RETENTION", "7d 2h", "without spaces"),
        ("PROMETHEUS_RETENTION_TIME", "12h1d", "units from the largest to the smallest"),
        ("PROMETHEUS_RETENTION_SIZE", "00GB", "must be a size such as 512MB or 5GB"),
        ("REDPANE_UPSTREAM", "https://orders", "must be a base URL that starts with http://"),
        ("REDPANE_UPSTREAM", "http://me:x@orders", "must be a base URL that starts with http://"),
        ("REDPANE_ACCESS_SAMPLE", "1.5", "must be a number from 0 to 1"),
        ("REDPANE_ACCESS_SAMPLE", "10%", "must be a number from 0 to 1"),
        ("REDPANE_ACCESS_SLOW", "1", "must be a duration with its unit from 0s to 1h"),
        ("REDPANE_METRIC_NAMES", "prometheus", "must be one of: redpane otel both"),
        ("REDPANE_TRUSTED_PROXIES", "999.1.1.1/64", "must be IP addresses and networks"),
        ("REDPANE_TRUSTED_PROXIES", "10.0.0.0/33", "must be IP addresses and networks"),
        ("REDPANE_TRUSTED_PROXIES", "010.0.0.1", "must be IP addresses and networks"),
        ("REDPANE_TRUSTED_PROXIES", "fc00::/129", "must be IP addresses and networks"),
        ("REDPANE_TRUSTED_PROXIES", "fc00:::/7", "must be IP addresses and networks"),
        ("REDPANE_TRUSTED_PROXIES", "abcd::dead::1", "must be IP addresses and networks"),
        ("TEMPO_RETENTION", "7d", "must be a duration of at least 1h in h, m and s"),
        ("TEMPO_RETENTION", "59m", "must be a duration of at least 1h in h, m and s"),
        ("PROMETHEUS_RETENTION_SIZE", "10EB", "below 8EB"),
        ("PROMETHEUS_RETENTION_SIZE", "8EB", "below 8EB"),
        ("REDPANE_PROXY_PROTOCOL_FROM", "gateway", "must be IP addresses and networks"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote", "must be one of: always_on always_off traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "2", "must be a number from 0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "10%", "must be a number from 0 to 1"),
        ("OTEL_SDK_DISABLED", "off", "must be one of: true false"),
        ("LOGGING_FILTER", "a b", "must be a container label, or label=value"),
        ("DOCKER_SOCKET", "docker.sock", "must be the path of the Docker daemon's socket"),
    ];
    let folder = Folder::with("GRAFANA_ADMIN_PASSWORD=p$ss\n");
    for (name, value, expected) in cases {
        let values: String = defaults()
            .lines()
            .filter(|line| !line.starts_with(&format!("{name}=")))
            .fold(String::new(), |values, line| values + line + "\n");
        let (code, said) = check(&folder.0, &format!("{values}{name}={value}\n"));
        assert_eq!(code, Some(64), "{name}={value}: {said}");
        let line = said.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default();
        assert!(line.contains(expected), "{name}={value}: {said}");
        assert!(said.contains("GRAFANA_ADMIN_PASSWORD has a $ in .env"), "all are named at once: {said}");
        assert_eq!(said.matches(": must be").count(), 1, "and no other: {said}");
    }
    for right in ["0", "1", "0.1", "1.0", ".5", "0.001"] {
        assert_eq!(check(&Folder::with("").0, &format!("OTEL_TRACES_SAMPLER_ARG={right}\n")).0, Some(0), "{right}");
    }
    for right in ["24h", "1d", "168h", "2w", "1y", "1d12h"] {
        assert_eq!(check(&Folder::with("").0, &format!("LOKI_RETENTION={right}\n")).0, Some(0), "{right}");
    }
}

#[test]
fn a_dollar_in_a_secret_is_right_where_compose_leaves_it_alone() {
    for (env, code) in [
        ("GRAFANA_ADMIN_PASSWORD=p$ss", 64),
        ("GRAFANA_ADMIN_PASSWORD=\"p$ss\"", 64),
        ("export GRAFANA_ADMIN_PASSWORD = p${ss}", 64),
        ("GRAFANA_ADMIN_PASSWORD='p$ss'", 0),
        ("GRAFANA_ADMIN_PASSWORD=p\\$ss", 64),
        ("GRAFANA_ADMIN_PASSWORD=\"p\\$ss\"", 0),
        ("GRAFANA_ADMIN_PASSWORD=p$$ss", 0),
        ("GRAFANA_ADMIN_PASSWORD=p$$$ss", 64),
        ("GRAFANA_ADMIN_PASSWORD=secret # costs $five", 0),
        ("GRAFANA_ADMIN_PASSWORD=secret#costs$five", 64),
        ("#GRAFANA_ADMIN_PASSWORD=p$ss", 0),
        ("OTHER=p$ss", 0),
    ] {
        let (found, said) = check(&Folder::with(&format!("{env}\n")).0, "");
        assert_eq!(found, Some(code), "{env}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn files_that_only_their_owner_may_read_are_named() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with("");
    let file = folder.0.join("prometheus.yml");
    std::fs::write(&file, "").expect("the file can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("it has modes");
    let (code, said) = check(&folder.0, "");
    assert_eq!(code, Some(64));
    assert!(said.contains("prometheus.yml") && said.contains("chmod -R go+rX ."), "{said}");
    // A `.env` with passwords in it should be closed.
    std::fs::remove_file(&file).expect("it is there");
    std::fs::set_permissions(folder.0.join(".env"), std::fs::Permissions::from_mode(0o600)).expect("it has modes");
    assert_eq!(check(&folder.0, ""), (Some(0), String::new()));
}

/// The check and the service must not disagree: one would stop what the other takes.
#[test]
fn the_check_refuses_what_the_service_refuses() {
    let variables: Vec<String> =
        defaults().lines().filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect();
    let samples = [
        "",
        "0",
        "1",
        "2",
        "08",
        "-1",
        "1000000",
        "1000001",
        "0s",
        "1s",
        "30s",
        "1m 30s",
        "1h",
        "1h1s",
        "61m",
        "9ms",
        "10ms",
        "500ms",
        "1000us",
        "5",
        "3x",
        "10.0.0.0/33",
        "10.0.0.0/32",
        "10.0.0.0/08",
        "255.255.255.255,300.1.1.1",
        "010.0.0.1",
        "fc00::/129",
        "fc00::/7, ::1, 1:2:3:4:5:6:7:8, ::ffff:10.0.0.1, 1::/128, ::",
        "1:2:3:4:5:6:10.0.0.1",
        "fc00:::/7",
        "abcd::dead::1",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3",
        ":1",
        "1MiB",
        "1 MiB",
        "1mb",
        "63KiB",
        "64KiB",
        "65536",
        "1GiB",
        "2GiB",
        "true",
        "FALSE",
        "yes",
        "drop",
        "Block",
        "wait",
        "info",
        "info,x=warn",
        "inof",
        "x=",
        " info , a = debug",
        ",",
        "a=b=info",
        "10.0.0.0/8, ::1,",
        "gateway",
        "10.0.0/8",
        "errors, slow,",
        "errors slow",
        "none",
        "none,slow",
        "0.1",
        ".5",
        "1.",
        "1.5",
        "1e-3",
        "1e3",
        "NaN",
    ];
    let folder = Folder::with("");
    for sample in samples {
        let ours = || variables.iter().filter(|variable| variable.starts_with("REDPANE_"));
        let values: String = ours().map(|variable| format!("{variable}={sample}\n")).collect();
        let (_, said) = check(&folder.0, &values);
        for variable in ours() {
            let source = |name: &str| (name == variable).then(|| OsString::from(sample));
            let taken = Config::read(Role::Serve, &source).is_ok();
            let refused = said.lines().any(|line| line.trim_start().starts_with(&format!("{variable} is ")));
            assert_eq!(refused, !taken, "{variable}={sample:?}: {said}");
        }
    }
}

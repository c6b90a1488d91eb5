//! All attacks one after the other on one service in a container with little memory: it stays up. Needs Docker; skipped where
//! there is none, unless `REDPANE_TEST_REQUIRE` names `docker`.

use std::process::Command;

use test_support::{client, is_required};

use crate::expected::{Expected, Shown};
use crate::service::Service;
use crate::trial::{Row, alone};
use crate::{floods, idle, malformed, slow, turns, unread};

/// What the container may use, swap included.
const MEMORY: &str = "64m";
const SETTINGS: [(&str, &str); 5] = [
    ("REDPANE_CLIENT_MEMORY", "8MiB"),
    // Each takes some 20 KiB that nobody counts.
    ("REDPANE_MAX_CONNECTIONS", "256"),
    ("REDPANE_LOG_BUFFER_BYTES", "4MiB"),
    ("REDPANE_REQUEST_TIMEOUT", "1s"),
    ("REDPANE_HEADER_TIMEOUT", "2s"),
];

/// Where connections are few, who idles makes room, and less is cut.
const GROWN_HEADS: Expected = Expected { grows: 0, shown: &[Shown::Lines("GET /hello/{name}", 300), Shown::Sent(20)] };
const MANY_STREAMS: Expected =
    Expected { grows: 0, shown: &[Shown::Lines("GET /hello/{name}", 500), Shown::Cut(500.0)] };

/// An image and a container of this name, removed with it.
struct Container {
    name: String,
}

impl Container {
    /// An image of the program and the libraries it loads, and nothing else. `None` where Docker does not run.
    fn image() -> Option<Self> {
        if !run("docker", &["version", "--format", "{{.Server.Version}}"]).0 {
            assert!(!is_required("docker"), "REDPANE_TEST_REQUIRE names docker, and no daemon answers");
            return None;
        }
        let container = Self { name: format!("redpane-hostile-{}", std::process::id()) };
        // A program with its libraries in it names none, and ldd fails.
        let files = r#"{ ldd "$1" | grep -o '/[^ ]*'; echo "$1"; } | tar --create --dereference --files-from=- --absolute-names"#;
        let import = format!("{files} | docker import - \"$2\"");
        let (is_made, output) = run("sh", &["-c", &import, "sh", env!("CARGO_BIN_EXE_redpane"), &container.name]);
        assert!(is_made, "{output}");
        Some(container)
    }

    /// Ends up as the service.
    fn command(&self) -> Command {
        let mut command = Command::new("docker");
        command.args(["run", "--rm", "--name", &self.name, "--network", "host"]);
        command.args(["--memory", MEMORY, "--memory-swap", MEMORY, "--env", "REDPANE_LISTEN=127.0.0.1:0"]);
        for (name, value) in SETTINGS {
            command.args(["--env", &format!("{name}={value}")]);
        }
        command.args([&self.name, env!("CARGO_BIN_EXE_redpane")]);
        command
    }

    fn inspect(&self, format: &str) -> String {
        let (is_there, output) = run("docker", &["inspect", "--format", format, &self.name]);
        assert!(is_there, "the container is gone: {output}");
        output.trim().to_owned()
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        run("docker", &["rm", "--force", &self.name]);
        run("docker", &["rmi", &self.name]);
    }
}

/// Whether a command ended well, and what it printed.
fn run(program: &str, arguments: &[&str]) -> (bool, String) {
    match Command::new(program).args(arguments).output() {
        Ok(output) => {
            let printed = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
        }
        Err(error) => (false, error.to_string()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[allow(clippy::print_stderr, reason = "whoever reads the result must know that this was not tried")]
async fn attacks_one_after_the_other_in_a_container_of_64_mb() {
    let Some(container) = Container::image() else {
        eprintln!("skipped: no Docker daemon answers");
        return;
    };
    let _alone = alone().await;
    let mut service = Service::run(container.command()).await;
    let pid = container.inspect("{{.State.Pid}}");
    service.pid = pid.parse().unwrap();
    let descriptors = service.at_rest(None).await.value("process_open_fds", &[]);
    let rows = [
        Row::of("echoes of 1 MiB that nobody reads", &mut service, &unread::DEAF, unread::deaf).await,
        Row::of("pipelines that nobody reads", &mut service, &unread::PIPELINES, unread::pipelines).await,
        Row::of("scrapes without a window", &mut service, &unread::SCRAPES, unread::scrapes).await,
        Row::of("echoes without a window", &mut service, &unread::ECHOES, unread::echoes).await,
        Row::of("bodies that drip", &mut service, &slow::BODIES, slow::bodies).await,
        Row::of("heads without an end", &mut service, &slow::HEADS, slow::heads).await,
        Row::of("heads of 1.9 MB", &mut service, &slow::LARGE_HEADS, slow::large_heads).await,
        Row::of("idle but for pings", &mut service, &idle::IDLE, idle::pings).await,
        Row::of("idle and silent", &mut service, &idle::IDLE, idle::silence).await,
        Row::of("streams opened and reset", &mut service, &floods::RESETS, floods::resets).await,
        Row::of("answers reset as they begin", &mut service, &floods::LATE_RESETS, floods::late_resets).await,
        Row::of("windows that change", &mut service, &floods::WINDOWS, floods::windows).await,
        Row::of("heads continued without an end", &mut service, &floods::CONTINUATIONS, floods::continuations).await,
        Row::of("small answers without a window", &mut service, &MANY_STREAMS, unread::streams).await,
        Row::of("probes without a window", &mut service, &turns::PROBES, turns::probes).await,
        Row::of("pipelines that are read", &mut service, &turns::READ, turns::small).await,
        Row::of("pipelines of large heads", &mut service, &turns::LARGE, turns::large).await,
        Row::of("many small objects", &mut service, &turns::OBJECTS, turns::objects).await,
        Row::of("clients that come again", &mut service, &idle::BACK, idle::returning).await,
        Row::of("connections that grew and idle", &mut service, &GROWN_HEADS, idle::grown).await,
    ];
    malformed::pass(&mut service, descriptors).await;
    let faults: Vec<_> = rows.iter().flat_map(|row| &row.faults).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(container.inspect("{{.State.OOMKilled}} {{.State.Pid}}"), format!("false {pid}"));
    assert_eq!(client::get(service.address, "/healthz").await.status, 200);
    service.process.signal("TERM");
    assert_eq!(service.process.exit_code().await, 0, "{}", service.process.errors());
}

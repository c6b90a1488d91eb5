//! Parts of the bundle restart while requests come in, and the counts still agree.

use std::cell::Cell;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::bundle::{Bundle, REPLICAS, docker, eventually};
use crate::counts::CLIENTS_ONLY;
use crate::spans;
use crate::traffic::{Sent, Traffic, send_mix};

/// Traffic before and after the restart.
const AROUND: Duration = Duration::from_secs(6);
/// How often everything restarts.
const ROUNDS: usize = 3;

pub(crate) fn nothing_is_lost_when_parts_restart(bundle: &Bundle) {
    // So that each service has sent spans, whichever steps ran before.
    spans::check_out(bundle);
    for service in ["loki", bundle.collector.service(), "prometheus", "tempo"] {
        let total = || bundle.promql_value(&format!(r#"sum(http_requests_total{{app="api", {CLIENTS_ONLY}}})"#));
        // What was sent before must have been scraped.
        sleep(AROUND);
        let before = total();
        let sent = around(bundle, service, || drop(bundle.compose(&["restart", service])));
        assert!(sent.unanswered.is_empty(), "{service} must not matter to clients: {:?}", sent.unanswered);
        let expected = before + sent.answered.len() as f64;
        eventually("the counters are what was sent", 60, || {
            let counted = total();
            if counted == expected { Ok(()) } else { Err(format!("{counted}, not {expected}")) }
        });
        println!("  {service} restarted: {} answered = counted = lines", sent.answered.len());
        if service == "tempo" {
            spans::every_request_has_its_span(bundle, &sent);
        }
    }
    a_replica_restarts(bundle);
}

/// Sends while `restart` runs, and checks the lines.
fn around(bundle: &Bundle, service: &str, restart: impl FnOnce()) -> Sent {
    let prefix = format!("restart-{service}");
    let traffic = Traffic::start(bundle, &prefix);
    sleep(AROUND);
    restart();
    bundle.wait_until_healthy();
    sleep(AROUND);
    let sent = traffic.stop();
    bundle.expect_lines(&prefix, &sent);
    sent
}

/// Its counters begin again at 0, so what remains to compare are its lines, and both of the other replicas.
fn a_replica_restarts(bundle: &Bundle) {
    let containers = bundle.containers();
    let replica: &Value = containers.iter().find(|one| one["Service"] == "api").unwrap();
    let name = replica["Name"].as_str().unwrap();
    let own_instance = format!(r#"sum by (instance) (count_over_time({{app="api", container="{name}"}}[1h]))"#);
    let instance = bundle.logql(&own_instance)[0].0["instance"].clone();
    let counters = || {
        let query =
            format!(r#"sum by (instance) (http_requests_total{{app="api", instance!="{instance}", {CLIENTS_ONLY}}})"#);
        bundle.promql(&query)
    };
    let before = counters();
    let sent = around(bundle, "api", || bundle.restart(name));
    println!("  {name} restarted: {} answered = lines; unanswered: {:?}", sent.answered.len(), sent.unanswered);
    assert!(sent.unanswered.is_empty(), "a graceful restart must not cost a request");
    for (labels, earlier) in before {
        let other = &labels["instance"];
        let lines = format!(
            r#"sum(count_over_time({{app="api", instance="{other}"}} | json message="message", request_id="request_id"
                | message="request" | request_id=~"restart-api-.+" [1h]))"#
        );
        let lines = bundle.logql(&lines)[0].1;
        eventually("a replica that stayed counted what it logged", 30, || {
            let now = counters().into_iter().find(|(labels, _)| labels["instance"] == *other).map(|(_, value)| value);
            let counted = now.unwrap_or_default() - earlier;
            if counted == lines { Ok(()) } else { Err(format!("{other}: {counted} counted, {lines} logged")) }
        });
    }
}

/// `docker compose restart`, several times: every container ends and starts again, most of them with another address. What is
/// read twice must not be stored twice, and what a client was answered must be there.
pub(crate) fn nothing_is_lost_or_doubled_when_everything_restarts(bundle: &Bundle) {
    for round in 0..ROUNDS {
        let restart = || {
            // Stopped first, Prometheus may keep a last 0 of somebody's and not learn that the address has gone.
            if round == 0 {
                bundle.compose(&["stop"]);
                bundle.compose(&["start"]);
            } else {
                bundle.compose(&["restart"]);
            }
        };
        let sent = around(bundle, &format!("all-{round}"), restart);
        println!("  all restarted: {} answered = lines; unanswered: {}", sent.answered.len(), sent.unanswered.len());

        // Of the last seconds only: a Prometheus that was restarted does not know that the replicas' earlier addresses are gone.
        let counters = format!(r#"sum(last_over_time(http_requests_total{{app="api", {CLIENTS_ONLY}}}[15s]))"#);
        let total = || bundle.promql_value(&counters);
        let before = at_rest(total);
        let prefix = format!("settled-{round}");
        let sent = send_mix(bundle, &prefix, 240);
        let expected = before + sent.answered.len() as f64;
        eventually("the counters are what was sent", 60, || {
            let counted = total();
            if counted == expected { Ok(()) } else { Err(format!("{counted}, not {expected}")) }
        });
        bundle.expect_lines(&prefix, &sent);
        same_instances(bundle, &prefix);
    }
    let down = bundle
        .lines(r#"{app="alerts"} | json message, name, state | message="alert" | state="firing" | name="Target down""#);
    assert!(down.is_empty(), "a restart of everything pages: {down:?}");
    eventually("addresses of before are no longer counted", 90, || {
        let up = bundle.promql("count by (app) (up)");
        let right = |app: &str| if app == "api" { REPLICAS as f64 } else { 1.0 };
        let wrong = up.iter().any(|(labels, count)| *count != right(&labels["app"]));
        if wrong { Err(format!("{up:?}")) } else { Ok(()) }
    });
}

/// A total that has not moved for longer than a scrape takes to come, and for longer than replicas at earlier addresses are in it.
fn at_rest(total: impl Fn() -> f64) -> f64 {
    const REST: Duration = Duration::from_secs(17);
    let seen = Cell::new((f64::NAN, Instant::now()));
    eventually("the counters rest", 120, || {
        let now = total();
        if now != seen.get().0 {
            seen.set((now, Instant::now()));
        }
        if seen.get().1.elapsed() >= REST { Ok(()) } else { Err(format!("{now} is new")) }
    });
    seen.get().0
}

/// The lines of these requests are of the replicas that Prometheus scrapes, each with its address of now.
fn same_instances(bundle: &Bundle, prefix: &str) {
    let query = format!(
        r#"sum by (instance) (count_over_time({{app="api"}} | json message="message", request_id="request_id"
            | message="request" | request_id=~"{prefix}-.+" [1h]))"#
    );
    let mut logged: Vec<_> = bundle.logql(&query).into_iter().map(|(labels, _)| labels["instance"].clone()).collect();
    let up = bundle.promql(r#"last_over_time(up{app="api"}[15s]) == 1"#);
    let mut scraped: Vec<_> = up.into_iter().map(|(labels, _)| labels["instance"].clone()).collect();
    logged.sort();
    scraped.sort();
    assert_eq!(logged, scraped, "Loki's instances and Prometheus' must be the same");
}

/// One container in a crash loop, and one that writes equal lines without a time of their own, while the collector is away and then
/// killed as it catches up. And one that is over before anybody can see an address of it.
pub(crate) fn every_line_of_a_crash_loop_and_of_equal_lines_is_there_once(bundle: &Bundle) {
    let project = format!("com.docker.compose.project={}", bundle.project);
    let kinds = [
        ("crash", "always", "bridge", "echo why; exit 1"),
        ("equal", "always", "bridge", "while sleep 0.2; do echo ok; done"),
        ("once", "no", "none", "echo once"),
    ];
    let image = bundle.image_with_shell();
    let names = kinds.map(|(kind, restart, network, script)| {
        let name = format!("{}-{kind}", bundle.project);
        let labels = ["--label", "logging_job=other", "--label", &project];
        let run = ["run", "-d", "--restart", restart, "--network", network, "--name", &name];
        let program = ["--entrypoint", "sh", &image, "-c", script];
        let output = docker(&[&run[..], &labels, &program].concat()).unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        name
    });
    let written = |name: &str| docker(&["logs", name]).unwrap().stdout.split(|byte| *byte == b'\n').count() - 1;
    let stored = |name: &str| {
        let counts = bundle.logql(&format!(r#"sum(count_over_time({{container="{name}"}}[1h]))"#));
        counts.first().map_or(0, |(_, count)| *count as usize)
    };
    let more = |what, least: usize, count: &dyn Fn() -> usize| {
        eventually(what, 120, || if count() > least { Ok(()) } else { Err(format!("{}, not over {least}", count())) });
    };
    more("equal lines are collected", 10, &|| stored(&names[1]));
    let collector = bundle.collector.service();
    bundle.compose(&["stop", collector]);
    let before = stored(&names[1]);
    more("lines are written without the collector", before + 150, &|| written(&names[1]));
    bundle.compose(&["start", collector]);
    more("the collector catches up", before, &|| stored(&names[1]));
    bundle.compose(&["kill", collector]);
    bundle.compose(&["start", collector]);
    drop(docker(&["stop", "--time", "1", &names[0], &names[1]]));
    for name in &names {
        eventually("every line is there once", 90, || {
            let (written, stored) = (written(name), stored(name));
            if written == stored { Ok(()) } else { Err(format!("{name}: {written} written, {stored} stored")) }
        });
    }
    let once = bundle.logql(&format!(r#"sum by (instance) (count_over_time({{container="{}"}}[1h]))"#, names[2]));
    assert_eq!(once[0].0["instance"], format!("{}:8000", names[2]), "the name in place of an address");
    drop(docker(&["rm", "--force", &names[0], &names[1], &names[2]]));
    bundle.wait_until_healthy();
}

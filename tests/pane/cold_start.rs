//! From the start of the process to the first thing that the page shows. A measurement, so it is asked for by hand:
//! `REDPANE_TEST_PROGRAM=target/release/redpane cargo test --locked --test pane cold_start -- --ignored --nocapture`.

use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use test_support::browser::Browser;
use test_support::process::{self, Process, Reading, free_address};

use crate::fixture::{LIVE, browser};

/// The program that is measured; without it that of the tests, which is not optimised.
const VARIABLE: &str = "REDPANE_TEST_PROGRAM";
const ROUNDS: usize = 9;
/// Until the port is open.
const PATIENCE: Duration = Duration::from_secs(10);

/// When the page's own clock says that it was first painted, in milliseconds since 1970, and how long that is after the browser
/// began to load it.
const PAINTED: &str = "(() => { const first = performance.getEntriesByName('first-contentful-paint')[0]?.startTime; return first && [performance.timeOrigin + first, first] })()";

/// Milliseconds of one start.
#[derive(Debug)]
struct Start {
    port_is_open: f64,
    painted_after_loading: f64,
    /// From the start of the process on.
    painted: f64,
    live: f64,
}

#[test]
#[ignore = "measures"]
fn is_painted_soon() {
    let Some(mut browser) = browser() else { return };
    let program = std::env::var(VARIABLE).unwrap_or_else(|_| env!("CARGO_BIN_EXE_redpane").to_owned());
    assert!(Path::new(&program).exists(), "{VARIABLE} names {program}, which is not there");
    // The browser's own first page is not what is measured.
    let _ = start(&program, &mut browser);
    let starts: Vec<Start> = (0..ROUNDS).map(|_| start(&program, &mut browser)).collect();
    println!("{program}, {ROUNDS} starts, milliseconds: middle (lowest to highest)");
    report("process start to open port", starts.iter().map(|start| start.port_is_open));
    report("page asked for to first contentful paint", starts.iter().map(|start| start.painted_after_loading));
    report("process start to first contentful paint", starts.iter().map(|start| start.painted));
    report("process start to a live feed", starts.iter().map(|start| start.live));
}

/// A new process on a port that the browser has never seen, so that nothing is cached.
fn start(program: &str, browser: &mut Browser) -> Start {
    let (service, pane) = (free_address().to_string(), free_address());
    let variables = [("REDPANE_LISTEN", &*service), ("REDPANE_PANE_LISTEN", &pane.to_string())];
    let (began, began_ms) = (Instant::now(), since_1970_ms());
    let mut process = Process::spawn(process::service(program, &[], &variables), Reading::AsItComes);
    while TcpStream::connect(pane).is_err() {
        assert!(began.elapsed() < PATIENCE, "nothing listens on {pane}: {}", process.errors());
        std::thread::sleep(Duration::from_millis(1));
    }
    let port_is_open = began.elapsed().as_secs_f64() * 1000.0;
    browser.open(&format!("http://{pane}/"));
    browser.until("the page is live", LIVE);
    let live = began.elapsed().as_secs_f64() * 1000.0;
    let painted = browser.until("it was painted", PAINTED);
    let at = |index: usize| painted[index].as_f64().unwrap();
    process.kill();
    Start { port_is_open, painted_after_loading: at(1), painted: at(0) - began_ms, live }
}

fn since_1970_ms() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0
}

fn report(what: &str, values: impl Iterator<Item = f64>) {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (middle, last) = (values[values.len() / 2], values[values.len() - 1]);
    println!("  {what:<42} {middle:6.0} ({:.0} to {last:.0})", values[0]);
}

//! The end of a process: every line is written without a call of the application's.

use std::process::Command;
use std::time::{Duration, Instant};

use test_support::Line;
use test_support::process::run;

use crate::examples::program;

/// How often a race gets its chance.
const RUNS: usize = 20;

fn ends(mode: &str) -> Command {
    let mut command = Command::new(program("test_ends"));
    command.arg(mode).env_remove("RUST_BACKTRACE").env_remove("RUST_LIB_BACKTRACE");
    command
}

async fn lines(mode: &str) -> Vec<Line> {
    let (code, output, errors) = run(ends(mode)).await;
    assert_eq!(code, 0, "{errors}");
    output.lines().map(Line::parse).collect()
}

/// Runs a program again and again; every time, this many lines must have this message.
async fn always(mode: &str, message: &str, count: usize) {
    for attempt in 0..RUNS {
        let found = lines(mode).await.iter().filter(|line| line["message"] == message).count();
        assert_eq!(found, count, "lines {message:?} of the program {mode}, attempt {attempt}");
    }
}

#[tokio::test]
async fn the_last_access_line_of_the_one_line() {
    always("one-line", "request", 1).await;
}

#[tokio::test]
async fn the_last_access_line_with_a_handle() {
    always("handle", "request", 1).await;
}

#[tokio::test]
async fn the_last_access_line_of_an_installed_telemetry_and_events_after_its_last_handle() {
    for _ in 0..RUNS {
        let lines = lines("installed").await;
        let messages: Vec<_> = lines.iter().map(|line| line.str("message")).collect();
        assert_eq!(messages, ["request", "after the last handle"]);
    }
}

#[tokio::test]
async fn a_thousand_lines_before_the_end() {
    always("many", "request", 1000).await;
    always("many-uninstalled", "request", 1000).await;
}

#[tokio::test]
async fn an_event_right_before_the_end() {
    always("at-once", "at once", 1).await;
    always("at-once-dropped", "at once", 1).await;
    always("installed-elsewhere", "at once", 1).await;
}

#[tokio::test]
async fn a_panic_of_main_is_a_line_and_reaches_the_hook_before() {
    for _ in 0..RUNS {
        let (code, output, errors) = run(ends("panic")).await;
        assert_eq!(code, 101);
        let line = Line::parse(output.trim_end());
        assert_eq!((line.str("message"), line.str("target")), ("main falls over", "redpane::panic"));
        assert!(line.str("location").contains("ends.rs:") && !line.str("backtrace").is_empty(), "{}", line.text);
        assert!(errors.contains("main falls over"), "the hook of the standard library prints it: {errors:?}");
    }
}

#[tokio::test]
async fn a_backtrace_may_be_switched_off() {
    for variable in ["RUST_BACKTRACE", "RUST_LIB_BACKTRACE"] {
        let mut command = ends("panic");
        command.env(variable, "0");
        let (_, output, _) = run(command).await;
        let line = Line::parse(output.trim_end());
        assert_eq!((line.str("message"), line.get("backtrace")), ("main falls over", None));
    }
}

#[tokio::test]
async fn an_output_that_does_not_move_is_waited_for_within_a_bound() {
    for mode in ["stuck", "stuck-thrice"] {
        let started = Instant::now();
        let (code, output, _) = run(ends(mode)).await;
        assert_eq!((code, output.as_str()), (0, ""));
        // The bound is one second; the rest is for a busy machine.
        assert!(started.elapsed() < Duration::from_secs(20), "{mode}: {:?}", started.elapsed());
    }
}

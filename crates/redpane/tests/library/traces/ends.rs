//! The end of a process: every span is exported without a call of the application's.

use std::process::Command;

use test_support::Line;
use test_support::otlp::{Behaviour, Receiver};
use test_support::process::run;

use crate::examples::program;

/// How often a race gets its chance.
const RUNS: usize = 10;

/// Runs a program to its end, whose spans go to this endpoint. Its lines.
pub(super) async fn ended(mode: &str, endpoint: &str, variables: &[(&str, &str)]) -> Vec<Line> {
    let mut command = Command::new(program("test_ends"));
    command.arg(mode).env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint).envs(variables.iter().copied());
    let (code, output, errors) = run(command).await;
    assert_eq!(code, 0, "{errors}");
    output.lines().map(Line::parse).collect()
}

#[tokio::test]
async fn the_last_spans_are_exported() {
    for (mode, requests) in [("spans-one-line", 1), ("spans-installed", 1), ("spans-many", 1000)] {
        let receiver = Receiver::start().await;
        for run in 1..=RUNS {
            let lines = ended(mode, &receiver.endpoint(), &[]).await;
            assert_eq!(lines.iter().filter(|line| line.is_access()).count(), requests, "{mode}: {lines:#?}");
            assert_eq!(receiver.spans().len(), run * requests, "{mode}, run {run}: {lines:#?}");
        }
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_end_and_what_is_lost_is_a_line() {
    let receiver = Receiver::start().await;
    receiver.behave(Behaviour::Hang);
    let lines = ended("spans-one-line", &receiver.endpoint(), &[]).await;
    let lost = lines.iter().find(|line| line["message"] == "spans were lost at the end");
    assert_eq!(lost.map(|line| line["spans"].clone()), Some(1.into()), "{lines:#?}");
}

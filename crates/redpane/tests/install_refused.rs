//! A binary of its own, since each case is a process of its own, this program again: an installation into a process that
//! has something global already, which nothing can undo.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::error::Error;
use std::io;
use std::process::Command;
use std::time::Duration;

use redpane::{InstallError, Redpane};
use tracing_subscriber::Registry;

#[test]
#[ignore = "run in a process of its own by the test below"]
fn child_with_a_recorder_of_its_own() {
    let first = Redpane::new("first").log_writer(io::sink()).build().unwrap();
    assert!(metrics::set_global_recorder(first.recorder()).is_ok());
    let error = Redpane::new("test").log_writer(io::sink()).install().unwrap_err();
    assert!(matches!(error, InstallError::Recorder(_)), "{error:?}");
    assert!(error.to_string().contains("global metrics recorder already"), "{error}");
    assert!(error.source().is_some());
    tracing::subscriber::set_global_default(Registry::default()).expect("nothing was installed");
}

#[test]
#[ignore = "run in a process of its own by the test below"]
fn child_with_a_subscriber_of_its_own() {
    tracing::subscriber::set_global_default(Registry::default()).unwrap();
    for install in [Redpane::install, Redpane::try_install] {
        let error = install(Redpane::new("test").log_writer(io::sink())).unwrap_err();
        assert!(matches!(error, InstallError::Subscriber), "{error:?}");
        assert!(error.to_string().contains("log_layer"), "{error}");
    }
    let first = Redpane::new("first").log_writer(io::sink()).build().unwrap();
    assert!(metrics::set_global_recorder(first.recorder()).is_ok(), "nothing was installed");
}

/// A subscriber for a scope on this thread is none for the process.
#[test]
#[ignore = "run in a process of its own by the test below"]
fn child_with_a_subscriber_for_a_scope() {
    let _scope = tracing::subscriber::set_default(Registry::default());
    Redpane::new("test").log_writer(io::sink()).install().unwrap();
}

#[test]
#[ignore = "run in a process of its own by the test below"]
fn child_with_a_logger_of_its_own() {
    struct Own;
    impl log::Log for Own {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            false
        }
        fn log(&self, _: &log::Record<'_>) {}
        fn flush(&self) {}
    }
    log::set_logger(&Own).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    let telemetry = Redpane::new("test").log_writer(io::sink()).install().expect("another logger is allowed");
    telemetry.set_log_filter("off".parse().unwrap(), Duration::from_secs(60)).unwrap();
    assert_eq!(log::max_level(), log::LevelFilter::Debug, "its level is its own");
}

#[test]
fn what_the_process_has_already_is_respected() {
    for child in [
        "child_with_a_recorder_of_its_own",
        "child_with_a_logger_of_its_own",
        "child_with_a_subscriber_of_its_own",
        "child_with_a_subscriber_for_a_scope",
    ] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.args(["--exact", child, "--ignored"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{child}: {said}");
    }
}

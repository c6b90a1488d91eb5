//! The installation for the whole process: once, and with errors that say what to do instead. A process of its own,
//! since nothing can be uninstalled.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{self, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redpane::{ExpositionFormat, InstallError, Redpane, Telemetry};
use serde_json::Value;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    /// The lines since the last call.
    fn lines(&self, telemetry: &Telemetry) -> Vec<Value> {
        telemetry.flush(Duration::from_secs(60)).unwrap();
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        serde_json::Deserializer::from_slice(&bytes).into_iter().map(Result::unwrap).collect()
    }
}

#[test]
fn installed_once_it_takes_events_records_panics_and_metrics() {
    let written = Written::default();
    let telemetry = Redpane::new("test").log_writer(written.clone()).install().unwrap();

    tracing::info!(number = 1, "an event");
    log::warn!(target: "some::library", "a record");
    log::debug!("below the filter");
    let lines = written.lines(&telemetry);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!((&lines[0]["message"], &lines[0]["number"]), (&Value::from("an event"), &Value::from(1)));
    assert_eq!((&lines[1]["message"], &lines[1]["level"]), (&Value::from("a record"), &Value::from("WARN")));
    assert_eq!(lines[1]["target"], "some::library");
    let keys: Vec<_> = lines[1].as_object().unwrap().keys().filter(|key| key.contains("log.")).collect();
    assert!(keys.is_empty(), "the bridge's own fields are no fields of the line: {keys:?}");

    tracing::info!(log.iostream = "stderr", "a field that happens to start like the bridge's");
    assert_eq!(written.lines(&telemetry)[0]["log.iostream"], "stderr");

    let panicking = std::thread::Builder::new().name("worker-7".into()).spawn(|| panic!("out of {}", "paper")).unwrap();
    panicking.join().unwrap_err();
    let lines = written.lines(&telemetry);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["message"], &lines[0]["level"]), (&Value::from("out of paper"), &Value::from("ERROR")));
    assert_eq!((&lines[0]["target"], &lines[0]["thread"]), (&Value::from("redpane::panic"), &Value::from("worker-7")));
    assert_eq!((&lines[0]["trace_id"], &lines[0]["app"]), (&Value::Null, &Value::from("test")));
    assert!(lines[0]["location"].as_str().unwrap().starts_with("tests/install.rs:"), "{}", lines[0]["location"]);
    assert!(lines[0]["backtrace"].as_str().unwrap().contains("install"), "{}", lines[0]["backtrace"]);

    metrics::counter!("jobs_total").increment(2);
    let text = telemetry.render(ExpositionFormat::Text);
    assert!(text.contains("\njobs_total 2\n"), "{text}");

    let error = Redpane::new("another").log_writer(io::sink()).install().unwrap_err();
    assert!(matches!(error, InstallError::Subscriber), "{error:?}");
    assert!(error.to_string().contains("already") && error.to_string().contains("log_layer"), "{error}");
    assert!(matches!(telemetry.install().unwrap_err(), InstallError::Subscriber));
    tracing::info!("still the first one's");
    assert_eq!(written.lines(&telemetry)[0]["app"], "test");
}

#[test]
#[ignore = "run in a process of its own by the test below"]
fn child_with_a_recorder_of_its_own() {
    let first = Redpane::new("first").log_writer(io::sink()).build().unwrap();
    assert!(metrics::set_global_recorder(first.recorder()).is_ok());
    let error = Redpane::new("test").log_writer(io::sink()).install().unwrap_err();
    assert!(matches!(error, InstallError::Recorder), "{error:?}");
    assert!(error.to_string().contains("global metrics recorder already"), "{error}");
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
    Redpane::new("test").log_writer(io::sink()).install().expect("another logger is the application's choice");
}

#[test]
fn what_the_process_has_already_is_respected() {
    for child in ["child_with_a_recorder_of_its_own", "child_with_a_logger_of_its_own"] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let output = command.args(["--exact", child, "--ignored"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("1 passed"), "{child}: {said}");
    }
}

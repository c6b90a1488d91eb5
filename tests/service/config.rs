//! Settings: bad ones stop the start, good ones arrive.

use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use redpane_service::settings::VARIABLES;
use test_support::client;
use test_support::process::{Reading, free_address, listening, run};

use super::redpane;

/// Each variable, a value that cannot be used, and a part of what would be right.
const BAD: [(&str, &str, &str); VARIABLES.len()] = [
    ("REDPANE_LISTEN", "localhost", "an IP address and a port"),
    ("REDPANE_METRICS_LISTEN", "127.0.0.1:99999", "an IP address and a port"),
    ("REDPANE_PANE_LISTEN", "localhost", "or off"),
    // What is no token may be half of one: it is not repeated.
    ("REDPANE_PANE_TOKEN", "***", "16 to 256 visible ASCII characters"),
    ("REDPANE_APP", "a b", "letters, digits"),
    ("REDPANE_LOG", "inof", "a level (off, error, warn, info, debug, trace)"),
    ("REDPANE_LOG_FORMAT", "xml", "json or pretty"),
    ("REDPANE_LOG_BUFFER_BYTES", "1", "a size from 64"),
    ("REDPANE_LOG_WHEN_FULL", "wait", "drop or block"),
    ("REDPANE_ACCESS_SAMPLE", "1.5", "a number from 0 to 1, such as 0.1"),
    ("REDPANE_ACCESS_SLOW", "2h", "a duration with its unit from 0s to 1h"),
    ("REDPANE_UPSTREAM", "https://orders:8000", "a base URL that starts with http://"),
    ("REDPANE_TRUSTED_PROXIES", "10.0.0.0/33", "IP addresses or networks"),
    ("REDPANE_PROXY_PROTOCOL_FROM", "gateway", "IP addresses or networks"),
    ("REDPANE_REQUEST_TIMEOUT", "30", "a duration with its unit from 1ms to 1h"),
    ("REDPANE_HEADER_TIMEOUT", "0s", "a duration with its unit from 10ms to 1h"),
    ("REDPANE_BODY_LIMIT", "-1", "a size from 1"),
    ("REDPANE_MAX_CONNECTIONS", "0", "a whole number from 1 to 1000000"),
    ("REDPANE_CLIENT_MEMORY", "1KiB", "a size from 1.0 MiB to 64.0 GiB"),
    ("REDPANE_SHUTDOWN_GRACE", "2h", "a duration with its unit from 0s to 1h"),
    ("REDPANE_LAST_SCRAPE", "15", "a duration with its unit from 0s to 1h"),
    ("REDPANE_SERIES_LIMIT", "many", "a whole number from 1 to 1000000"),
    ("REDPANE_METRIC_NAMES", "prometheus", "redpane or otel or both"),
    ("REDPANE_TRACE_KEEP", "all", "errors, slow, both as in errors,slow, or none"),
    ("REDPANE_FAULTS", "perhaps", "true, false, 1 or 0"),
];

fn assert_all_named(errors: &str) {
    let lines: Vec<_> = errors.lines().collect();
    assert_eq!(lines[0], "redpane: cannot start, 25 bad settings:");
    assert_eq!(lines.len(), 1 + BAD.len(), "a line for each: {errors}");
    for (variable, value, right) in BAD {
        let line = lines.iter().find(|line| line.contains(&format!("{variable} ("))).expect(variable);
        assert!(line.contains(&format!("{value:?}")) && line.contains(right), "{line}");
    }
}

#[tokio::test]
async fn every_bad_variable_is_named_in_one_message() {
    let variables = BAD.map(|(variable, value, _)| (variable, value));
    let (code, output, errors) = run(redpane(&[], &variables)).await;
    assert_eq!((code, output.as_str()), (64, ""), "nothing was started");
    assert_all_named(&errors);
}

#[tokio::test]
async fn every_bad_flag_is_named_in_one_message() {
    let flag = |(variable, value, _): (&str, &str, &str)| {
        let name = variable.trim_start_matches("REDPANE_").to_lowercase().replace('_', "-");
        format!("--{name}={value}")
    };
    let flags = BAD.map(flag);
    let (code, output, errors) = run(redpane(&flags.each_ref().map(String::as_str), &[])).await;
    assert_eq!((code, output.as_str()), (64, ""));
    assert_all_named(&errors);
}

#[tokio::test]
async fn a_value_that_is_no_text_is_bad_too() {
    let mut command = redpane(&[], &[]);
    command.env("REDPANE_APP", std::ffi::OsStr::from_bytes(b"caf\xe9"));
    let (code, output, errors) = run(command).await;
    assert_eq!((code, output.as_str()), (64, ""));
    assert!(errors.contains("1 bad setting:\n  REDPANE_APP (--app) is \"caf\u{fffd}\""), "{errors}");
}

#[tokio::test]
async fn wrong_usage_says_what_is_right() {
    for (arguments, part) in [(&["--lisen=1"][..], "--listen"), (&["serv"], "serve"), (&["serve", "twice"], "twice")] {
        let (code, output, errors) = run(redpane(arguments, &[])).await;
        assert_eq!((code, output.as_str()), (64, ""), "{arguments:?}");
        assert!(errors.contains(part), "{arguments:?}: {errors}");
    }
}

#[tokio::test]
async fn flags_win_over_variables() {
    let variables = [("REDPANE_APP", "environment"), ("REDPANE_BODY_LIMIT", "nonsense"), ("REDPANE_FAULTS", "")];
    let command = redpane(&["serve", "--app", "flag", "--body-limit=20"], &variables);
    let (process, address) = listening(command, Reading::AsItComes).await;
    let answer = client::send(address, super::post("/echo", "\"longer than twenty\"  ")).await;
    assert!(super::assert_problem(&answer, 413).contains("20 bytes"));
    assert_eq!(client::get(address, "/faults").await.status, 404, "an empty variable counts as unset");
    let line = process.line("request").await;
    assert_eq!(line["app"], "flag");
}

#[tokio::test]
async fn unknown_variables_are_warned_of() {
    let (process, _) = listening(redpane(&[], &[("REDPANE_LISTN", "x"), ("REDPANEL", "x")]), Reading::AsItComes).await;
    let warnings: Vec<_> = process.lines().into_iter().filter(|line| line["level"] == "WARN").collect();
    let [warning] = &warnings[..] else { panic!("one warning: {warnings:#?}") };
    assert_eq!((warning.str("variable"), warning.str("nearest")), ("REDPANE_LISTN", "REDPANE_LISTEN"));
    assert!(warning.str("message").contains("REDPANE_LISTN"), "{}", warning.text);
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for variable in ["REDPANE_LISTEN", "REDPANE_METRICS_LISTEN", "REDPANE_PANE_LISTEN"] {
        let (code, output, errors) = run(redpane(&[], &[(variable, &address)])).await;
        assert_eq!((code, output.as_str()), (69, ""), "{errors}");
        for part in [&address, variable, "in use"] {
            assert!(errors.contains(part), "{part} is missing in: {errors}");
        }
    }
}

#[tokio::test]
async fn help_names_every_variable_flag_and_exit_code() {
    let variables = [("REDPANE_METRICS_LISTEN", "secret"), ("REDPANE_BODY_LIMIT", "secret")];
    let (code, output, errors) = run(redpane(&["--help"], &variables)).await;
    assert_eq!((code, errors.as_str()), (0, ""));
    let flowing = output.split_whitespace().collect::<Vec<_>>().join(" ");
    for variable in VARIABLES {
        let flag = variable.trim_start_matches("REDPANE_").to_lowercase().replace('_', "-");
        assert!(flowing.contains(&format!("[env: {variable}]")), "{variable} is missing in: {output}");
        assert!(flowing.contains(&format!("--{flag} <")), "{flag} is missing in: {output}");
    }
    for part in ["serve", "healthcheck", "pause", "receiver", "\n  64 ", "\n  69 ", "\n  70 ", "\n  74 "] {
        assert!(output.contains(part), "{part:?} is missing in: {output}");
    }
    let (code, output, _) = run(redpane(&["--version"], &[])).await;
    assert!(code == 0 && output.starts_with(concat!("redpane ", env!("CARGO_PKG_VERSION"))), "{output}");
}

#[tokio::test]
async fn healthcheck_knows_the_healthy_from_the_rest() {
    let (_process, address) = listening(redpane(&[], &[]), Reading::AsItComes).await;
    let listen = address.to_string();
    let url = |path: &str| format!("http://{address}{path}");
    let check = async |arguments: &[&str], listen: &str| {
        let arguments = [&["healthcheck"], arguments].concat();
        run(redpane(&arguments, &[("REDPANE_LISTEN", listen), ("REDPANE_BODY_LIMIT", "of no interest")])).await
    };
    assert_eq!(check(&[], &listen).await, (0, String::new(), String::new()));
    assert_eq!(check(&[&url("/readyz")], "").await.0, 0);
    let nobody = free_address().to_string();
    for (arguments, listen, code, part) in [
        (vec![url("/nope")], "", 1, "404"),
        (vec![], &nobody[..], 1, "cannot connect"),
        (vec!["https://localhost/".to_owned()], "", 1, "http://127.0.0.1:8000/healthz"),
        (vec![], "nonsense", 64, "REDPANE_LISTEN"),
    ] {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let (found, output, errors) = check(&arguments, listen).await;
        assert_eq!((found, output.as_str()), (code, ""), "{errors}");
        assert!(errors.contains(part), "{part} is missing in: {errors}");
    }
}

#[tokio::test]
async fn pause_waits_and_says_what_a_duration_is() {
    let before = Instant::now();
    assert_eq!(run(redpane(&["pause", "300ms"], &[])).await, (0, String::new(), String::new()));
    assert!(before.elapsed() >= Duration::from_millis(300));
    for wrong in ["5", "2h", "soon"] {
        let (code, output, errors) = run(redpane(&["pause", wrong], &[])).await;
        assert_eq!((code, output.as_str()), (64, ""), "{errors}");
        assert!(errors.contains(wrong) && errors.contains("such as 5s"), "{errors}");
    }
}

#[tokio::test]
async fn the_log_filter_chooses_the_lines() {
    let filter = [("REDPANE_LOG", "info,redpane::access=warn,redpane::api=debug")];
    let (process, address) = listening(redpane(&[], &filter), Reading::AsItComes).await;
    let good = client::get(address, "/hello/ada").await;
    let bad = client::get(address, "/nope").await;
    let line = process.line("request").await;
    bad.belongs_to(&line);
    let greeting = process.line("greeting").await;
    assert_eq!((greeting.str("level"), greeting.str("name")), ("DEBUG", "ada"));
    assert_eq!(greeting["trace_id"], good.header("x-trace-id"));
    assert_eq!(process.lines().iter().filter(|line| line.is_access()).count(), 1);
}

#[tokio::test]
async fn the_pretty_format_is_for_people() {
    let command = redpane(&["--log-format", "pretty"], &[("REDPANE_APP", "pretty-app")]);
    let (process, address) = listening(command, Reading::AsItComes).await;
    let answer = client::get(address, "/hello/ada").await;
    let trace_id = answer.header("x-trace-id");
    let output = test_support::eventually("the request is in the log", async || {
        Some(process.output()).filter(|output| output.contains(trace_id))
    });
    let output = output.await;
    assert!(output.contains("path=/hello/ada status=200") && !output.contains("{\""), "{output}");
}

//! What signals make of the service besides ending it well: cut requests, a last line, an exit code.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use test_support::process::{Process, Reading, free_address, listening};
use test_support::{Line, client, eventually, raw};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::redpane;

/// A service with three requests in flight that would take a minute.
async fn with_requests_in_flight(grace: &str) -> (Process, Vec<TcpStream>) {
    let command = redpane(&[], &[("REDPANE_FAULTS", "1"), ("REDPANE_SHUTDOWN_GRACE", grace)]);
    let (process, address) = listening(command, Reading::AsItComes).await;
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(raw::send(address, "GET /faults/delay/60000 HTTP/1.1\r\nhost: a\r\n\r\n").await);
    }
    super::shutdown::in_flight(address, 3).await;
    (process, streams)
}

/// Waits for an end with three cut requests; gives the last line.
async fn assert_cut(mut process: Process, streams: Vec<TcpStream>) -> Line {
    assert_eq!(process.exit_code().await, 1, "{}", process.errors());
    for mut stream in streams {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "cut, not answered: {}", String::from_utf8_lossy(&answer));
    }
    let mut lines = process.lines();
    let last = lines.pop().unwrap();
    assert_eq!(last.str("message"), "shut down early: 3 requests were cut");
    assert_eq!((last.str("level"), &last["cut"]), ("WARN", &3.into()));
    let access: Vec<_> = lines.iter().filter(|line| line.is_access()).collect();
    assert_eq!(access.len(), 3, "every request has its line: {lines:#?}");
    assert!(access.iter().all(|line| line["status"] == 499 && line["outcome"] == "aborted"), "{access:#?}");
    last
}

#[tokio::test]
async fn the_deadline_cuts_what_is_left() {
    let (process, streams) = with_requests_in_flight("300ms").await;
    process.signal("TERM");
    let last = assert_cut(process, streams).await;
    assert_eq!(last["why"], "the shutdown grace ran out");
}

/// RFC 9112, section 9.6: who will not serve another request says so, or a proxy sends it one and loses it.
#[tokio::test]
async fn the_one_answer_of_a_late_connection_says_that_it_closes() {
    let (process, streams) = with_requests_in_flight("10s").await;
    let address = streams[0].peer_addr().unwrap();
    let mut late = TcpStream::connect(address).await.unwrap();
    process.signal("TERM");
    process.line("shutting down: not ready any more").await;
    late.write_all(b"GET /hello/a HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    late.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(!answer.contains("keep-alive"), "{answer}");
}

#[tokio::test]
async fn a_second_signal_cuts_at_once() {
    let (process, streams) = with_requests_in_flight("10m").await;
    process.signal("TERM");
    let line = process.line("shutting down: not ready any more").await;
    assert_eq!((&line["in_flight"], &line["grace_seconds"]), (&3.into(), &600.0.into()));
    process.signal("INT");
    let again = process.line("asked again").await;
    assert_eq!(again["signal"], "SIGINT");
    let last = assert_cut(process, streams).await;
    assert_eq!(last["why"], "a second signal");
}

#[tokio::test]
async fn interrupting_ends_it_well_too() {
    for role in ["serve", "receiver"] {
        let (mut process, _) = listening(redpane(&[role], &[]), Reading::AsItComes).await;
        process.signal("INT");
        assert_eq!(process.exit_code().await, 0, "{}", process.errors());
        assert_eq!(process.errors(), "");
        assert_eq!(process.line("asked to shut down").await["signal"], "SIGINT");
        let last = process.lines().pop().unwrap();
        assert_eq!((last.str("message"), &last["cut"]), ("shut down: no request was cut", &0.into()));
    }
}

#[tokio::test]
async fn no_grace_at_all() {
    let (mut process, _) = listening(redpane(&[], &[("REDPANE_SHUTDOWN_GRACE", "0s")]), Reading::AsItComes).await;
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 0, "nothing was in flight");
    assert_eq!(process.lines().pop().unwrap()["cut"], 0);
}

#[tokio::test]
async fn a_log_that_nobody_reads_is_named_at_the_end() {
    let command = redpane(&[], &[("REDPANE_SHUTDOWN_GRACE", "1s")]);
    let (mut process, address) = listening(command, Reading::NotFurtherThanItsAddress).await;
    let path = format!("/hello/{}", "x".repeat(4000));
    assert!(test_support::client::get_many(address, path, 50).await.iter().all(|status| status.is_success()));
    process.signal("TERM");
    let errors = eventually("it gives up", async || Some(process.errors()).filter(|errors| !errors.is_empty())).await;
    assert!(errors.contains("the last log lines were not written"), "{errors}");
    assert!(errors.contains("is the log output being read?"), "{errors}");
    process.read_on();
    assert_eq!(process.exit_code().await, 74);
}

/// A service that cannot write a line, once it answers.
async fn writing_to(output: impl Into<Stdio>, listen: SocketAddr) -> Process {
    let process = Process::writing_to(redpane(&["--listen", &listen.to_string()], &[]), output);
    eventually("it listens", async || TcpStream::connect(listen).await.ok()).await;
    process
}

#[tokio::test]
async fn an_output_that_takes_no_line_is_named_at_the_end() {
    let (reader, dead) = std::io::pipe().unwrap();
    drop(reader);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    for output in [Stdio::from(full), Stdio::from(dead)] {
        let address = free_address();
        let mut process = writing_to(output, address).await;
        assert_eq!(client::get(address, "/hello/ada").await.status, 200, "requests do not suffer");
        process.signal("TERM");
        assert_eq!(process.exit_code().await, 74, "{}", process.errors());
        let errors = process.errors();
        assert!(errors.contains("log lines were lost: the log output failed"), "{errors}");
    }
}

/// A shell runs this with `$0` for the service.
fn by_shell(script: &str, variables: &[(&str, &str)]) -> Command {
    let service = redpane(&[], variables);
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]).arg(service.get_program());
    command.env_clear().envs(service.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_output_that_is_closed_is_named_at_the_start() {
    let command = by_shell("exec \"$0\" >&-", &[]);
    let mut process = Process::spawn(command, Reading::AsItComes);
    eventually("it says so", async || process.errors().contains("standard output is closed").then_some(())).await;
    process.signal("TERM");
    process.exit_code().await;
    let listen = free_address();
    let command = by_shell("exec \"$0\" >/dev/null", &[("REDPANE_LISTEN", &listen.to_string())]);
    let mut process = Process::spawn(command, Reading::AsItComes);
    eventually("it listens", async || TcpStream::connect(listen).await.ok()).await;
    process.signal("TERM");
    assert_eq!((process.exit_code().await, process.errors()), (0, String::new()), "it is meant");
}

/// The standard library takes such an output for one that throws everything away.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_output_that_can_only_be_read_is_named_at_the_start_and_at_the_end() {
    let listen = free_address();
    let command = by_shell("exec \"$0\" 1</dev/null", &[("REDPANE_LISTEN", &listen.to_string())]);
    let mut process = Process::spawn(command, Reading::AsItComes);
    eventually("it listens", async || TcpStream::connect(listen).await.ok()).await;
    assert!(process.errors().contains("standard output is open for reading only"), "{}", process.errors());
    assert_eq!(client::get(listen, "/hello/ada").await.status, 200, "requests do not suffer");
    process.signal("TERM");
    assert_eq!(process.exit_code().await, 74, "{}", process.errors());
}

#[tokio::test]
async fn a_limit_that_cannot_be_reached_is_named_at_the_start() {
    let line = "REDPANE_MAX_CONNECTIONS cannot be reached";
    let (process, _) = listening(by_shell("ulimit -n 64 && exec \"$0\"", &[]), Reading::AsItComes).await;
    let few = process.line(line).await;
    assert_eq!((&few["max_connections"], &few["descriptors"]), (&10_000.into(), &64.into()), "{}", few.text);
    let command = by_shell("ulimit -n 64 && exec \"$0\"", &[("REDPANE_MAX_CONNECTIONS", "48")]);
    let (process, address) = listening(command, Reading::AsItComes).await;
    client::get(address, "/hello/ada").await;
    process.line("request").await;
    assert!(!process.lines().iter().any(|other| other.str("message").starts_with(line)), "50 fit");
}

/// New ones are not kept waiting by those that do nothing.
#[tokio::test]
async fn idle_connections_make_room_where_descriptors_are_short() {
    let (_process, address) = listening(by_shell("ulimit -n 40 && exec \"$0\"", &[]), Reading::AsItComes).await;
    let mut idle = Vec::new();
    for _ in 0..50 {
        idle.push(raw::send(address, "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await);
    }
    let answer = tokio::time::timeout(Duration::from_secs(8), client::get(address, "/healthz"));
    assert_eq!(answer.await.expect("before the header timeout, 10 s, ends them").status, 200);
}

/// Whether this process ignores a signal, and so its children do.
fn is_ignored(number: u32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0").trim();
    u64::from_str_radix(mask, 16).is_ok_and(|mask| mask >> (number - 1) & 1 == 1)
}

#[tokio::test]
async fn every_signal_that_asks_for_an_end_drains() {
    for (signal, number) in [("HUP", 1), ("QUIT", 3)] {
        if is_ignored(number) {
            // Whoever starts the tests under `nohup` has asked for that, and children have it from their parents.
            continue;
        }
        let command = redpane(&[], &[("REDPANE_FAULTS", "1")]);
        let (mut process, address) = listening(command, Reading::AsItComes).await;
        let mut asked = raw::send(address, "GET /faults/delay/3000 HTTP/1.1\r\nhost: a\r\n\r\n").await;
        super::shutdown::in_flight(address, 1).await;
        process.signal(signal);
        let answer = raw::read_to_end(&mut asked).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{signal}: {answer}");
        assert_eq!(process.exit_code().await, 0, "{signal}: {}", process.errors());
        assert_eq!(process.line("asked to shut down").await["signal"], format!("SIG{signal}"));
        assert_eq!(process.lines().pop().unwrap().str("message"), "shut down: no request was cut");
    }
}

#[tokio::test]
async fn signals_that_mean_nothing_here_are_ignored() {
    for role in ["serve", "receiver", "docker-reader"] {
        let (mut process, address) = listening(redpane(&[role], &[]), Reading::AsItComes).await;
        for signal in ["USR1", "USR2", "PIPE"] {
            process.signal(signal);
        }
        assert_eq!(client::get(address, "/metrics").await.status, 200, "it still serves");
        process.signal("TERM");
        assert_eq!(process.exit_code().await, 0, "{}", process.errors());
    }
}

/// `nohup` starts a program with SIGHUP ignored, so that it outlives its terminal.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_hangup_that_was_ignored_at_the_start_stays_ignored() {
    let service = redpane(&[], &[]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\""]).arg(service.get_program()).env_clear();
    command.envs(service.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let (mut process, address) = listening(command, Reading::AsItComes).await;
    process.signal("HUP");
    assert_eq!(client::get(address, "/hello/ada").await.status, 200, "it still serves");
    process.signal("INT");
    assert_eq!(process.exit_code().await, 0, "{}", process.errors());
    assert_eq!(process.line("asked to shut down").await["signal"], "SIGINT");
}

#[tokio::test]
async fn too_few_descriptors_are_named_and_no_panic() {
    for limit in 6..24 {
        let service = redpane(&[], &[]);
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &format!("ulimit -n {limit}; exec \"$0\"")]).arg(service.get_program()).env_clear();
        command.envs(service.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut process = Process::spawn(command, Reading::AsItComes);
        let ended = eventually("it ends or serves", async || {
            if process.has_ended() { Some(true) } else { process.output().contains("\"listening\"").then_some(false) }
        });
        if ended.await {
            assert_eq!(process.exit_code().await, 70, "with {limit}: {}", process.errors());
            let errors = process.errors();
            assert!(errors.contains("ulimit -n") && !errors.contains("panicked"), "with {limit}: {errors}");
        } else {
            assert!(limit > 6, "{limit} descriptors are too few for any connection");
            process.signal("TERM");
            assert_eq!(process.exit_code().await, 0, "with {limit}: {}", process.errors());
        }
    }
}

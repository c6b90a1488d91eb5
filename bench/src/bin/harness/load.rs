//! One run of wrk.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

/// What to ask a server for, and how hard.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: u64,
    /// How many of the routes besides `/hello/{name}` to go round; with 0, `/hello/ada` is all that is asked for.
    pub(crate) routes: usize,
}

/// What wrk saw. Requests are the ones that were answered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    pub(crate) microseconds: u64,
    connect: u64,
    read: u64,
    write: u64,
    timeout: u64,
    /// Answers that were neither 2xx nor 3xx.
    status: u64,
    /// Latency in microseconds, as are all percentiles.
    pub(crate) p50: u64,
    pub(crate) p99: u64,
}

impl Load {
    /// Blocks for that many seconds.
    ///
    /// # Errors
    /// If wrk does not run, or saw an error or an answer that was none.
    pub(crate) fn run(&self, address: SocketAddr, seconds: u64) -> Result<Seen> {
        let output = Command::new("wrk")
            .args(["--threads", "1", "--script", "load.lua", "--latency", "--timeout", "10s"])
            .args(["--connections", &self.connections.to_string()])
            .args(["--duration", &format!("{seconds}s")])
            .arg(format!("http://{address}/hello/ada"))
            .args(["--", &self.routes.to_string()])
            .output()
            .context("wrk does not start; install it (Debian and Ubuntu: apt-get install wrk)")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() {
            bail!("wrk failed: {}{text}", String::from_utf8_lossy(&output.stderr));
        }
        let seen = parse(&text)?;
        ensure!(seen.errors() == 0, "a load must end without errors, and wrk saw some: {seen:?}");
        ensure!(seen.requests > 0, "wrk got no answer in {seconds} s");
        Ok(seen)
    }
}

impl Seen {
    fn errors(&self) -> u64 {
        self.connect + self.read + self.write + self.timeout + self.status
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_micros(self.microseconds)
    }
}

fn parse(output: &str) -> Result<Seen> {
    let line = output.lines().rfind(|line| line.starts_with('{'));
    let line = line.with_context(|| format!("wrk did not say what load.lua makes it say, but: {output}"))?;
    serde_json::from_str(line).with_context(|| format!("wrk said something else than load.lua makes it say: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = r#"Running 1s test @ http://127.0.0.1:8000/hello/ada
  1 threads and 32 connections
  Latency Distribution
     50%  301.00us
  95133 requests in 1.00s, 14.33MB read
Requests/sec:  95071.22
{"requests":95133,"microseconds":1000649,"connect":0,"read":1,"write":0,"timeout":2,"status":3,"p50":301,"p99":1204}
"#;

    #[test]
    fn the_last_line_counts() {
        let seen = parse(OUTPUT).unwrap();
        assert_eq!((seen.requests, seen.p50, seen.p99), (95_133, 301, 1_204));
        assert_eq!(seen.errors(), 6);
        assert_eq!(seen.duration(), Duration::from_micros(1_000_649));
    }

    #[test]
    fn other_output_is_shown() {
        let error = parse("unable to connect to 127.0.0.1:1 Connection refused\n").unwrap_err().to_string();
        assert!(error.contains("Connection refused"), "{error}");
        let error = format!("{:#}", parse("{\"requests\":1}\n").unwrap_err());
        assert!(error.contains("microseconds"), "{error}");
    }
}

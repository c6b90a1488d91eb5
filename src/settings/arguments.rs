//! The command line. Values stay text here, without clap's value parsers: clap stops at the first bad value, `config`
//! checks all of them and names every bad one.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use super::source::Source;
use crate::version::{REVISION, VERSION};

const AFTER_HELP: &str = "\
Durations need a unit: 500ms, 30s, 1m. Sizes: 1MiB (1048576), 1MB (1000000) or plain bytes. An empty variable counts as unset, a flag \
wins over its variable.

Exit codes:
  0   ended after a signal, every request answered and every line written (healthcheck: healthy)
  1   ended with requests cut off (healthcheck: not healthy)
  64  wrong arguments or settings; nothing was started
  69  an address could not be opened; nothing was started
  70  runtime, log or metrics could not be set up: too few file descriptors; nothing was started
  74  log lines could not be written before the end, or were lost to an output that failed

Signals: TERM, INT, HUP (unless it is ignored, as under nohup) and QUIT end it like exit code 0 says, a second one at once; USR1 and USR2
are ignored.";

/// A small web service that counts, times and logs every request it gets.
#[derive(Debug, Parser)]
#[command(name = "redpane", version = version(), after_help = AFTER_HELP, max_term_width = 100)]
pub struct Arguments {
    /// What to do. Defaults to `serve`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Settings of the service.
    #[command(flatten)]
    pub flags: Flags,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the API (what happens without a command)
    Serve,
    /// Ask a running service whether it lives: exit 0 if so, 1 if not; gives up after 3 seconds
    Healthcheck {
        /// An http:// URL [default: /healthz on the port of REDPANE_LISTEN, on this machine]
        url: Option<String>,
    },
    /// Wait and exit 0: for a container's preStop hook, in an image without a shell or `sleep`
    Pause {
        /// A duration with its unit, at most 1h, such as 5s
        #[arg(value_parser = pause)]
        duration: Duration,
    },
    /// Receive the webhooks of Grafana alerting or Alertmanager on POST /alerts, write each alert as a log line
    Receiver,
    /// Show a log collector the containers of this machine and their lines, read from /var/run/docker.sock, and nothing else
    /// of the Docker API
    DockerReader,
}

/// The only value of an argument that clap may refuse: there are no others beside it to be named too.
fn pause(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok().filter(|duration| *duration <= Duration::from_secs(3600));
    duration.ok_or_else(|| "must be a duration with its unit up to 1h, such as 5s or 500ms".to_owned())
}

fn version() -> String {
    format!("{VERSION} ({REVISION})")
}

/// One flag a setting, each with an environment variable of the same name.
#[derive(Debug, Args)]
#[command(next_help_heading = "Settings")]
pub struct Flags {
    /// IP address and port of the API; port 0 takes a free one [default: 0.0.0.0:8000]
    #[arg(long, global = true, hide_env_values = true, value_name = "ADDRESS", env = "REDPANE_LISTEN")]
    listen: Option<OsString>,
    /// IP address and port for /metrics (with /healthz and /readyz) [default: unset, same as the API]
    #[arg(long, global = true, hide_env_values = true, value_name = "ADDRESS", env = "REDPANE_METRICS_LISTEN")]
    metrics_listen: Option<OsString>,
    /// IP address and port of the pane, the page with graphs and live lines; off switches it off. An address that is no loopback
    /// address needs REDPANE_PANE_TOKEN [default: 127.0.0.1:8001, or a free port where that is taken]
    #[arg(long, global = true, hide_env_values = true, value_name = "ADDRESS", env = "REDPANE_PANE_LISTEN")]
    pane_listen: Option<OsString>,
    /// Who opens the pane must know it: 16 to 256 visible ASCII characters [default: unset, everybody on this machine may]
    #[arg(long, global = true, hide_env_values = true, value_name = "TOKEN", env = "REDPANE_PANE_TOKEN")]
    pane_token: Option<OsString>,
    /// `app` field of every log line, at most 64 bytes of letters, digits and - _ . / [default: OTEL_SERVICE_NAME, else service.name in OTEL_RESOURCE_ATTRIBUTES, else api; receiver: alerts; docker-reader: docker-reader]
    #[arg(long, global = true, hide_env_values = true, value_name = "NAME", env = "REDPANE_APP")]
    app: Option<OsString>,
    /// Which log lines are written: a level or target=level, separated by commas [default: info]
    #[arg(long, global = true, hide_env_values = true, value_name = "DIRECTIVES", env = "REDPANE_LOG")]
    log: Option<OsString>,
    /// json, or pretty for people [default: json; pretty when stdout is a terminal]
    #[arg(long, global = true, hide_env_values = true, value_name = "FORMAT", env = "REDPANE_LOG_FORMAT")]
    log_format: Option<OsString>,
    /// Memory for log lines that wait for stdout, 64KiB to 1GiB [default: 16MiB]
    #[arg(long, global = true, hide_env_values = true, value_name = "SIZE", env = "REDPANE_LOG_BUFFER_BYTES")]
    log_buffer_bytes: Option<OsString>,
    /// What happens to a line when that memory is full: drop (counted, and a line says how many), or block (for at most
    /// 1s, then drop) [default: drop]
    #[arg(long, global = true, hide_env_values = true, value_name = "POLICY", env = "REDPANE_LOG_WHEN_FULL")]
    log_when_full: Option<OsString>,
    /// Share of access lines kept of requests that end well and fast, 0 to 1, by trace id: the same ones in every service.
    /// What is left out is counted [default: 1]
    #[arg(long, global = true, hide_env_values = true, value_name = "SHARE", env = "REDPANE_ACCESS_SAMPLE")]
    access_sample: Option<OsString>,
    /// Requests that take this long keep their access line whatever the share is, 0s to 1h [default: 1s]
    #[arg(long, global = true, hide_env_values = true, value_name = "DURATION", env = "REDPANE_ACCESS_SLOW")]
    access_slow: Option<OsString>,
    /// Base URL of the next service, such as http://orders:8000, which GET /checkout asks for its own /checkout [default: unset,
    /// /checkout ends here]
    #[arg(long, global = true, hide_env_values = true, value_name = "URL", env = "REDPANE_UPSTREAM")]
    upstream: Option<OsString>,
    /// IP addresses or networks of proxies, separated by commas, whose PROXY protocol header or Forwarded or
    /// X-Forwarded-For says who the client is; from others these are ignored [default: unset, nobody is trusted]
    #[arg(long, global = true, hide_env_values = true, value_name = "NETWORKS", env = "REDPANE_TRUSTED_PROXIES")]
    trusted_proxies: Option<OsString>,
    /// IP addresses or networks of proxies, separated by commas, whose PROXY protocol header alone is believed: what they pass
    /// on of Forwarded and X-Forwarded-For was written by their clients [default: unset, nobody is believed]
    #[arg(long, global = true, hide_env_values = true, value_name = "NETWORKS", env = "REDPANE_PROXY_PROTOCOL_FROM")]
    proxy_protocol_from: Option<OsString>,
    /// Time until an answer must begin, 1ms to 1h, then 503; and in which a client must take something of it, or it is cut
    /// off [default: 30s]
    #[arg(long, global = true, hide_env_values = true, value_name = "DURATION", env = "REDPANE_REQUEST_TIMEOUT")]
    request_timeout: Option<OsString>,
    /// Time a client has to send complete headers, 10ms to 1h; then it is cut off, and so is a connection idle for that
    /// long [default: 10s]
    #[arg(long, global = true, hide_env_values = true, value_name = "DURATION", env = "REDPANE_HEADER_TIMEOUT")]
    header_timeout: Option<OsString>,
    /// Largest request body, 1 byte to 1GiB; then 413 [default: 1MiB]
    #[arg(long, global = true, hide_env_values = true, value_name = "SIZE", env = "REDPANE_BODY_LIMIT")]
    body_limit: Option<OsString>,
    /// Connections served at once, 1 to 1000000; further ones wait [default: 10000]
    #[arg(long, global = true, hide_env_values = true, value_name = "COUNT", env = "REDPANE_MAX_CONNECTIONS")]
    max_connections: Option<OsString>,
    /// Memory for what clients send and for answers they have not taken, 1MiB to 64GiB and at least the body limit; beyond it
    /// new requests get 503, and those who take their answers slowest are cut off. Unset, it grows with the body limit [default: 64MiB]
    #[arg(long, global = true, hide_env_values = true, value_name = "SIZE", env = "REDPANE_CLIENT_MEMORY")]
    client_memory: Option<OsString>,
    /// Time requests in flight have to finish after SIGTERM or another signal that ends it, 0s to 1h; then they are cut [default: 25s]
    #[arg(long, global = true, hide_env_values = true, value_name = "DURATION", env = "REDPANE_SHUTDOWN_GRACE")]
    shutdown_grace: Option<OsString>,
    /// Time after the last request of a shutdown in which /metrics waits for those who scrape it, 0s to 1h; more than their
    /// interval makes counters exact [default: 0s]
    #[arg(long, global = true, hide_env_values = true, value_name = "DURATION", env = "REDPANE_LAST_SCRAPE")]
    last_scrape: Option<OsString>,
    /// Label sets the HTTP metrics may have, 1 to 1000000; further ones share one [default: 10000]
    #[arg(long, global = true, hide_env_values = true, value_name = "COUNT", env = "REDPANE_SERIES_LIMIT")]
    series_limit: Option<OsString>,
    /// Names of the HTTP metrics: redpane, otel (OpenTelemetry's conventions), or both [default: redpane]
    #[arg(long, global = true, hide_env_values = true, value_name = "NAMES", env = "REDPANE_METRIC_NAMES")]
    metric_names: Option<OsString>,
    /// Requests whose span is exported although the sampler said no: errors, slow (1s or longer), both, or none. Where spans go,
    /// OTEL_EXPORTER_OTLP_ENDPOINT says [default: errors,slow]
    #[arg(long, global = true, hide_env_values = true, value_name = "LIST", env = "REDPANE_TRACE_KEEP")]
    trace_keep: Option<OsString>,
    /// Serve /faults, where anyone who can reach the API makes it fail: true, false, 1 or 0 [default: false]
    #[arg(long, global = true, hide_env_values = true, value_name = "BOOLEAN", env = "REDPANE_FAULTS")]
    faults: Option<OsString>,
}

impl Source for Flags {
    fn value(&self, variable: &str) -> Option<OsString> {
        let field = match variable {
            "REDPANE_LISTEN" => &self.listen,
            "REDPANE_METRICS_LISTEN" => &self.metrics_listen,
            "REDPANE_PANE_LISTEN" => &self.pane_listen,
            "REDPANE_PANE_TOKEN" => &self.pane_token,
            "REDPANE_APP" => &self.app,
            "REDPANE_LOG" => &self.log,
            "REDPANE_LOG_FORMAT" => &self.log_format,
            "REDPANE_LOG_BUFFER_BYTES" => &self.log_buffer_bytes,
            "REDPANE_LOG_WHEN_FULL" => &self.log_when_full,
            "REDPANE_ACCESS_SAMPLE" => &self.access_sample,
            "REDPANE_ACCESS_SLOW" => &self.access_slow,
            "REDPANE_UPSTREAM" => &self.upstream,
            "REDPANE_TRUSTED_PROXIES" => &self.trusted_proxies,
            "REDPANE_PROXY_PROTOCOL_FROM" => &self.proxy_protocol_from,
            "REDPANE_REQUEST_TIMEOUT" => &self.request_timeout,
            "REDPANE_HEADER_TIMEOUT" => &self.header_timeout,
            "REDPANE_BODY_LIMIT" => &self.body_limit,
            "REDPANE_MAX_CONNECTIONS" => &self.max_connections,
            "REDPANE_CLIENT_MEMORY" => &self.client_memory,
            "REDPANE_SHUTDOWN_GRACE" => &self.shutdown_grace,
            "REDPANE_LAST_SCRAPE" => &self.last_scrape,
            "REDPANE_SERIES_LIMIT" => &self.series_limit,
            "REDPANE_METRIC_NAMES" => &self.metric_names,
            "REDPANE_TRACE_KEEP" => &self.trace_keep,
            "REDPANE_FAULTS" => &self.faults,
            // OpenTelemetry's own variables, which have no flags.
            _ => return variable.starts_with("OTEL_").then(|| std::env::var_os(variable)).flatten(),
        };
        field.clone()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::super::variables::{VARIABLES, flag};
    use super::*;

    #[test]
    fn every_variable_has_its_flag_with_help_and_arrives() {
        let command = Arguments::command();
        command.clone().debug_assert();
        for variable in VARIABLES {
            let flag = flag(variable);
            let argument = command.get_arguments().find(|argument| {
                argument.get_env() == Some(variable.as_ref()) && argument.get_long() == flag.strip_prefix("--")
            });
            let help = argument.and_then(clap::Arg::get_help).map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("[default: "), "{flag}: {help}");
            let parsed = Arguments::try_parse_from(["redpane", "serve", &format!("{flag}=given")]).expect(&flag);
            assert_eq!(parsed.flags.value(variable), Some("given".into()), "{flag}");
        }
    }
}

//! What is compared: each assembly of crates, the program that serves it and what that program should have done.

use crate::settings::Settings;

/// One way to observe the application, or not to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Assembly {
    /// Its name in the results.
    pub(crate) id: &'static str,
    /// Its name in the document.
    pub(crate) title: &'static str,
    pub(crate) program: Program,
    /// The metric in its `/metrics` that counts requests.
    pub(crate) counter: Option<&'static str>,
    pub(crate) lines: Lines,
    pub(crate) spans: Spans,
    /// The packages it consists of, in `Cargo.lock` or `requirements.txt`.
    pub(crate) packages: &'static [&'static str],
    pub(crate) does: &'static str,
    pub(crate) lacks: &'static str,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// A binary of this package.
    Binary(&'static str),
    /// uvicorn with the module in `fastapi/`.
    Uvicorn,
}

/// How many lines a request writes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    None,
    /// One for each request that was answered.
    One,
    /// One for each request that was counted, exactly.
    OneForEachCounted,
}

/// How many spans of requests were exported, by which metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spans {
    None,
    /// At most one for each request; the exporter throws them away.
    Discarded(&'static str),
    /// At most one for each request; they are sent to the receiver.
    Sent(&'static str),
    /// One for each request that was counted, exactly, is sent to the receiver.
    OneForEachCounted(&'static str),
}

impl Spans {
    pub(crate) fn metric(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::Discarded(metric) | Self::Sent(metric) | Self::OneForEachCounted(metric) => Some(metric),
        }
    }

    pub(crate) fn are_sent(self) -> bool {
        matches!(self, Self::Sent(_) | Self::OneForEachCounted(_))
    }
}

pub(crate) const BARE: &str = "bare";
pub(crate) const REDPANE: &str = "redpane";
pub(crate) const CLIENTS: &str = "redpane-clients";
pub(crate) const SERVICE: &str = "redpane-service";
/// redpane of the checkout that `--before` names.
pub(crate) const BEFORE: &str = "redpane-before";
pub(crate) const USUAL: &str = "usual";
pub(crate) const AXUM_PROMETHEUS: &str = "axum-prometheus";

/// The assembly of that name, which is one of ours.
pub(crate) fn find(id: &str) -> Option<&'static Assembly> {
    ASSEMBLIES.iter().find(|assembly| assembly.id == id)
}

/// Those that this run has programs for: `redpane-before` only where a checkout for it was named.
pub(crate) fn available(settings: &Settings) -> impl Iterator<Item = &'static Assembly> {
    let before = settings.before.is_some();
    ASSEMBLIES.iter().filter(move |assembly| before || assembly.id != BEFORE)
}

pub(crate) const ASSEMBLIES: &[Assembly] = &[
    Assembly {
        id: BARE,
        title: "bare axum",
        program: Program::Binary("serve-bare"),
        counter: None,
        lines: Lines::None,
        spans: Spans::None,
        packages: &["axum"],
        does: "answers",
        lacks: "everything: what the others are measured against",
    },
    Assembly {
        id: "bare-again",
        title: "bare axum, again",
        program: Program::Binary("serve-bare"),
        counter: None,
        lines: Lines::None,
        spans: Spans::None,
        packages: &["axum"],
        does: "the same program in a second process: how far two measurements of the same thing lie apart here",
        lacks: "everything",
    },
    Assembly {
        id: REDPANE,
        title: "redpane",
        program: Program::Binary("serve-redpane"),
        counter: Some("http_requests_total"),
        lines: Lines::OneForEachCounted,
        spans: Spans::None,
        packages: &["redpane"],
        does: "`install()` and `instrument(router)` with defaults: RED and size metrics, a JSON line a request through its writer thread, trace \
               context in, trace and request id in the response",
        lacks: "",
    },
    Assembly {
        id: "redpane-spans",
        title: "redpane, spans sent",
        program: Program::Binary("serve-redpane-spans"),
        counter: Some("http_requests_total"),
        lines: Lines::OneForEachCounted,
        spans: Spans::OneForEachCounted("trace_spans_exported_total"),
        packages: &["redpane"],
        does: "the same with `otlp_from_env()?` (feature `otlp`): a span a request as well, encoded and sent as OTLP over HTTP to a receiver of the \
               harness that reads and discards; every span is delivered. `OTEL_BSP_SCHEDULE_DELAY` is 20 ms in place of 5 s, so that what was sent can \
               be counted after each round",
        lacks: "",
    },
    Assembly {
        id: CLIENTS,
        title: "redpane, with clients' addresses",
        program: Program::Binary("serve-redpane-clients"),
        counter: Some("http_requests_total"),
        lines: Lines::OneForEachCounted,
        spans: Spans::None,
        packages: &["redpane"],
        does: "the same by `axum::serve` with `into_make_service_with_connect_info::<SocketAddr>()`: the lines name the client, as those of the \
               service's own server do",
        lacks: "",
    },
    Assembly {
        id: SERVICE,
        title: "redpane, its service's own server",
        program: Program::Binary("serve-service"),
        counter: Some("http_requests_total"),
        lines: Lines::OneForEachCounted,
        spans: Spans::None,
        packages: &["redpane", "redpane-service"],
        does: "the same router and telemetry, served by the service's own server with its default limits in place of `axum::serve`: memory for \
               clients counted and bounded, requests that end with the delivery of their answer, strict HTTP/1.1, `/healthz` and `/readyz`",
        lacks: "",
    },
    Assembly {
        id: BEFORE,
        title: "redpane before",
        program: Program::Binary("serve-redpane-before"),
        counter: Some("http_requests_total"),
        lines: Lines::OneForEachCounted,
        spans: Spans::None,
        packages: &[BEFORE],
        does: "the program of the row above built with an older redpane; all other crates and the profile are the same",
        lacks: "",
    },
    Assembly {
        id: USUAL,
        title: "axum-prometheus + TraceLayer + `fmt().json()`",
        program: Program::Binary("serve-usual"),
        counter: Some("axum_http_requests_total"),
        lines: Lines::One,
        spans: Spans::None,
        packages: &["axum-prometheus", "tower-http", "tracing-subscriber"],
        does: "request metrics; a span with method, route and path, and one INFO event with status and latency, as one JSON line written on the spot",
        lacks: "trace and request ids, size metrics, client and user agent in the line",
    },
    Assembly {
        id: "usual-appender",
        title: "the same through tracing-appender",
        program: Program::Binary("serve-usual-appender"),
        counter: Some("axum_http_requests_total"),
        lines: Lines::One,
        spans: Spans::None,
        packages: &["axum-prometheus", "tower-http", "tracing-subscriber", "tracing-appender"],
        does: "the same; lines go through `tracing_appender::non_blocking` with `lossy(false)`, so that it drops none",
        lacks: "as above",
    },
    Assembly {
        id: AXUM_PROMETHEUS,
        title: "axum-prometheus alone",
        program: Program::Binary("serve-axum-prometheus"),
        counter: Some("axum_http_requests_total"),
        lines: Lines::None,
        spans: Spans::None,
        packages: &["axum-prometheus"],
        does: "request metrics as `PrometheusMetricLayer::pair()` sets them up",
        lacks: "any log, ids, size metrics",
    },
    Assembly {
        id: "trace-json",
        title: "TraceLayer + `fmt().json()` alone",
        program: Program::Binary("serve-trace-json"),
        counter: None,
        lines: Lines::One,
        spans: Spans::None,
        packages: &["tower-http", "tracing-subscriber"],
        does: "the span and the JSON line of the usual assembly",
        lacks: "any metrics, ids",
    },
    Assembly {
        id: "opentelemetry",
        title: "OpenTelemetry",
        program: Program::Binary("serve-opentelemetry"),
        counter: Some("http_server_request_duration_seconds_count"),
        lines: Lines::None,
        spans: Spans::Discarded("bench_spans_exported_total"),
        packages: &["axum-tracing-opentelemetry", "axum-otel-metrics", "opentelemetry_sdk", "tracing-opentelemetry"],
        does: "a span a request through the SDK's batch processor with its defaults, trace context in and out, request and size metrics; the \
               exporter discards the spans, so encoding and sending them is not in the numbers; a JSON `fmt` layer is there for events, as in the \
               preset of init-tracing-opentelemetry",
        lacks: "a line a request: the span stands for it; past 2,048 waiting spans the processor drops new ones",
    },
    Assembly {
        id: "opentelemetry-otlp",
        title: "OpenTelemetry, spans sent",
        program: Program::Binary("serve-opentelemetry-otlp"),
        counter: Some("http_server_request_duration_seconds_count"),
        lines: Lines::None,
        spans: Spans::Sent("bench_spans_exported_total"),
        packages: &[
            "axum-tracing-opentelemetry",
            "axum-otel-metrics",
            "opentelemetry_sdk",
            "opentelemetry-otlp",
            "tracing-opentelemetry",
        ],
        does: "the same with the exporter of opentelemetry-otlp (`http-proto`, its default client), to the receiver that redpane sends to, and with \
               the same `OTEL_BSP_SCHEDULE_DELAY`",
        lacks: "as above",
    },
    Assembly {
        id: "fastapi",
        title: "FastAPI, one worker",
        program: Program::Uvicorn,
        counter: Some("http_requests_total"),
        lines: Lines::One,
        spans: Spans::None,
        packages: &[
            "fastapi",
            "uvicorn",
            "uvloop",
            "httptools",
            "prometheus-fastapi-instrumentator",
            "python-json-logger",
        ],
        does: "uvicorn with uvloop and httptools; the instrumentator's default metrics; a JSON line a request with method, route, path, status and \
               duration from a plain ASGI middleware",
        lacks: "ids; Python on one thread, so its throughput has another ceiling",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for assembly in ASSEMBLIES {
            assert_eq!(find(assembly.id), Some(assembly));
        }
        assert_eq!(find("nothing"), None);
    }

    #[test]
    fn an_older_redpane_takes_part_only_where_it_is_named() {
        let ids = |before: Option<&str>| -> Vec<&str> {
            let settings = Settings { before: before.map(Into::into), ..Settings::default() };
            available(&settings).map(|assembly| assembly.id).collect()
        };
        assert!(!ids(None).contains(&BEFORE));
        assert_eq!(ids(None).len(), ASSEMBLIES.len() - 1);
        assert!(ids(Some("/older")).contains(&BEFORE));
    }

    #[test]
    fn exact_numbers_need_a_counter() {
        for assembly in ASSEMBLIES {
            let lines = assembly.lines == Lines::OneForEachCounted;
            let spans = matches!(assembly.spans, Spans::OneForEachCounted(_));
            assert!(!(lines || spans) || assembly.counter.is_some(), "{}", assembly.id);
        }
    }
}

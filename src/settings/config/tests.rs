use std::collections::HashMap;
use std::ffi::OsString;

use super::super::variables::VARIABLES;
use super::*;

fn read(pairs: &[(&str, &str)]) -> Result<Config, BadSettings> {
    let map: HashMap<String, OsString> =
        pairs.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
    Config::read(Role::Serve, &|name: &str| map.get(name).cloned())
}

#[test]
fn defaults_are_those_of_the_contract() {
    let config = Config::defaults(Role::Serve);
    assert_eq!(config.listen.to_string(), "0.0.0.0:8000");
    assert_eq!(config.metrics_listen, None);
    assert_eq!((config.pane_listen, config.pane_token), (PaneListen::Default, None));
    assert_eq!(Config::defaults(Role::Receiver).pane_listen, PaneListen::Off);
    assert_eq!(config.app, "api");
    assert_eq!(config.log_buffer_bytes, 16 * 1024 * 1024);
    assert_eq!(config.upstream, None);
    assert_eq!(config.trusted_proxies, []);
    assert_eq!(config.proxy_protocol_from, []);
    assert_eq!(config.request_timeout, Duration::from_secs(30));
    assert_eq!(config.header_timeout, Duration::from_secs(10));
    assert_eq!(config.body_limit, 1024 * 1024);
    assert_eq!(config.max_connections, 10_000);
    assert_eq!(config.client_memory, 64 * 1024 * 1024);
    assert_eq!((config.shutdown_grace, config.last_scrape), (Duration::from_secs(25), Duration::ZERO));
    assert_eq!(config.series_limit, 10_000);
    assert!(config.otlp.is_none());
    assert!(!config.faults);
    assert_eq!(Config::defaults(Role::Receiver).app, "alerts");
}

#[test]
fn every_variable_is_read() {
    let config = read(&[
        ("REDPANE_LISTEN", "[::1]:9000"),
        ("REDPANE_METRICS_LISTEN", "127.0.0.1:9001"),
        ("REDPANE_PANE_LISTEN", "0.0.0.0:9002"),
        ("REDPANE_PANE_TOKEN", "sixteen-letters!"),
        ("REDPANE_APP", "shop"),
        ("REDPANE_LOG", "warn,redpane::access=info"),
        ("REDPANE_LOG_FORMAT", "pretty"),
        ("REDPANE_LOG_BUFFER_BYTES", "2MB"),
        ("REDPANE_LOG_WHEN_FULL", "block"),
        ("REDPANE_ACCESS_SAMPLE", "0.25"),
        ("REDPANE_ACCESS_SLOW", "500ms"),
        ("REDPANE_UPSTREAM", "http://orders:8000/"),
        ("REDPANE_TRUSTED_PROXIES", "10.0.0.0/8, ::1,"),
        ("REDPANE_PROXY_PROTOCOL_FROM", "172.16.0.0/12"),
        ("REDPANE_REQUEST_TIMEOUT", "1m 30s"),
        ("REDPANE_HEADER_TIMEOUT", "250ms"),
        ("REDPANE_BODY_LIMIT", "4096"),
        ("REDPANE_MAX_CONNECTIONS", "12"),
        ("REDPANE_CLIENT_MEMORY", "3MiB"),
        ("REDPANE_SHUTDOWN_GRACE", "0s"),
        ("REDPANE_LAST_SCRAPE", "20s"),
        ("REDPANE_SERIES_LIMIT", "77"),
        ("REDPANE_METRIC_NAMES", "Both"),
        ("REDPANE_TRACE_KEEP", "slow"),
        ("REDPANE_FAULTS", "1"),
    ])
    .expect("all are right");
    assert_eq!(config.listen.to_string(), "[::1]:9000");
    assert_eq!(config.metrics_listen.map(|address| address.port()), Some(9001));
    assert_eq!(config.pane_listen, PaneListen::At(([0, 0, 0, 0], 9002).into()));
    assert_eq!(config.pane_token.as_ref().map(|token| token.as_str()), Some("sixteen-letters!"));
    assert!(!format!("{config:?}").contains("sixteen"), "a secret");
    assert_eq!(config.app, "shop");
    assert!(config.log.would_enable("redpane::access", &tracing::Level::INFO));
    assert!(!config.log.would_enable("hyper", &tracing::Level::INFO));
    assert_eq!(config.log_format, LogFormat::Pretty);
    assert_eq!(config.log_buffer_bytes, 2_000_000);
    assert_eq!(config.log_when_full, OverflowPolicy::Block { deadline: LOG_BLOCK_DEADLINE });
    assert_eq!((config.access_sample, config.access_slow), (0.25, Duration::from_millis(500)));
    assert_eq!(config.upstream.map(|upstream| upstream.to_string()).as_deref(), Some("http://orders:8000"));
    let networks: Vec<_> = config.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["10.0.0.0/8", "::1/128"]);
    assert_eq!(config.proxy_protocol_from, ["172.16.0.0/12".parse().expect("a network")]);
    assert_eq!(config.request_timeout, Duration::from_secs(90));
    assert_eq!(config.header_timeout, Duration::from_millis(250));
    assert_eq!(config.body_limit, 4096);
    assert_eq!(config.max_connections, 12);
    assert_eq!(config.client_memory, 3 * 1024 * 1024);
    assert_eq!((config.shutdown_grace, config.last_scrape), (Duration::ZERO, Duration::from_secs(20)));
    assert_eq!(config.series_limit, 77);
    assert_eq!(config.metric_names, MetricNames::Both);
    assert!(config.faults);
}

#[test]
fn one_message_names_every_bad_variable_its_value_and_what_would_be_right() {
    let bad = [
        ("REDPANE_LISTEN", "localhost"),
        ("REDPANE_METRICS_LISTEN", ":9"),
        ("REDPANE_PANE_LISTEN", "localhost"),
        ("REDPANE_PANE_TOKEN", "***"),
        ("REDPANE_APP", "a b"),
        ("REDPANE_LOG", "inof"),
        ("REDPANE_LOG_FORMAT", "xml"),
        ("REDPANE_LOG_BUFFER_BYTES", "1 byte"),
        ("REDPANE_LOG_WHEN_FULL", "wait"),
        ("REDPANE_ACCESS_SAMPLE", "10%"),
        ("REDPANE_ACCESS_SLOW", "1"),
        ("REDPANE_UPSTREAM", "orders:8000"),
        ("REDPANE_TRUSTED_PROXIES", "10.0.0.0/8,gateway"),
        ("REDPANE_PROXY_PROTOCOL_FROM", "gateway"),
        ("REDPANE_REQUEST_TIMEOUT", "30"),
        ("REDPANE_HEADER_TIMEOUT", "2h"),
        ("REDPANE_BODY_LIMIT", "0"),
        ("REDPANE_MAX_CONNECTIONS", "-1"),
        ("REDPANE_CLIENT_MEMORY", "64KiB"),
        ("REDPANE_SHUTDOWN_GRACE", "soon"),
        ("REDPANE_LAST_SCRAPE", "once"),
        ("REDPANE_SERIES_LIMIT", "1e3"),
        ("REDPANE_METRIC_NAMES", "prometheus"),
        ("REDPANE_TRACE_KEEP", "all"),
        ("REDPANE_FAULTS", "maybe"),
    ];
    assert_eq!(bad.map(|(name, _)| name), VARIABLES);
    let message = read(&bad).expect_err("all are bad").to_string();
    assert!(message.starts_with("cannot start, 25 bad settings:\n"), "{message}");
    for (name, value) in bad {
        let line = message.lines().find(|line| line.contains(&format!("{name} ("))).expect(name);
        assert!(line.contains(&format!("is {value:?}: must be ")), "{line}");
    }
    assert!(message.contains(
        "REDPANE_HEADER_TIMEOUT (--header-timeout) is \"2h\": must be a duration with its unit from 10ms to 1h"
    ));
    assert!(message.contains("such as 127.0.0.1 or 10.0.0.0/8,fd00::/8; \"gateway\" is neither"), "{message}");
    assert!(message.contains("a size from 1 B to 1.0 GiB, such as 1.0 MiB"), "{message}");
}

#[test]
fn the_name_is_that_of_opentelemetry_where_there_is_no_other() {
    let app = |pairs: &[(&str, &str)]| read(pairs).map(|config| config.app);
    assert_eq!(app(&[("OTEL_SERVICE_NAME", "orders")]).as_deref(), Ok("orders"));
    assert_eq!(app(&[("OTEL_SERVICE_NAME", "orders"), ("REDPANE_APP", "api")]).as_deref(), Ok("api"));
    assert_eq!(app(&[("OTEL_SERVICE_NAME", "")]).as_deref(), Ok("api"));
    // Whether spans are exported or not: the name must not change with that.
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=shop,service.name=stock");
    assert_eq!(app(&[attributes]).as_deref(), Ok("stock"));
    assert_eq!(app(&[attributes, ("OTEL_SDK_DISABLED", "true")]).as_deref(), Ok("stock"));
    assert_eq!(app(&[attributes, ("OTEL_SERVICE_NAME", "orders")]).as_deref(), Ok("orders"));
    let message = app(&[("OTEL_SERVICE_NAME", "my shop")]).expect_err("a space").to_string();
    assert!(message.contains("\n  OTEL_SERVICE_NAME is \"my shop\": must be a name of at most 64 bytes"), "{message}");
    assert_eq!(
        app(&[("OTEL_SERVICE_NAME", "my shop"), ("REDPANE_APP", "api")]).as_deref(),
        Ok("api"),
        "of no interest"
    );
}

#[test]
fn spans_are_set_by_opentelemetrys_variables() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://tempo:4318");
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=orders,service.namespace=shop");
    let config = read(&[endpoint, attributes, ("REDPANE_TRACE_KEEP", "none")]).expect("all are right");
    assert_eq!(config.otlp.as_ref().map(Otlp::endpoint), Some("http://tempo:4318/v1/traces"));
    assert_eq!(config.app, "orders");
    assert_eq!(read(&[endpoint, attributes, ("REDPANE_APP", "api")]).expect("all are right").app, "api");
    let message = read(&[endpoint, ("OTEL_RESOURCE_ATTRIBUTES", "service.name=my%20shop")]).expect_err("a space");
    assert!(message.to_string().contains("OTEL_RESOURCE_ATTRIBUTES is \"my shop\": must be a name"), "{message}");
}

#[test]
fn bad_variables_of_opentelemetry_are_named_with_the_others() {
    let message = read(&[
        ("REDPANE_LISTEN", "localhost"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "tempo:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20s3cret,no value"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_BSP_SCHEDULE_DELAY", "5s"),
    ]);
    let message = message.expect_err("all are bad").to_string();
    assert!(message.starts_with("cannot start, 5 bad settings:\n"), "{message}");
    for part in [
        "OTEL_EXPORTER_OTLP_ENDPOINT is \"tempo:4318\": a URL with a host is right",
        "OTEL_EXPORTER_OTLP_HEADERS is ",
        "OTEL_TRACES_SAMPLER is \"sometimes\": ",
        "OTEL_BSP_SCHEDULE_DELAY is \"5s\": a whole number of milliseconds",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains("s3cret"), "{message}");
    let ratio = [("OTEL_TRACES_SAMPLER", "traceidratio"), ("OTEL_TRACES_SAMPLER_ARG", "2")];
    let message = read(&ratio).expect_err("a ratio of 2").to_string();
    assert!(message.contains("OTEL_TRACES_SAMPLER_ARG is \"2\": "), "{message}");
}

#[test]
fn empty_counts_as_unset() {
    let config = read(&[("REDPANE_METRICS_LISTEN", ""), ("REDPANE_BODY_LIMIT", "")]).expect("nothing is set");
    assert_eq!((config.metrics_listen, config.body_limit), (None, 1024 * 1024));
}

#[test]
fn metrics_need_an_address_of_their_own() {
    let both = [("REDPANE_LISTEN", "127.0.0.1:9000"), ("REDPANE_METRICS_LISTEN", "127.0.0.1:9000")];
    let message = read(&both).expect_err("the same address").to_string();
    assert!(message.contains("another address than REDPANE_LISTEN"), "{message}");
    let free = [("REDPANE_LISTEN", "127.0.0.1:0"), ("REDPANE_METRICS_LISTEN", "127.0.0.1:0")];
    assert!(read(&free).is_ok(), "port 0 is a different port each time");
}

#[test]
fn the_pane_needs_an_address_of_its_own() {
    let (api, pane) = ("REDPANE_LISTEN", "REDPANE_PANE_LISTEN");
    let metrics = ("REDPANE_METRICS_LISTEN", "[::]:9001");
    for (taken, wanted, variable) in [
        ((api, "127.0.0.1:9000"), "127.0.0.1:9000", api),
        ((api, "0.0.0.0:9000"), "127.0.0.1:9000", api),
        (metrics, "[::1]:9001", metrics.0),
    ] {
        let message = read(&[taken, (pane, wanted)]).expect_err("the same port").to_string();
        assert!(message.contains(&format!("{pane} (--pane-listen) is \"{wanted}\"")), "{message}");
        assert!(message.contains(&format!("another address than {variable} ({})", taken.1)), "{message}");
    }
    for (taken, wanted) in [("127.0.0.1:0", "127.0.0.1:0"), ("127.0.0.2:9000", "127.0.0.1:9000")] {
        assert!(read(&[(api, taken), (pane, wanted)]).is_ok(), "{taken} leaves {wanted} free");
    }
}

#[test]
fn threads_are_those_that_tokio_is_asked_for() {
    let threads = |value| read(&[("TOKIO_WORKER_THREADS", value)]).map(|config| config.worker_threads);
    assert_eq!(threads("3"), Ok(3));
    assert_eq!(threads(""), Ok(processors()), "tokio itself panics over it");
    for wrong in ["0", "many", "-1"] {
        let message = threads(wrong).expect_err(wrong).to_string();
        assert!(
            message.contains(&format!("TOKIO_WORKER_THREADS is {wrong:?}: must be a whole number from 1")),
            "{message}"
        );
    }
}

#[test]
fn memory_for_clients_has_room_for_a_largest_body() {
    let alone = read(&[("REDPANE_BODY_LIMIT", "65MiB")]).expect("the default grows with it");
    assert_eq!(alone.client_memory, alone.body_limit);
    let both = [("REDPANE_BODY_LIMIT", "65MiB"), ("REDPANE_CLIENT_MEMORY", "64MiB")];
    let message = read(&both).expect_err("less than a body").to_string();
    let expected = "REDPANE_CLIENT_MEMORY (--client-memory) is \"67108864 bytes\": must be at least as much as";
    assert!(message.contains(expected), "{message}");
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;
    let source = |name: &str| (name == "REDPANE_APP").then(|| OsString::from_vec(vec![0x61, 0xff]));
    assert!(Config::read(Role::Serve, &source).is_err());
}

#[test]
fn a_pane_that_others_can_reach_needs_a_token() {
    for address in ["127.0.0.1:9002", "[::1]:0", "127.9.9.9:1"] {
        assert!(read(&[("REDPANE_PANE_LISTEN", address)]).is_ok(), "{address}");
    }
    assert_eq!(read(&[("REDPANE_PANE_LISTEN", "OFF")]).map(|config| config.pane_listen).ok(), Some(PaneListen::Off));
    for (pairs, part) in [
        (&[("REDPANE_PANE_LISTEN", "0.0.0.0:8001")][..], "others can reach this one"),
        (&[("REDPANE_PANE_LISTEN", "10.1.2.3:8001")], "REDPANE_PANE_TOKEN"),
        (&[("REDPANE_PANE_LISTEN", "localhost:8001")], "or off"),
        (&[("REDPANE_PANE_TOKEN", "too short")], "16 to 256 visible ASCII characters"),
        (&[("REDPANE_PANE_TOKEN", "long enough but with spaces")], "16 to 256"),
    ] {
        let message = read(pairs).expect_err("refused").to_string();
        assert!(message.contains(part) && !message.contains("too short"), "{message}");
    }
}

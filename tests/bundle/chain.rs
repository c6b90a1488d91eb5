//! The four services that one `GET /checkout` goes through: the same program under four names, each of which asks the next.

use serde_json::Value;

use crate::files::{Bundle, scalar};
use crate::findings::Findings;

const FILE: &str = "docker-compose.yml";
/// In the order in which they are asked.
const CHAIN: [&str; 4] = ["api", "orders", "stock", "payment"];
/// What is set for all of them at once, in `.env`.
const SHARED: [&str; 7] = [
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "REDPANE_TRACE_KEEP",
    "OTEL_SDK_DISABLED",
    "REDPANE_METRIC_NAMES",
    "REDPANE_ACCESS_SAMPLE",
    "REDPANE_ACCESS_SLOW",
];

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let compose = bundle.value(FILE, &mut findings).unwrap_or_default();
    let image = &compose["services"]["api"]["image"];
    for (index, name) in CHAIN.into_iter().enumerate() {
        let service = &compose["services"][name];
        let environment = &service["environment"];
        let mut expect = |right: bool, key: &str, fault: &str| {
            findings.expect(right, FILE, &format!("services.{name}.{key}"), fault);
        };
        expect(service["image"] == *image, "image", "must be that of api: it is the same program");
        // `api` is the default.
        let named = index == 0 || environment["REDPANE_APP"] == name;
        expect(
            named,
            "environment.REDPANE_APP",
            "must be its own name, the `app` of its lines and the name of its spans",
        );
        let upstream = scalar(&environment["REDPANE_UPSTREAM"]);
        match CHAIN.get(index + 1) {
            Some(next) => expect(
                asks(&upstream, next),
                "environment.REDPANE_UPSTREAM",
                &format!("must be http://{next}:8000: it asks {next}"),
            ),
            None => expect(
                environment.get("REDPANE_UPSTREAM").is_none(),
                "environment.REDPANE_UPSTREAM",
                "must not be set: it is the last one",
            ),
        }
        let sends = environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://otlp:4318";
        expect(
            sends,
            "environment.OTEL_EXPORTER_OTLP_ENDPOINT",
            "must be http://otlp:4318, whoever has that name: its spans are missing else",
        );
        for variable in SHARED {
            let same = environment.get(variable) == Some(&Value::Null);
            expect(same, &format!("environment.{variable}"), "must be handed on: all four take the same");
        }
        expect(index == 0 || service["ports"].is_null(), "ports", "must not be set: only the gateway has clients");
    }
    findings
}

/// Whether an upstream is the service's address, also as the default of a variable.
fn asks(upstream: &str, service: &str) -> bool {
    let address = format!("http://{service}:8000");
    upstream == address || upstream == format!("${{REDPANE_UPSTREAM:-{address}}}")
}

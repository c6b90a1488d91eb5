//! Tempo: where spans arrive, where they are kept and for how long, and what Prometheus gets of them.

use serde_json::Value;

use crate::configs::{expanded, mounts};
use crate::files::{Bundle, items, scalar};
use crate::findings::Findings;

const FILE: &str = "tempo-config.yml";
const COMPOSE: &str = "docker-compose.yml";
/// The volume, and with a read-only root the only place that can be written.
const VOLUME: &str = "/var/tempo";

pub(crate) fn check(bundle: &Bundle) -> Findings {
    let mut findings = Findings::default();
    let tempo = bundle.value(FILE, &mut findings).unwrap_or_default();
    let compose = bundle.value(COMPOSE, &mut findings).unwrap_or_default();
    let prometheus = bundle.value("prometheus.yml", &mut findings).unwrap_or_default();
    arriving(&tempo, &compose, &mut findings);
    keeping(&tempo, &compose, &mut findings);
    making_metrics(&tempo, &prometheus, &compose, &mut findings);
    findings
}

/// Spans arrive from containers of the bundle, and from nowhere else.
fn arriving(tempo: &Value, compose: &Value, findings: &mut Findings) {
    let http = &tempo["distributor"]["receivers"]["otlp"]["protocols"]["http"]["endpoint"];
    let open = *http == "0.0.0.0:4318";
    findings.expect(
        open,
        FILE,
        "distributor.receivers.otlp.protocols.http.endpoint",
        "must be 0.0.0.0:4318: without it Tempo listens on localhost alone",
    );
    let ports = items(&compose["services"]["tempo"]["ports"]);
    let published = ports.iter().any(|port| scalar(port).contains("4318"));
    findings.expect(!published, COMPOSE, "services.tempo.ports", "must not publish 4318: anybody could send spans");
    let off = tempo["usage_report"]["reporting_enabled"] == false;
    findings.expect(off, FILE, "usage_report.reporting_enabled", "must be false: nothing is reported");
}

fn keeping(tempo: &Value, compose: &Value, findings: &mut Findings) {
    let trace = &tempo["storage"]["trace"];
    findings.expect(trace["backend"] == "local", FILE, "storage.trace.backend", "must be local");
    let places = [
        ("storage.trace.local.path", &trace["local"]["path"]),
        ("storage.trace.wal.path", &trace["wal"]["path"]),
        ("metrics_generator.storage.path", &tempo["metrics_generator"]["storage"]["path"]),
    ];
    for (path, place) in places {
        let inside = scalar(place).strip_prefix(VOLUME).is_some_and(|rest| rest.starts_with('/'));
        findings.expect(inside, FILE, path, format!("must lie on the volume, {VOLUME}: the root is read-only"));
    }
    let mounted = mounts(compose, "tempo").iter().any(|(source, target)| target == VOLUME && !source.starts_with('.'));
    findings.expect(mounted, COMPOSE, "services.tempo.volumes", format!("must have a named volume at {VOLUME}"));
    let retention = &tempo["compactor"]["compaction"]["block_retention"];
    findings.expect(
        *retention == "${TEMPO_RETENTION}",
        FILE,
        "compactor.compaction.block_retention",
        "must be ${TEMPO_RETENTION}",
    );
    expanded(FILE, "tempo", tempo, compose, findings);
}

/// Prometheus takes what Tempo makes of the spans, as often as it scrapes.
fn making_metrics(tempo: &Value, prometheus: &Value, compose: &Value, findings: &mut Findings) {
    let generator = &tempo["metrics_generator"];
    let same = generator["registry"]["collection_interval"] == prometheus["global"]["scrape_interval"];
    findings.expect(
        same,
        FILE,
        "metrics_generator.registry.collection_interval",
        "must be the scrape_interval of prometheus.yml, which sizes $__rate_interval",
    );
    let sent = items(&generator["storage"]["remote_write"])
        .iter()
        .any(|to| to["url"] == "http://prometheus:9090/api/v1/write" && to["send_exemplars"] == true);
    findings.expect(
        sent,
        FILE,
        "metrics_generator.storage.remote_write",
        "must send samples and exemplars to Prometheus",
    );
    let taken = scalar(&compose["services"]["prometheus"]["command"]).contains("--web.enable-remote-write-receiver");
    findings.expect(
        taken,
        COMPOSE,
        "services.prometheus.command",
        "must have --web.enable-remote-write-receiver: Tempo sends to it",
    );
    let late = &generator["metrics_ingestion_time_range_slack"];
    findings.expect(
        *late == "1h",
        FILE,
        "metrics_generator.metrics_ingestion_time_range_slack",
        "must be 1h: the map would lack the calls whose spans waited for Tempo longer than its default, 30 s",
    );
    let processors = items(&tempo["overrides"]["defaults"]["metrics_generator"]["processors"]);
    for processor in ["service-graphs", "span-metrics"] {
        findings.expect(
            processors.iter().any(|one| one == processor),
            FILE,
            "overrides.defaults.metrics_generator.processors",
            format!("must have {processor}"),
        );
    }
}

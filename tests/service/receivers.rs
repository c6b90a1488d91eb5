//! The real receivers of spans: Grafana Tempo, the OpenTelemetry Collector, and Grafana Alloy.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use test_support::otlp::{Receiver, hex};
use test_support::process::{Process, Reading, free_address, listening};
use test_support::{client, eventually, find_program};

use super::prometheus::Directory;
use super::redpane;

/// A program with a configuration of its own, once it listens here.
async fn start(mut command: Command, listens: SocketAddr) -> Process {
    command.env("HOME", "/");
    let mut process = Process::spawn(command, Reading::AsItComes);
    eventually("the receiver listens", async || {
        assert!(!process.has_ended(), "{}{}", process.output(), process.errors());
        TcpStream::connect(listens).ok()
    })
    .await;
    process
}

fn write(directory: &Path, name: &str, text: &str) -> String {
    let file = directory.join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

/// A request of one service through another, whose spans all go to this receiver. Its trace id, and the span ids of both lines.
async fn checkout(otlp: SocketAddr, more: &[(&str, &str)]) -> (String, [String; 2]) {
    let base = format!("http://{otlp}");
    let spans = [("OTEL_EXPORTER_OTLP_ENDPOINT", base.as_str())];
    let started = |app, upstream| {
        let own = [("REDPANE_APP", app), ("REDPANE_UPSTREAM", upstream)];
        let variables: Vec<_> = spans.into_iter().chain(own).chain(more.iter().copied()).collect();
        listening(redpane(&[], &variables), Reading::AsItComes)
    };
    let (payment, address) = started("payment", "").await;
    let next = format!("http://{address}");
    let (api, address) = started("api", next.as_str()).await;
    let trace_id = client::get(address, "/checkout").await.header("x-trace-id").to_owned();
    let mut ids = Vec::new();
    for (mut process, exported) in [(api, 4), (payment, 3)] {
        ids.push(process.line("request").await.str("span_id").to_owned());
        process.signal("TERM");
        assert_eq!(process.exit_code().await, 0, "{}", process.errors());
        let last = process.lines().pop().unwrap();
        assert_eq!((&last["exported"], &last["dropped"]), (&exported.into(), &0.into()), "{}", last.text);
    }
    (trace_id, ids.try_into().unwrap())
}

#[tokio::test]
async fn tempo_has_the_whole_trace() {
    let Some(program) = find_program("tempo") else { return };
    let directory = Directory::new("tempo");
    let [http, grpc, otlp] = [free_address(), free_address(), free_address()];
    let data = directory.0.display();
    let config = format!(
        "server: {{http_listen_address: 127.0.0.1, http_listen_port: {}, grpc_listen_address: 127.0.0.1, grpc_listen_port: {}}}\n\
         distributor: {{receivers: {{otlp: {{protocols: {{http: {{endpoint: '{otlp}'}}}}}}}}}}\n\
         querier: {{frontend_worker: {{frontend_address: '{grpc}'}}}}\n\
         ingester: {{lifecycler: {{address: 127.0.0.1, ring: {{kvstore: {{store: inmemory}}, replication_factor: 1}}, min_ready_duration: 0s}}}}\n\
         storage: {{trace: {{backend: local, local: {{path: {data}/blocks}}, wal: {{path: {data}/wal}}}}}}\n\
         usage_report: {{reporting_enabled: false}}\n",
        http.port(),
        grpc.port(),
    );
    let mut command = Command::new(program);
    command.arg(format!("-config.file={}", write(&directory.0, "tempo.yml", &config)));
    let tempo = start(command, otlp).await;
    for compression in ["none", "gzip"] {
        let (trace_id, _) = checkout(otlp, &[("OTEL_EXPORTER_OTLP_COMPRESSION", compression)]).await;
        let path = format!("/api/traces/{trace_id}");
        let trace = eventually("Tempo has the trace", async || {
            TcpStream::connect(http).ok()?;
            let answer = client::get(http, &path).await;
            assert!(!tempo.errors().contains("panic"), "{}", tempo.errors());
            let trace: Value = serde_json::from_slice(&answer.body).ok()?;
            (spans(&trace).len() == 7).then_some(trace)
        });
        let trace = trace.await;
        let found = spans(&trace);
        let of_kind = |kind: &str| found.iter().filter(|span| span["kind"] == kind).count();
        let kinds = ["SPAN_KIND_SERVER", "SPAN_KIND_CLIENT", "SPAN_KIND_INTERNAL"].map(of_kind);
        assert_eq!(kinds, [2, 1, 4], "{trace}");
        let services: Vec<_> =
            trace["batches"].as_array().unwrap().iter().map(|batch| batch["resource"].to_string()).collect();
        assert!(
            ["api", "payment"].iter().all(|app| services.iter().any(|of| of.contains(&format!("\"{app}\"")))),
            "{trace}"
        );
    }
}

/// All spans of an answer of Tempo's.
fn spans(trace: &Value) -> Vec<&Value> {
    let batches = trace["batches"].as_array().into_iter().flatten();
    let scopes = batches.flat_map(|batch| batch["scopeSpans"].as_array().into_iter().flatten());
    scopes.flat_map(|scope| scope["spans"].as_array().into_iter().flatten()).collect()
}

/// What the receiver behind a collector got is what the two services have exported.
async fn forwards(name: &str, otlp: SocketAddr, behind: &Receiver) {
    let (trace_id, lines) = checkout(otlp, &[]).await;
    let got = eventually("all spans are passed on", async || {
        let spans = behind.spans();
        (spans.len() >= 7).then_some(spans)
    });
    let got = got.await;
    assert!(got.len() == 7 && got.iter().all(|span| hex(&span.trace_id) == trace_id), "{name}: {got:#?}");
    for line in lines {
        assert!(got.iter().any(|span| hex(&span.span_id) == line), "{name} has not got {line}");
    }
}

#[tokio::test]
async fn the_collector_passes_all_of_it_on() {
    let Some(program) = find_program("otelcol") else { return };
    let directory = Directory::new("otelcol");
    let (behind, otlp) = (Receiver::start().await, free_address());
    let config = format!(
        "receivers: {{otlp: {{protocols: {{http: {{endpoint: '{otlp}'}}}}}}}}\n\
         exporters: {{otlphttp: {{traces_endpoint: '{}', tls: {{insecure: true}}}}}}\n\
         service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlphttp]}}}}, telemetry: {{metrics: {{level: none}}}}}}\n",
        behind.endpoint(),
    );
    let mut command = Command::new(program);
    command.arg(format!("--config={}", write(&directory.0, "otelcol.yml", &config)));
    let _collector = start(command, otlp).await;
    forwards("the Collector", otlp, &behind).await;
}

#[tokio::test]
async fn alloy_passes_all_of_it_on() {
    let Some(program) = find_program("alloy") else { return };
    let directory = Directory::new("alloy");
    let (behind, otlp, own) = (Receiver::start().await, free_address(), free_address());
    let base = behind.endpoint();
    let config = format!(
        "otelcol.receiver.otlp \"spans\" {{\n  http {{ endpoint = \"{otlp}\" }}\n  output {{ traces = [otelcol.exporter.otlphttp.on.input] }}\n}}\n\
         otelcol.exporter.otlphttp \"on\" {{\n  client {{ endpoint = \"{}\" }}\n}}\n",
        base.trim_end_matches("/v1/traces"),
    );
    let mut command = Command::new(program);
    command.args(["run", "--disable-reporting"]).arg(format!("--server.http.listen-addr={own}"));
    command.arg(format!("--storage.path={}", directory.0.join("data").display()));
    command.arg(write(&directory.0, "config.alloy", &config));
    let _alloy = start(command, otlp).await;
    forwards("Alloy", otlp, &behind).await;
}

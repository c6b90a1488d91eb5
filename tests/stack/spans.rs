//! One request through four services: its spans in Tempo, its lines in Loki and the map of calls in Prometheus, by one trace id.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::bundle::{Bundle, eventually};
use crate::http::{Request, get, send};
use crate::queries::Labels;
use crate::traffic::Sent;

/// In the order in which they are asked.
pub(crate) const CHAIN: [&str; 4] = ["api", "orders", "stock", "payment"];

/// A span as Tempo gives it. Ids are base64.
struct Span {
    app: String,
    id: String,
    parent: String,
    kind: String,
}

pub(crate) fn one_request_leaves_spans_and_lines_in_every_service(bundle: &Bundle) {
    let id = check_out(bundle);
    let spans = eventually("the spans of all four services are in Tempo", 60, || {
        let spans = spans(bundle, &id);
        let servers: BTreeSet<&str> =
            spans.iter().filter(|span| span.kind == "SPAN_KIND_SERVER").map(|span| span.app.as_str()).collect();
        if servers == BTreeSet::from(CHAIN) { Ok(spans) } else { Err(format!("{id}: server spans of {servers:?}")) }
    });
    let of = |app: &str, kind: &str| {
        let mut found = spans.iter().filter(|span| span.app == app && span.kind == kind);
        let span = found.next().unwrap_or_else(|| panic!("no {kind} of {app}"));
        assert!(found.next().is_none(), "{app} has two spans of kind {kind}");
        span
    };
    for pair in CHAIN.windows(2) {
        let (server, call) = (of(pair[0], "SPAN_KIND_SERVER"), of(pair[0], "SPAN_KIND_CLIENT"));
        assert_eq!(call.parent, server.id, "{} calls from within its request", pair[0]);
        assert_eq!(of(pair[1], "SPAN_KIND_SERVER").parent, call.id, "{} is called by {}", pair[1], pair[0]);
    }
    for app in CHAIN {
        let line = eventually("the line of each service", 60, || {
            let lines =
                bundle.lines(&format!(r#"{{app="{app}"}} | trace_id="{id}" | json message | message="request""#));
            lines.into_iter().next().ok_or_else(|| format!("no line of {app} with trace {id}"))
        });
        let line: Value = serde_json::from_str(&line.text).unwrap();
        let own = base64(line["span_id"].as_str().unwrap());
        assert_eq!(own, of(app, "SPAN_KIND_SERVER").id, "the line and the span of {app} have one id");
    }
    map_of_calls(bundle);
    println!("  trace {id}: {} spans of {CHAIN:?}, a line of each with the id of its span", spans.len());

    bundle.compose(&["restart", "tempo"]);
    bundle.wait_until_healthy();
    eventually("the trace is there after a restart of Tempo", 60, || {
        let kept = self::spans(bundle, &id).len();
        if kept == spans.len() { Ok(()) } else { Err(format!("{kept} of {} spans", spans.len())) }
    });
}

/// What was sent while Tempo was away waited in the services: each request has its span, and none was dropped.
pub(crate) fn every_request_has_its_span(bundle: &Bundle, sent: &Sent) {
    let mut missing: Vec<&str> = sent.answered.iter().map(|one| one.trace_id.as_str()).collect();
    eventually("every request has its span in Tempo", 120, || {
        missing.retain(|id| {
            let of_api = |span: &&Span| span.app == "api" && span.kind == "SPAN_KIND_SERVER";
            let found = spans(bundle, id).iter().filter(of_api).count();
            assert!(found < 2, "the request with trace {id} has {found} spans");
            found == 0
        });
        if missing.is_empty() { Ok(()) } else { Err(format!("{} have none, {} first", missing.len(), missing[0])) }
    });
    let dropped = bundle.promql("sum by (app) (trace_spans_dropped_total)");
    let exported = bundle.promql("sum by (app) (trace_spans_exported_total) > 0");
    for app in CHAIN {
        let of = |found: &[(Labels, f64)]| found.iter().find(|(labels, _)| labels["app"] == app).map(|found| found.1);
        assert_eq!(of(&dropped), Some(0.0), "{app} dropped spans, or does not say so");
        assert!(of(&exported).is_some(), "{app} exported no span: {exported:?}");
    }
    println!("  {} requests around its restart = spans, each once, none dropped", sent.answered.len());
}

/// Sends one checkout and gives its trace id.
pub(crate) fn check_out(bundle: &Bundle) -> String {
    let request = Request { method: "GET", path: "/checkout", headers: &[], body: "" };
    let answer = send(bundle.api, &request).unwrap();
    assert_eq!(answer.json()["hops"], serde_json::json!(CHAIN[1..]));
    answer.header("x-trace-id").unwrap().to_owned()
}

/// What Tempo makes of the spans reaches Prometheus: each call of the chain, and whoever calls `api`, whom Tempo names `user`.
fn map_of_calls(bundle: &Bundle) {
    let query = "sum by (client, server) (traces_service_graph_request_total) > 0";
    eventually("the map of calls is in Prometheus", 120, || {
        // Tempo begins with the first spans it sees, so some come later.
        check_out(bundle);
        let found = bundle.promql(query);
        let found: BTreeSet<(&str, &str)> =
            found.iter().map(|(labels, _)| (labels["client"].as_str(), labels["server"].as_str())).collect();
        let calls = CHAIN.windows(2).map(|pair| (pair[0], pair[1]));
        let all = calls.chain([("user", CHAIN[0])]).all(|call| found.contains(&call));
        if all { Ok(()) } else { Err(format!("{found:?}")) }
    });
}

/// How many spans Tempo has of a trace.
pub(crate) fn count(bundle: &Bundle, id: &str) -> usize {
    spans(bundle, id).len()
}

/// The spans of a trace; none while Tempo does not know it.
fn spans(bundle: &Bundle, id: &str) -> Vec<Span> {
    let answer = get(bundle.tempo, &format!("/api/traces/{id}"));
    if answer.status == 404 {
        return Vec::new();
    }
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for batch in list(&answer.json()["batches"]) {
        let attributes = list(&batch["resource"]["attributes"]);
        let app =
            attributes.iter().find(|one| one["key"] == "service.name").map(|one| text(&one["value"]["stringValue"]));
        for span in list(&batch["scopeSpans"]).iter().flat_map(|scope| list(&scope["spans"])) {
            found.push(Span {
                app: app.clone().unwrap_or_default(),
                id: text(&span["spanId"]),
                parent: text(&span["parentSpanId"]),
                kind: text(&span["kind"]),
            });
        }
    }
    found
}

/// The base64 of an id in hexadecimal digits.
fn base64(id: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = (0..id.len() / 2).map(|at| u8::from_str_radix(&id[at * 2..at * 2 + 2], 16).unwrap()).collect();
    let mut result = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let letter = char::from(LETTERS[(bits >> (18 - 6 * place)) as usize & 63]);
            result.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    result
}

#[test]
fn ids_are_written_as_tempo_writes_them() {
    assert_eq!(base64("26ee61bf6469e7d218f67b01677e816b"), "Ju5hv2Rp59IY9nsBZ36Baw==");
    assert_eq!(base64("a73b4511a8ae018b"), "pztFEaiuAYs=");
}

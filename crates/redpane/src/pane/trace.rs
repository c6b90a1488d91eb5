//! The answer of `api/traces/{id}`: the lines of a trace in their order, and its spans.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Map, Value};

use super::answer::{Answer, blocking, json_text};
use super::lines::filter::Filter;
use super::lines::search::{Bounds, Found, search};
use super::lines_query;
use super::parameters::Parameters;
use super::problem::{Problem, shown};
use super::span::Span;
use super::state::Pane;

/// The most lines, and the most spans.
const MOST: usize = 2000;
/// The most bytes of lines.
const BYTES: usize = 4 * 1024 * 1024;

/// Fields of an access line, and the attributes that spans have for them.
const ATTRIBUTES: [(&str, &str); 7] = [
    ("method", "http.request.method"),
    ("route", "http.route"),
    ("path", "url.path"),
    ("status", "http.response.status_code"),
    ("client", "client.address"),
    ("user_agent", "user_agent.original"),
    ("outcome", "redpane.outcome"),
];

/// The whole answer.
pub(super) async fn answer(pane: &Arc<Pane>, id: &str, query: Option<&str>) -> Answer {
    Parameters::of(query).finish()?;
    let bad = || Problem::bad_request(format!("{} is no trace id: must be 32 hexadecimal digits", shown(id)));
    let id = lines_query::trace_id(id).ok_or_else(bad)?;
    let found = blocking(pane, move |pane| read(pane, &id)).await?;
    let missing = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "neither a line nor a span of this trace is held; the newest 16 MiB of lines are",
        )
    };
    found.map(json_text).ok_or_else(missing)
}

/// The same as JSON; `None` where nothing of the trace is held.
fn read(pane: &Pane, id: &str) -> Option<Vec<u8>> {
    let mut filter = Filter::default();
    filter.field("trace_id", id);
    let bounds = Bounds { since: 0, before: u64::MAX, lines: MOST, bytes: BYTES, count_more: false };
    let mut page = search(&pane.lines, &filter, bounds);
    page.lines.reverse();
    let mut spans = exported(pane, id);
    let mut more = page.next_before.is_some() || spans.len() > MOST;
    spans.truncate(MOST);
    for span in page.lines.iter().filter_map(from_line) {
        if spans.iter().all(|known| known.span_id != span.span_id) {
            more |= spans.len() >= MOST;
            spans.push(span);
        }
    }
    if page.lines.is_empty() && spans.is_empty() {
        return None;
    }
    spans.truncate(MOST);
    spans.sort_by(|one, other| one.start_ms.total_cmp(&other.start_ms));
    let mut out = format!("{{\"trace_id\":\"{id}\",\"spans\":").into_bytes();
    serde_json::to_writer(&mut out, &spans).ok()?;
    out.push(b',');
    lines_query::write(&mut out, page.lines.iter());
    out.extend_from_slice(format!(",\"more\":{more}}}").as_bytes());
    Some(out)
}

/// The spans of a trace that were exported.
fn exported(pane: &Pane, id: &str) -> Vec<Span> {
    let (Some(store), Some(host)) = (&pane.spans, pane.host()) else { return Vec::new() };
    store.batches().iter().flat_map(|batch| host.decode_spans(batch, id)).collect()
}

/// The span that an access line tells of.
fn from_line(found: &Found) -> Option<Span> {
    let line: Map<String, Value> = serde_json::from_slice(found.line()).ok()?;
    let text = |key: &str| line.get(key).and_then(Value::as_str);
    if text("message") != Some("request") || text("target") != Some("redpane::access") {
        return None;
    }
    let seconds = line.get("duration_seconds")?.as_f64()?;
    let ended = humantime::parse_rfc3339(text("timestamp")?).ok()?;
    let ended = ended.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs_f64();
    let attributes = ATTRIBUTES.iter().filter_map(|(field, name)| {
        let value = line.get(*field).filter(|value| !value.is_null())?;
        Some(((*name).to_owned(), value.clone()))
    });
    Some(Span {
        span_id: text("span_id")?.to_owned(),
        parent_span_id: text("parent_span_id").map(str::to_owned),
        name: format!("{} {}", text("method")?, text("route")?),
        kind: "server",
        start_ms: ((ended - seconds) * 1e6).round() / 1e3,
        duration_seconds: seconds,
        error: text("level") == Some("ERROR"),
        status_message: text("error").map(str::to_owned),
        attributes: attributes.collect(),
        source: "access_line",
    })
}

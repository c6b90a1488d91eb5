//! The answer of `api/lines`, parameters that say which lines are wanted, and lines as JSON.

use std::sync::Arc;

use super::answer::{Answer, blocking, json_text};
use super::lines::filter::Filter;
use super::lines::head::LEVELS;
use super::lines::search::{Bounds, Found, search};
use super::parameters::Parameters;
use super::problem::{Problem, shown};
use super::state::Pane;

/// The most fields that must hold, and the longest text that is looked for, in bytes.
const FIELDS: usize = 8;
const CONTAINS: usize = 256;
/// The most bytes of lines in an answer, beyond the first.
const BYTES: usize = 1024 * 1024;
/// The longest value of a field.
const VALUE: usize = 2048;

/// The answer of `api/lines`.
pub(super) async fn answer(pane: &Arc<Pane>, query: Option<&str>) -> Answer {
    let mut parameters = Parameters::of(query);
    let mut wanted = filter(&mut parameters)?;
    (wanted.from_ms, wanted.to_ms) = (parameters.time("from")?, parameters.time("to")?);
    if let (Some(from), Some(to)) = (wanted.from_ms, wanted.to_ms)
        && from >= to
    {
        return Err(Problem::bad_request("from is not before to"));
    }
    let limit = |text: &str| text.parse().ok().filter(|limit| (1..=1000).contains(limit));
    let limit = parameters.read("limit", "a whole number from 1 to 1000", limit)?.unwrap_or(200);
    let before = parameters.read("before", "the id of a line", |text| text.parse().ok())?;
    parameters.finish()?;
    let bounds = Bounds { since: 0, before: before.unwrap_or(u64::MAX), lines: limit, bytes: BYTES, count_more: false };
    let answer = blocking(pane, move |pane| {
        let page = search(&pane.lines, &wanted, bounds);
        let mut out = vec![b'{'];
        write(&mut out, page.lines.iter());
        let next = page.next_before.map_or("null".into(), |id| id.to_string());
        let oldest = pane.lines.held().1.map_or("null".into(), |time| time.to_string());
        let more = page.next_before.is_some();
        out.extend_from_slice(
            format!(",\"more\":{more},\"next_before\":{next},\"oldest_line_ms\":{oldest}}}").as_bytes(),
        );
        out
    });
    Ok(json_text(answer.await?))
}

/// Method and route, where one is wanted.
pub(super) type Endpoint = Option<(String, String)>;

/// Reads `method` and `route`, which belong together.
pub(super) fn endpoint(parameters: &mut Parameters) -> Result<Endpoint, Problem> {
    match (parameters.one("method")?, parameters.one("route")?) {
        (Some(method), Some(route)) => Ok(Some((method, route))),
        (None, None) => Ok(None),
        _ => Err(Problem::bad_request("method and route belong together: give both or none")),
    }
}

/// Reads what a line must have, but for its time.
pub(super) fn filter(parameters: &mut Parameters) -> Result<Filter, Problem> {
    let mut filter = Filter::default();
    let level = |text: &str| LEVELS.iter().position(|level| level.eq_ignore_ascii_case(text));
    filter.level = parameters.read("level", "error, warn, info, debug or trace", level)?;
    let bounded = |text: &str| (text.len() <= VALUE).then(|| text.to_owned());
    for name in ["method", "route"] {
        if let Some(value) = parameters.read(name, "at most 2048 bytes long", bounded)? {
            filter.field(name, &value);
        }
    }
    if let Some(id) = parameters.read("trace_id", "32 hexadecimal digits", trace_id)? {
        filter.field("trace_id", &id);
    }
    for field in parameters.many("field", FIELDS)? {
        let (key, value) =
            field.split_once(':').filter(|(key, _)| !key.is_empty() && field.len() <= VALUE).ok_or_else(|| {
                Problem::bad_request(format!("field is {}: must be key:value, at most {VALUE} bytes", shown(&field)))
            })?;
        filter.field(key, value);
    }
    if let Some(text) = parameters.one("contains")? {
        if text.len() > CONTAINS {
            let detail = format!("contains has {} bytes: at most {CONTAINS} are right", text.len());
            return Err(Problem::bad_request(detail));
        }
        filter.contains(&text);
    }
    Ok(filter)
}

/// A trace id in lower case.
pub(super) fn trace_id(text: &str) -> Option<String> {
    let is_id = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_ascii_lowercase())
}

/// Appends `"lines":[{"id":…,"line":{…}},…]`. Lines are JSON as they are.
pub(super) fn write<'a>(out: &mut Vec<u8>, lines: impl Iterator<Item = &'a Found>) {
    out.extend_from_slice(b"\"lines\":[");
    for (number, found) in lines.enumerate() {
        if number > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"id\":");
        out.extend_from_slice(itoa::Buffer::new().format(found.id).as_bytes());
        out.extend_from_slice(b",\"line\":");
        out.extend_from_slice(found.line());
        out.push(b'}');
    }
    out.push(b']');
}

//! The addresses of a pane.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Path, Request, State};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};

use super::guard::{Access, Guard, check, harden};
use super::input::Host;
use super::lines::search::{Bounds, search};
use super::live::Feed;
use super::overview::{self, Filter, Overview};
use super::parameters::Parameters;
use super::problem::{Problem, shown};
use super::series::{self, Query};
use super::state::Pane;
use super::timeline::Range;
use super::{lines_query, page, trace};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// The most names of series, and the most bytes of a body.
const NAMES: usize = 16;
const BODY: usize = 8 * 1024;
/// How long a changed log filter may last.
const FILTER_TIME: std::ops::RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(24 * 3600);

type Answer = Result<Response, Problem>;
type App = State<Arc<Pane>>;

/// All addresses, behind what `access` asks for.
pub(crate) fn router(pane: &Arc<Pane>, access: Access) -> Router {
    let guard = Arc::new(Guard::new(pane, access));
    Router::new()
        .route("/", get(index))
        .route("/assets/{hash}/{*name}", get(asset))
        .route("/api/overview", get(overview))
        .route("/api/routes", get(routes))
        .route("/api/series", get(series))
        .route("/api/lines", get(lines))
        .route("/api/traces/{id}", get(trace))
        .route("/api/live", get(live))
        .route("/api/log-filter", get(filter).put(set_filter).delete(restore_filter))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown)
        .with_state(Arc::clone(pane))
        .layer(from_fn_with_state(guard, check))
        .layer(from_fn(page::compress))
        .layer(map_response(harden))
}

/// The page. Its addresses are relative, so its own must end in a slash.
async fn index(OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Response {
    if uri.path().ends_with('/') {
        return page::index(&headers);
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // What begins with two slashes would be another host.
    let path = uri.path().trim_start_matches('/');
    let location = HeaderValue::try_from(format!("/{path}/{query}")).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response()
}

async fn asset(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Answer {
    let missing = || Problem::new(StatusCode::NOT_FOUND, format!("there is no file {} of this build", shown(&name)));
    page::file(&hash, &name, &headers).ok_or_else(missing)
}

async fn overview(State(pane): App, uri: Uri) -> Answer {
    Parameters::of(uri.query()).finish()?;
    let mut overview = Overview::read(&pane).ok_or_else(ended)?;
    overview.metrics = Some(overview::metrics(&pane));
    Ok(json(&overview))
}

async fn routes(State(pane): App, uri: Uri) -> Answer {
    #[derive(Serialize)]
    struct Routes {
        from_ms: u64,
        to_ms: u64,
        step_seconds: u64,
        routes: Vec<overview::RouteState>,
    }
    let mut parameters = Parameters::of(uri.query());
    let history = pane.history();
    let range = range(&mut parameters, &history.timeline)?
        .ok_or_else(|| Problem::bad_request("from and to are needed: Unix time in whole milliseconds"))?;
    parameters.finish()?;
    let routes = overview::routes(&history, range);
    Ok(json(&Routes { from_ms: range.start_ms(), to_ms: range.end_ms(), step_seconds: range.step_seconds(), routes }))
}

/// Reads `from` and `to`, which belong together.
fn range(parameters: &mut Parameters, timeline: &super::timeline::Timeline) -> Result<Option<Range>, Problem> {
    match (parameters.time("from")?, parameters.time("to")?) {
        (Some(from), Some(to)) if from < to => Ok(Some(timeline.range(from, to))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Problem::bad_request("from is not before to")),
        _ => Err(Problem::bad_request("from and to belong together: give both or none")),
    }
}

async fn series(State(pane): App, uri: Uri) -> Answer {
    let mut parameters = Parameters::of(uri.query());
    let names = parameters.many("name", NAMES)?;
    let length = |text: &str| ["15m", "3h", "24h"].iter().position(|range| *range == text);
    let length = parameters.read("range", "15m, 3h or 24h", length)?;
    let endpoint = lines_query::endpoint(&mut parameters)?;
    let history = pane.history();
    let between = range(&mut parameters, &history.timeline)?;
    parameters.finish()?;
    if names.is_empty() {
        return Err(Problem::bad_request(
            "name is needed: one of requests, errors, error_ratio, latency, heatmap, in_flight, cpu, memory, or a metric's",
        ));
    }
    let range = match (between, length) {
        (Some(_), Some(_)) => return Err(Problem::bad_request("range stands for from and to: give one of both")),
        (Some(range), None) => range,
        (None, length) => history.timeline.newest(length.unwrap_or(0), u64::MAX),
    };
    Ok(json(&series::read(&history, &Query { names, endpoint }, range)))
}

async fn lines(State(pane): App, uri: Uri) -> Answer {
    let mut parameters = Parameters::of(uri.query());
    let mut filter = lines_query::filter(&mut parameters)?;
    (filter.from_ms, filter.to_ms) = (parameters.time("from")?, parameters.time("to")?);
    let limit = |text: &str| text.parse().ok().filter(|limit| (1..=1000).contains(limit));
    let limit = parameters.read("limit", "a whole number from 1 to 1000", limit)?.unwrap_or(200);
    let before = parameters.read("before", "the id of a line", |text| text.parse().ok())?;
    parameters.finish()?;
    let bounds =
        Bounds { since: 0, before: before.unwrap_or(u64::MAX), lines: limit, bytes: usize::MAX, count_more: false };
    let answer = blocking(&pane, move |pane| {
        let page = search(&pane.lines, &filter, bounds);
        let mut out = vec![b'{'];
        lines_query::write(&mut out, page.lines.iter());
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

async fn trace(State(pane): App, Path(id): Path<String>, uri: Uri) -> Answer {
    Parameters::of(uri.query()).finish()?;
    let bad = || Problem::bad_request(format!("{} is no trace id: must be 32 hexadecimal digits", shown(&id)));
    let id = lines_query::trace_id(&id).ok_or_else(bad)?;
    let found = blocking(&pane, move |pane| trace::read(pane, &id)).await?;
    let missing = || {
        Problem::new(
            StatusCode::NOT_FOUND,
            "neither a line nor a span of this trace is held; the newest 16 MiB of lines are",
        )
    };
    found.map(json_text).ok_or_else(missing)
}

async fn live(State(pane): App, uri: Uri) -> Answer {
    let mut parameters = Parameters::of(uri.query());
    let mut names = parameters.many("series", NAMES)?;
    if names.is_empty() {
        names = series::DEFAULT.map(str::to_owned).into();
    }
    let wants_lines = |text: &str| ["0", "1"].iter().position(|choice| *choice == text);
    let wants_lines = parameters.read("lines", "0 or 1", wants_lines)?.unwrap_or(1) == 1;
    let endpoint = lines_query::endpoint(&mut Parameters::of(uri.query()))?;
    let filter = lines_query::filter(&mut parameters)?;
    parameters.finish()?;
    let full = || {
        let detail = "16 viewers watch this pane, and there is no room for more: close one of them";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).header(header::RETRY_AFTER, "5")
    };
    let viewer = pane.viewers.enter(std::time::Instant::now()).ok_or_else(full)?;
    let feed = Feed::new(&pane, viewer, wants_lines.then_some(filter), Query { names, endpoint });
    let events = futures_util::stream::unfold(feed, |mut feed| async move {
        feed.next().await.map(|event| (Ok::<_, std::convert::Infallible>(event), feed))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        // A proxy that collects answers would hold events back.
        (header::HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

async fn filter(State(pane): App, uri: Uri) -> Answer {
    Parameters::of(uri.query()).finish()?;
    filter_answer(&*pane.host().ok_or_else(ended)?)
}

fn filter_answer(host: &dyn Host) -> Answer {
    Ok(json(&Filter::from(host.filter())))
}

async fn set_filter(State(pane): App, request: Request) -> Answer {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        directives: String,
        r#for: String,
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        let detail = "the Content-Type must be application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
    }
    let too_large = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body must be at most 8192 bytes, and whole");
    let body = to_bytes(request.into_body(), BODY).await.map_err(too_large)?;
    let unusable = |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, detail);
    let wanted: Wanted = serde_json::from_slice(&body).map_err(|error| {
        let right = "{\"directives\":\"debug\",\"for\":\"10m\"}";
        match error.is_data() {
            true => unusable(format!("{error}: must be like {right}")),
            false => Problem::bad_request(format!("the body is no JSON: {error}; right is {right}")),
        }
    })?;
    let time = humantime::parse_duration(&wanted.r#for).ok().filter(|time| FILTER_TIME.contains(time));
    let time = time.ok_or_else(|| {
        unusable(format!(
            "for is {}: must be a duration with its unit from 1s to 24h, such as 10m",
            shown(&wanted.r#for)
        ))
    })?;
    let host = pane.host().ok_or_else(ended)?;
    host.set_filter(&wanted.directives, time).map_err(unusable)?;
    filter_answer(&*host)
}

async fn restore_filter(State(pane): App) -> Answer {
    let host = pane.host().ok_or_else(ended)?;
    host.restore_filter();
    filter_answer(&*host)
}

/// Runs what takes milliseconds where it holds nobody up, few at a time.
async fn blocking<T: Send + 'static>(
    pane: &Arc<Pane>,
    work: impl FnOnce(&Pane) -> T + Send + 'static,
) -> Result<T, Problem> {
    let failed = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the search failed");
    let turn = Arc::clone(&pane.searches).acquire_owned().await.map_err(|_| failed())?;
    let pane = Arc::clone(pane);
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&pane);
        drop(turn);
        done
    });
    done.await.map_err(|_| failed())
}

async fn unknown(uri: OriginalUri, stripped: Uri, headers: HeaderMap) -> Response {
    // Where it is nested at `/pane`, `/pane/` arrives here.
    if stripped.path() == "/" {
        return index(uri, headers).await;
    }
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", shown(stripped.path()))).into_response()
}

async fn wrong_method(method: Method) -> Response {
    let detail = format!("{} is not possible here; the Allow header says what is", shown(method.as_str()));
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).into_response()
}

fn ended() -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the telemetry of this pane has ended")
}

fn json(answer: &impl Serialize) -> Response {
    match serde_json::to_vec(answer) {
        Ok(text) => json_text(text),
        Err(error) => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn json_text(text: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, JSON)], text).into_response()
}

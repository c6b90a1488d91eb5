//! The answer of `api/live`: a feed of server-sent events (WHATWG HTML, section 9.2).

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::response::IntoResponse;
use http::{HeaderName, HeaderValue, StatusCode, header};

use super::answer::Answer;
use super::feed::Feed;
use super::lines_query;
use super::parameters::Parameters;
use super::problem::Problem;
use super::series::{self, Query};
use super::state::Pane;

/// Opens a feed, if there is room for one more viewer.
pub(super) fn answer(pane: &Arc<Pane>, query: Option<&str>) -> Answer {
    let mut parameters = Parameters::of(query);
    let mut names = parameters.many("series", series::NAMES)?;
    if names.is_empty() {
        names = series::DEFAULT.map(str::to_owned).into();
    }
    let wants_lines = |text: &str| ["0", "1"].iter().position(|choice| *choice == text);
    let wants_lines = parameters.read("lines", "0 or 1", wants_lines)?.unwrap_or(1) == 1;
    let endpoint = lines_query::endpoint(&mut Parameters::of(query))?;
    let filter = lines_query::filter(&mut parameters)?;
    parameters.finish()?;
    let full = || {
        let detail = "16 viewers watch this pane, and there is no room for more: close one of them";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).header(header::RETRY_AFTER, "5")
    };
    let viewer = pane.viewers.enter(Instant::now()).ok_or_else(full)?;
    let feed = Feed::new(pane, viewer, wants_lines.then_some(filter), Query { names, endpoint });
    let events = futures_util::stream::unfold(feed, |mut feed| async move {
        feed.next().await.map(|event| (Ok::<_, Infallible>(event), feed))
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        // A proxy that collects answers would hold events back.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

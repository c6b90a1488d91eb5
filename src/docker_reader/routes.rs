//! The part of Docker's API that a log collector asks for.

use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path as InPath, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderName, Method, StatusCode, header};
use redpane::problem::Problem;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, watch};

use super::deduplicate;
use super::docker::{Docker, DockerError};
use super::keep_open::{self, Then};
use super::lives::{Lives, Span};
use super::loki::Loki;
use super::moment;
use super::resume::Resume;
use super::store::Store;
use crate::log_targets::DOCKER_READER;

/// What of a container is shown. Not its command line, nor its mounts.
const SHOWN: [&str; 7] = ["Id", "Names", "Labels", "Ports", "HostConfig", "NetworkSettings", "State"];

/// Where things are.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    /// The socket of the Docker daemon.
    pub(crate) socket: &'a Path,
    /// The file that keeps the lives of containers.
    pub(crate) lives: &'a Path,
    /// Host and port of the Loki that the collector sends to.
    pub(crate) loki: &'a str,
    /// Becomes true when the program ends: streams end then.
    pub(crate) ending: watch::Receiver<bool>,
}

struct Reader {
    docker: Docker,
    loki: Loki,
    known: Mutex<(Lives, Store)>,
    /// Tells whoever waits for it that `known` is another.
    changes: watch::Sender<()>,
    ending: watch::Receiver<bool>,
}

/// Methods and routes, to be preregistered. Those with a version of the API before them are what Docker's clients use.
pub(crate) fn routes() -> Vec<(Method, &'static str)> {
    let paths = [LIST, NETWORKS, INSPECT, LOGS, VERSIONED_LIST, VERSIONED_NETWORKS, VERSIONED_INSPECT, VERSIONED_LOGS];
    paths.into_iter().chain([PING, REACHABLE]).map(|path| (Method::GET, path)).collect()
}

const PING: &str = "/_ping";
const REACHABLE: &str = "/reachable";
const LIST: &str = "/containers/json";
const NETWORKS: &str = "/networks";
const INSPECT: &str = "/containers/{id}/json";
const LOGS: &str = "/containers/{id}/logs";
const VERSIONED_LIST: &str = "/{version}/containers/json";
const VERSIONED_NETWORKS: &str = "/{version}/networks";
const VERSIONED_INSPECT: &str = "/{version}/containers/{id}/json";
const VERSIONED_LOGS: &str = "/{version}/containers/{id}/logs";

/// The API, and `/reachable`: 200 while Docker can list containers, else 503 with what to set.
pub(crate) fn router(options: Options<'_>) -> Router {
    let (store, lives) = Store::open(options.lives);
    let docker = Docker::at(options.socket);
    let (loki, known) = (Loki::at(options.loki), Mutex::new((lives, store)));
    let reader = Arc::new(Reader { docker, loki, known, changes: watch::Sender::new(()), ending: options.ending });
    // Labels of networks are nobody's concern here, and a list of none is a list.
    let networks = || async { Json(json!([])) };
    Router::new()
        .route(PING, get(ping))
        .route(REACHABLE, get(reachable))
        .route(LIST, get(list))
        .route(VERSIONED_LIST, get(list))
        .route(NETWORKS, get(networks))
        .route(VERSIONED_NETWORKS, get(networks))
        .route(INSPECT, get(inspect))
        .route(VERSIONED_INSPECT, get(inspect))
        .route(LOGS, get(logs))
        .route(VERSIONED_LOGS, get(logs))
        .with_state(reader)
}

type Answer = Result<Response, Refusal>;

/// An error as Docker words it.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"message": self.1}))).into_response()
    }
}

impl From<DockerError> for Refusal {
    fn from(error: DockerError) -> Self {
        let text = error.to_string();
        match error {
            DockerError::Unreachable { .. } => {
                tracing::error!(target: DOCKER_READER, "{text}");
                Self(StatusCode::SERVICE_UNAVAILABLE, text)
            }
            DockerError::Refused(status, _) => Self(status, text),
        }
    }
}

async fn ping(State(reader): State<Arc<Reader>>) -> Answer {
    let answer = reader.docker.get("/_ping").await?;
    let mut response = answer.status().into_response();
    for name in ["api-version", "ostype", "docker-experimental"] {
        if let Some(value) = answer.headers().get(name) {
            response.headers_mut().insert(HeaderName::from_static(name), value.clone());
        }
    }
    Ok(response)
}

/// For `redpane healthcheck`, which repeats what a problem says: so its error is not worded as Docker's.
async fn reachable(State(reader): State<Arc<Reader>>) -> Response {
    match reader.docker.json("/containers/json?limit=1").await {
        Ok(_) => Json(json!({"docker": "reachable"})).into_response(),
        Err(error) => {
            let Refusal(status, text) = error.into();
            Problem::new(status).detail(text).into_response()
        }
    }
}

/// Every life of the containers that Docker lists. Ended ones too: lines may be left in their logs.
async fn list(State(reader): State<Arc<Reader>>, RawQuery(query): RawQuery) -> Answer {
    let query = query.unwrap_or_default();
    let listed = reader.docker.json(&format!("/containers/json?all=1&{query}")).await?;
    let listed: Vec<&Value> = listed.as_array().into_iter().flatten().collect();
    let ids: Vec<&str> = listed.iter().filter_map(|container| container["Id"].as_str()).collect();
    for id in &ids {
        // One that was removed in between is listed no more the next time.
        drop(reader.look_at(id).await);
    }
    let all = reader.docker.json("/containers/json?all=1").await?;
    let existing = all.as_array().into_iter().flatten().filter_map(|container| container["Id"].as_str()).collect();
    let mut known = reader.known.lock().await;
    if known.0.retain(&existing) {
        keep(&mut known)?;
        reader.changes.send_replace(());
    }
    Ok(Json(known.0.list(&ids)).into_response())
}

/// What a collector wants to know of a container: whether its log has headers before each piece, and, for Alloy, whether to ask
/// for a log again whose stream has ended. It shall, also for a life that is over: the stream of one that was read to its end stays
/// open, so one that ended may have been cut off before.
async fn inspect(State(reader): State<Arc<Reader>>, InPath(path): InPath<OfContainer>) -> Answer {
    let span = reader.find(&path.id).await?;
    let (inspected, _) = reader.look_at(&span.container).await?;
    let state = json!({"Running": true, "FinishedAt": inspected["State"]["FinishedAt"]});
    Ok(Json(json!({"Id": path.id, "Config": {"Tty": inspected["Config"]["Tty"]}, "State": state})).into_response())
}

/// The parameters of a path; the version of the API before it is not looked at.
#[derive(Deserialize)]
struct OfContainer {
    id: String,
}

async fn logs(
    State(reader): State<Arc<Reader>>,
    InPath(path): InPath<OfContainer>,
    RawQuery(query): RawQuery,
) -> Answer {
    let query = query.unwrap_or_default();
    let span = reader.find(&path.id).await?;
    let bad = |text: &str| Refusal(StatusCode::BAD_REQUEST, format!("since={text:?}: must be seconds since 1970"));
    let cursor = match parameter(&query, "since") {
        "" => 0,
        text => moment::parse_parameter(text).ok_or_else(|| bad(text))?,
    };
    // It may have been started again since it was listed.
    let (inspected, _) = reader.look_at(&span.container).await?;
    let span = reader.find(&path.id).await?;
    let resume = match &inspected["Config"]["Tty"] {
        // The log of a terminal has no pieces that could be told apart.
        Value::Bool(true) => Resume::at(cursor, &span),
        _ => Resume::before(cursor, &span, &reader.loki).await.map_err(unavailable)?,
    };
    // And again while Loki was asked.
    let (_, running) = reader.look_at(&span.container).await?;
    let span = reader.find(&path.id).await?;
    let asked_to_follow = matches!(parameter(&query, "follow"), "1" | "true");
    let grows = running && span.end.is_none();
    let mut question = format!("stdout=1&stderr=1&timestamps=1&since={}", moment::parameter(resume.since));
    if let Some(end) = span.end {
        question.push_str(&format!("&until={}", moment::parameter(end)));
    }
    if asked_to_follow && grows {
        question.push_str("&follow=1");
    }
    let container = &span.container;
    let answer = reader.docker.get(&format!("/containers/{container}/logs?{question}")).await?;
    if answer.status() != StatusCode::OK {
        return Err(Refusal(answer.status(), format!("Docker has no log of {container}")));
    }
    let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
    let holds = asked_to_follow && !grows;
    let then = if holds { Then::KeepOpen(Box::pin(reader.clone().changed(path.id, span))) } else { Then::End };
    let mut log = Body::new(answer.into_body());
    if let Some((stored, asked)) = resume.stored {
        log = deduplicate::of(log, stored, asked);
    }
    let mut response = keep_open::until(reader.ending.clone(), log, then).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    Ok(response)
}

/// A parameter of a query whose values need no decoding; empty where it is missing.
fn parameter<'a>(query: &'a str, name: &str) -> &'a str {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(found, _)| *found == name).map_or("", |(_, value)| value)
}

impl Reader {
    /// Asks Docker when the container started and notes it, so that no line of a later life is taken for one of an earlier.
    /// Gives what Docker said and whether it runs.
    async fn look_at(&self, id: &str) -> Result<(Value, bool), Refusal> {
        let inspected = self.docker.json(&format!("/containers/{id}/json")).await?;
        let state = &inspected["State"];
        let text = |name: &str| state[name].as_str().unwrap_or_default();
        // In a crash loop it is both, between two runs.
        let running = state["Running"] == true && state["Restarting"] != true;
        let never_started = moment::parse(text("StartedAt")).is_none();
        if never_started || self.known.lock().await.0.knows(id, text("StartedAt")) {
            return Ok((inspected, running));
        }
        let of_this = format!("/containers/json?all=1&filters=%7B%22id%22%3A%5B%22{id}%22%5D%7D");
        let mut container = shown(&self.docker.json(&of_this).await?[0]);
        // Of the same moment as `StartedAt`: the list may know of another start.
        container["NetworkSettings"] = json!({"Networks": inspected["NetworkSettings"]["Networks"]});
        let mut known = self.known.lock().await;
        known.0.note(id, text("StartedAt"), text("FinishedAt"), container);
        keep(&mut known)?;
        drop(known);
        self.changes.send_replace(());
        Ok((inspected, running))
    }

    /// Ends when the life `id` is no longer what it was: the container was started again, or removed.
    fn changed(self: Arc<Self>, id: String, was: Span) -> impl Future<Output = ()> + Send {
        let mut changes = self.changes.subscribe();
        async move {
            while self.known.lock().await.0.find(&id).as_ref() == Some(&was) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        }
    }

    async fn find(&self, id: &str) -> Result<Span, Refusal> {
        let unknown = || Refusal(StatusCode::NOT_FOUND, format!("No such container: {id}"));
        self.known.lock().await.0.find(id).ok_or_else(unknown)
    }
}

fn unavailable(reason: String) -> Refusal {
    Refusal(StatusCode::SERVICE_UNAVAILABLE, reason)
}

/// A life is written down before anybody is told of it.
fn keep(known: &mut (Lives, Store)) -> Result<(), Refusal> {
    let (lives, store) = known;
    store.keep(lives).map_err(|error| {
        tracing::error!(target: DOCKER_READER, %error, "the lives of containers cannot be written");
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, format!("the lives of containers cannot be written: {error}"))
    })
}

fn shown(container: &Value) -> Value {
    let entries = SHOWN.iter().filter_map(|name| Some(((*name).to_owned(), container.get(*name)?.clone())));
    Value::Object(entries.collect::<Map<_, _>>())
}

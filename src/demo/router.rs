//! The routes of the API.

use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::{get, post};
use http::Method;
use redpane::client::OutgoingLayer;

use super::checkout::Checkout;
use super::state::DemoState;
use super::{checkout, echo, faults, hello, root};
use crate::settings::Upstream;
use crate::web;

/// What the API can be told.
pub(crate) struct Options {
    /// Largest request body in bytes.
    pub(crate) body_limit: usize,
    /// Time until an answer must begin.
    pub(crate) request_timeout: Duration,
    /// Whether `/faults` exists.
    pub(crate) with_faults: bool,
    /// The name of this service, in the answers of `/checkout`.
    pub(crate) app: String,
    /// The next service, where there is one, and the layer that observes the calls.
    pub(crate) next: Option<(Upstream, OutgoingLayer)>,
}

/// All methods and routes of the API, to be preregistered: their series exist from the first scrape on.
///
/// `HEAD`, which axum answers with every `GET` route, is left out: it would add a third to the series for requests that
/// hardly anybody sends.
pub(crate) fn routes(with_faults: bool) -> Vec<(Method, &'static str)> {
    let mut routes =
        vec![(Method::GET, "/"), (Method::GET, "/hello/{name}"), (Method::POST, "/echo"), (Method::GET, "/checkout")];
    if with_faults {
        routes.extend(faults::routes());
    }
    routes
}

/// The API without probes, metrics and fallbacks.
pub(crate) fn router(options: Options) -> Router {
    let checkout = Checkout::new(options.app, options.next, options.request_timeout);
    let mut router = Router::new()
        .route("/", get(root::answer))
        .route("/hello/{name}", get(hello::answer))
        .route("/echo", post(echo::answer))
        .route("/checkout", get(checkout::answer))
        .with_state(DemoState { started: Instant::now(), body_limit: options.body_limit, checkout });
    if options.with_faults {
        router = faults::with_faults(router, options.body_limit);
    }
    web::with_timeout(router, options.request_timeout)
}

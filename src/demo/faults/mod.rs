//! `/faults`: errors, delays and panics on demand, to see what the telemetry makes of them. Only with `REDPANE_FAULTS`.
//!
//! `PUT /faults` sets faults for the routes of the API ([`active`]); each `/faults/...` route is one fault ([`single`]).

mod active;
mod lines;
mod settings;
mod single;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use http::Method;

use active::ActiveFaults;

/// Methods and routes of `/faults`, to be preregistered.
pub(super) fn routes() -> Vec<(Method, &'static str)> {
    let own = [Method::GET, Method::PUT, Method::DELETE].map(|method| (method, "/faults"));
    let single = ["/faults/status/{code}", "/faults/delay/{ms}", "/faults/chunked/{n}", "/faults/panic", "/faults/cut"];
    own.into_iter().chain(single.map(|route| (Method::GET, route))).collect()
}

/// Applies the faults that are set to every route of `api`, and adds the routes of `/faults`, which they do not apply to.
pub(super) fn with_faults(api: Router, body_limit: usize) -> Router {
    let faults = ActiveFaults::new(body_limit);
    let own = Router::new()
        .route("/faults", get(active::read).put(active::replace).delete(active::clear))
        .route("/faults/status/{code}", get(single::status))
        .route("/faults/delay/{ms}", get(single::delay))
        .route("/faults/chunked/{n}", get(single::chunked))
        .route("/faults/panic", get(single::panic))
        .route("/faults/cut", get(single::cut))
        .with_state(faults.clone());
    api.route_layer(from_fn_with_state(faults, active::inject)).merge(own)
}

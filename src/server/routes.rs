//! The routes of a listener: as the application answers them, and as they refuse.

use std::convert::Infallible;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::any_service;
use tower::Service;

use super::health::METRICS;
use super::strict::{Refuse, Refused};

/// The same routes twice: a refused request is counted and logged under its route, and one that is not refused passes no layer
/// for it.
#[derive(Clone)]
pub(super) struct Routes {
    answering: Router,
    refusing: Router,
}

impl Routes {
    /// `layered` adds what both of them have.
    pub(super) fn new(router: Router, layered: impl Fn(Router) -> Router) -> Self {
        Self { refusing: layered(router.clone().layer(Refuse)), answering: layered(router) }
    }

    /// Metrics, as this router answers with them. It has what `layered` adds already.
    pub(super) fn metrics(router: Router, layered: impl Fn(Router) -> Router) -> Self {
        Self { answering: router, refusing: layered(Router::new().route(METRICS, any_service(Refuse))) }
    }

    pub(super) fn merge(self, other: &Self) -> Self {
        Self {
            answering: self.answering.merge(other.answering.clone()),
            refusing: self.refusing.merge(other.refusing.clone()),
        }
    }

    /// Ready to be called. Once for a listener, not once for a connection.
    pub(super) fn with_state(self) -> Self {
        Self { answering: self.answering.with_state(()), refusing: self.refusing.with_state(()) }
    }

    /// Called without `ready`: a router is always ready.
    pub(super) fn call(
        &mut self,
        mut request: Request,
        refused: Option<Refused>,
    ) -> impl Future<Output = Result<Response, Infallible>> + use<> {
        let Some(refused) = refused else { return self.answering.call(request) };
        request.extensions_mut().insert(refused);
        self.refusing.call(request)
    }
}

//! What the access line will need of a request's head.

use std::net::SocketAddr;
use std::time::Instant;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request};

use super::headers::SentHeaders;
use super::size::RequestSize;

/// Kept beside the ids of the request, in the one allocation that it has: the observation itself stays small, since it
/// is moved from the service into the future and from there into the body.
pub(crate) struct RequestHead {
    pub(crate) arrived: Instant,
    path: Option<PathAndQuery>,
    pub(crate) user_agent: Option<HeaderValue>,
    pub(crate) client: Option<SocketAddr>,
    pub(crate) size: RequestSize,
    pub(crate) is_head: bool,
}

impl RequestHead {
    /// `sent` are the headers of the request, `size` that of its body.
    pub(crate) fn of(request: &Request<Body>, sent: &SentHeaders<'_>, size: RequestSize, arrived: Instant) -> Self {
        Self {
            arrived,
            // These two are shared with the request, not copied.
            path: request.uri().path_and_query().cloned(),
            user_agent: sent.user_agent.cloned(),
            client: request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0),
            size,
            is_head: request.method() == Method::HEAD,
        }
    }

    /// The path without its query; empty where the target has none, as in `CONNECT host:port`.
    pub(crate) fn path(&self) -> &str {
        self.path.as_ref().map_or("", PathAndQuery::path)
    }
}

//! What is kept of a request's head.

use std::net::SocketAddr;
use std::time::Instant;

#[cfg(feature = "otlp")]
use http::Version;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request};

use super::headers::SentHeaders;
#[cfg(feature = "otlp")]
use super::method::is_other;
use super::size::RequestSize;

/// The address of the client, for servers that are not axum's: put it into the request's extensions, and it is the field
/// `client` of the access line. Of axum's servers, `ConnectInfo<SocketAddr>` is read, and comes first.
///
/// Port 0 says that the port is not known, as behind a proxy that tells the address alone: then so does the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddr(pub SocketAddr);

/// Kept beside the ids of the request, in the one allocation that it has: what moves from the service into the future and
/// from there into the body stays small.
pub(crate) struct RequestHead {
    pub(crate) arrived: Instant,
    path: Option<PathAndQuery>,
    pub(crate) user_agent: Option<HeaderValue>,
    pub(crate) client: Option<SocketAddr>,
    pub(crate) size: RequestSize,
    pub(crate) is_head: bool,
    pub(crate) is_connect: bool,
    #[cfg(feature = "otlp")]
    is_https: bool,
    #[cfg(feature = "otlp")]
    version: Version,
    /// A method that is told as `_OTHER`.
    #[cfg(feature = "otlp")]
    other_method: Option<Method>,
}

impl RequestHead {
    /// `sent` are the headers of the request, `size` that of its body, `client` its address where its extensions do not say
    /// it.
    pub(crate) fn of<B>(
        request: &Request<B>,
        sent: &SentHeaders<'_>,
        size: RequestSize,
        arrived: Instant,
        client: Option<SocketAddr>,
    ) -> Self {
        Self {
            arrived,
            // These two are shared with the request, not copied.
            path: request.uri().path_and_query().cloned(),
            user_agent: sent.user_agent.cloned(),
            client: client_of(request).or(client),
            size,
            is_head: request.method() == Method::HEAD,
            is_connect: request.method() == Method::CONNECT,
            #[cfg(feature = "otlp")]
            is_https: request.uri().scheme() == Some(&http::uri::Scheme::HTTPS),
            #[cfg(feature = "otlp")]
            version: request.version(),
            #[cfg(feature = "otlp")]
            other_method: if is_other(request.method()) { Some(request.method().clone()) } else { None },
        }
    }

    /// The scheme of the target where that has one, as in HTTP/2, else `http`: who ends TLS in front of the server is not known.
    #[cfg(feature = "otlp")]
    pub(crate) fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }

    /// The version of HTTP, as in `1.1` or `2`.
    #[cfg(feature = "otlp")]
    pub(crate) fn protocol_version(&self) -> Option<&'static str> {
        match self.version {
            Version::HTTP_09 => Some("0.9"),
            Version::HTTP_10 => Some("1.0"),
            Version::HTTP_11 => Some("1.1"),
            Version::HTTP_2 => Some("2"),
            Version::HTTP_3 => Some("3"),
            _ => None,
        }
    }

    /// The method, where it is told as `_OTHER`.
    #[cfg(feature = "otlp")]
    pub(crate) fn other_method(&self) -> Option<&str> {
        self.other_method.as_ref().map(Method::as_str)
    }

    /// The path without its query; empty where the target has none, as in `CONNECT host:port`.
    pub(crate) fn path(&self) -> &str {
        self.path.as_ref().map_or("", PathAndQuery::path)
    }
}

fn client_of<B>(request: &Request<B>) -> Option<SocketAddr> {
    let extensions = request.extensions();
    #[cfg(feature = "axum")]
    if let Some(info) = extensions.get::<axum::extract::ConnectInfo<SocketAddr>>() {
        return Some(info.0);
    }
    extensions.get::<ClientAddr>().map(|client| client.0)
}

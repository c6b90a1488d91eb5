//! The CLIENT span of a call.

use std::time::UNIX_EPOCH;

use http::uri::Authority;
use http::{Method, Request, Uri, header};

use crate::request::call::{CallEnd, FinishedCall};
use crate::request::context::RequestContext;
use crate::request::method::is_other;
use crate::traces::client_span::{self, ClientSpan};

/// Whether the calls of a request become spans. A call outside of a request becomes none: nobody decides whether to keep it.
pub(super) fn is_wanted(context: Option<&RequestContext>) -> bool {
    context.is_some_and(|context| context.telemetry().sampler().is_some())
}

/// Where a call goes, and how.
pub(super) struct Target {
    uri: Uri,
    /// That of the target, or of `Host` where the target is a path alone, as on a connection that is open already.
    authority: Option<Authority>,
    /// A method that the label `method` does not name.
    other_method: Option<Method>,
}

impl Target {
    pub(super) fn of<B>(request: &Request<B>) -> Self {
        let uri = request.uri().clone();
        let host = || request.headers().get(header::HOST)?.to_str().ok()?.parse().ok();
        let authority = uri.authority().cloned().or_else(host);
        let other_method = is_other(request.method()).then(|| request.method().clone());
        Self { uri, authority, other_method }
    }

    fn host(&self) -> Option<&str> {
        let host = self.authority.as_ref()?.host();
        // An address of IPv6 has brackets in a URL only.
        Some(host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host))
    }

    fn port(&self) -> Option<u16> {
        let authority = self.authority.as_ref()?;
        authority.port_u16().or_else(|| Some(if self.uri.scheme_str()? == "https" { 443 } else { 80 }))
    }

    /// Without user, password and query, which may hold secrets. `None` where the target says no scheme: nothing is invented.
    fn url(&self) -> Option<String> {
        let authority = self.authority.as_ref()?.as_str();
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        Some(format!("{}://{authority}{}", self.uri.scheme_str()?, self.uri.path()))
    }
}

/// Adds the span of a call to the request that made it. `status` is that of its answer, whatever became of the body.
pub(super) fn add(
    context: Option<&RequestContext>,
    target: Option<&Target>,
    status: Option<u16>,
    call: &FinishedCall<'_>,
) {
    let (Some(context), Some(target), Some(ids)) = (context, target, call.ids) else { return };
    // Where an SDK says the ids, spans are its own.
    let Some(parent) = &ids.parent_span_id else { return };
    let url = target.url();
    let span = ClientSpan {
        span_id: &ids.span_id,
        parent,
        method: call.method,
        other_method: target.other_method.as_ref().map(Method::as_str),
        url: url.as_deref(),
        path: target.uri.path(),
        peer: call.peer,
        host: target.host(),
        port: target.port(),
        started: call.started.duration_since(UNIX_EPOCH).unwrap_or_default(),
        nanoseconds: u64::try_from(call.duration.as_nanos()).unwrap_or(u64::MAX),
        status,
        error: match call.end {
            CallEnd::Status(_) => None,
            CallEnd::Error(kind) => Some(kind),
        },
    };
    client_span::add(context, &span);
}

//! The CLIENT span of a call.

use std::time::UNIX_EPOCH;

use http::Uri;

use crate::request::call::{CallEnd, FinishedCall};
use crate::request::context::RequestContext;
use crate::traces::client_span::{self, ClientSpan};

/// Whether the calls of a request become spans. A call outside of a request becomes none: nobody decides whether to keep it.
pub(super) fn is_wanted(context: Option<&RequestContext>) -> bool {
    context.is_some_and(|context| context.telemetry().sampler().is_some())
}

/// Adds the span of a call to the request that made it.
pub(super) fn add(context: Option<&RequestContext>, target: Option<&Uri>, call: &FinishedCall<'_>) {
    let (Some(context), Some(target), Some(ids)) = (context, target, call.ids) else { return };
    // Where an SDK says the ids, spans are its own.
    let Some(parent) = &ids.parent_span_id else { return };
    // A target without an authority has gone to what the layer calls its peer.
    let host = target.host().unwrap_or(call.peer);
    let scheme = target.scheme_str().unwrap_or("http");
    let port = target.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    let is_default = target.port_u16().is_none();
    let path = target.path();
    // Neither user nor password, nor a query: they may hold secrets.
    let url = if is_default { format!("{scheme}://{host}{path}") } else { format!("{scheme}://{host}:{port}{path}") };
    let (status, error) = match call.end {
        CallEnd::Status(status) => (Some(status), None),
        CallEnd::Error(kind) => (None, Some(kind)),
    };
    let span = ClientSpan {
        span_id: &ids.span_id,
        parent,
        method: call.method,
        url: &url,
        host,
        port,
        started: call.started.duration_since(UNIX_EPOCH).unwrap_or_default(),
        nanoseconds: u64::try_from(call.duration.as_nanos()).unwrap_or(u64::MAX),
        status,
        error,
    };
    client_span::add(context, &span);
}

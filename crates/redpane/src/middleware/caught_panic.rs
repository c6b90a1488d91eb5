//! Panics that were caught inside a request.

use std::any::Any;

use super::route_cache::RouteCache;
use crate::logs::panics;
use crate::request::context::RequestContext;

/// Makes sure that a panic that was caught inside a request has its log line.
pub(super) fn log(context: &RequestContext, payload: &(dyn Any + Send)) {
    if let Some(cache) = RouteCache::of(context) {
        panics::write_caught(&cache.pipeline.log, context, payload);
    }
}

/// Whether the builder wants panics inside this request to be caught.
pub(super) fn catches_panics(context: &RequestContext) -> bool {
    RouteCache::of(context).is_none_or(|cache| cache.pipeline.policy.catch_panics)
}

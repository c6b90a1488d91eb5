//! The label `route` of a request.

use std::borrow::Cow;

use http::Request;
use http::request::Parts;

use super::unwind::catch;
use crate::metrics::route::UNMATCHED;

/// A label for requests that have no route template.
pub(crate) type LabelRequest = Box<dyn Fn(&Parts) -> Option<String> + Send + Sync>;

/// How labels are found where axum has no template for a request.
pub(crate) struct RouteLabels {
    /// Prefixes of nested services, as they came from the builder.
    pub(crate) nested_services: Vec<String>,
    pub(crate) label_request: Option<LabelRequest>,
}

impl RouteLabels {
    /// The label of a request that calls no gRPC method, in this order: axum's route template, a nested service's prefix,
    /// what the builder's function says, `unmatched`. The function gets a copy of the head, since extensions cannot be lent.
    pub(super) fn of<'a, B>(&self, request: &'a Request<B>) -> Cow<'a, str> {
        #[cfg(feature = "axum")]
        if let Some(matched) = request.extensions().get::<axum::extract::MatchedPath>() {
            return Cow::Borrowed(matched.as_str());
        }
        if let Some(label) = self.nested_service(request.uri().path()) {
            return Cow::Owned(label);
        }
        // The builder's function is the application's code, and there is no request yet to fail.
        let label = |label: &LabelRequest| catch(|| label(&copy_of(request))).ok().flatten();
        match self.label_request.as_ref().and_then(label) {
            Some(label) if !label.is_empty() => Cow::Owned(label),
            _ => Cow::Borrowed(UNMATCHED),
        }
    }

    /// The label of a request that a nested service got: its longest prefix.
    fn nested_service(&self, path: &str) -> Option<String> {
        let below = |prefix: &&String| {
            path.strip_prefix(prefix.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let prefix = self.nested_services.iter().filter(below).max_by_key(|prefix| prefix.len())?;
        Some(format!("{}/{{*path}}", prefix.trim_end_matches('/')))
    }
}

/// `/package.Service/Method`: two segments of the characters that protobuf names have.
pub(crate) fn is_grpc_path(path: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
    };
    let segments = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    path.len() <= 256 && segments.is_some_and(|(service, method)| is_name(service) && is_name(method))
}

/// The head of a request, as the builder's function gets it. Extensions are shared where they can be cloned.
fn copy_of<B>(request: &Request<B>) -> Parts {
    let mut copy = Request::new(());
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    copy.into_parts().0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_method_paths_are_grpc_paths() {
        for path in ["/helloworld.Greeter/SayHello", "/S/M"] {
            assert!(is_grpc_path(path), "{path}");
        }
        for path in ["/", "/S", "/S/", "//M", "/S/M/x", "/S/M%20", "/ü/M", &format!("/S/{}", "m".repeat(256))] {
            assert!(!is_grpc_path(path), "{path}");
        }
    }
}

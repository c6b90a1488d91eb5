//! Labels of the application's own, found in the head of a request.

use std::borrow::Cow;
use std::mem;

use http::Request;
use http::request::Parts;

use super::unwind::catch;
use crate::metrics::dimensions;

/// The value of a label in the head of a request.
pub(crate) type FindValue = Box<dyn for<'a> Fn(&'a Parts) -> Option<Cow<'a, str>> + Send + Sync>;

/// A label whose values are declared.
pub(crate) struct DeclaredLabel {
    pub(crate) values: Vec<String>,
    pub(crate) find: FindValue,
}

impl DeclaredLabel {
    /// The number of the value, and how many there are. The builder's function is the application's code, and there is no
    /// request yet to fail: where it panics, it has found nothing.
    fn number(&self, parts: &Parts) -> (usize, usize) {
        let number = catch(|| {
            let found = (self.find)(parts)?;
            self.values.iter().position(|value| **value == *found)
        });
        (number.ok().flatten().unwrap_or(self.values.len()), self.values.len() + 1)
    }
}

/// The combination of values of a request.
pub(super) fn combination<B>(labels: &[DeclaredLabel], request: &mut Request<B>) -> usize {
    if labels.is_empty() {
        return 0;
    }
    // The head cannot be lent while it is a part of the request: it is taken out and put back, which copies nothing.
    let mut parts = Request::new(()).into_parts().0;
    swap_head(request, &mut parts);
    let combination = dimensions::combination(labels.iter().map(|label| label.number(&parts)));
    swap_head(request, &mut parts);
    combination
}

fn swap_head<B>(request: &mut Request<B>, parts: &mut Parts) {
    mem::swap(request.method_mut(), &mut parts.method);
    mem::swap(request.uri_mut(), &mut parts.uri);
    mem::swap(request.version_mut(), &mut parts.version);
    mem::swap(request.headers_mut(), &mut parts.headers);
    mem::swap(request.extensions_mut(), &mut parts.extensions);
}

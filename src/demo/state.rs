//! What the handlers of the API share.

use std::time::Instant;

use super::checkout::Checkout;

/// Cloned for every request.
#[derive(Clone)]
pub(super) struct DemoState {
    /// When the API was set up.
    pub(super) started: Instant,
    /// Largest request body in bytes.
    pub(super) body_limit: usize,
    /// What `/checkout` needs.
    pub(super) checkout: Checkout,
}

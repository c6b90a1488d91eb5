//! The size of a request body.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The bytes of a request body, as far as they are known.
pub(crate) enum RequestSize {
    /// Known when the request arrived, from a `Content-Length` of at most 16 MiB.
    Known(u64),
    /// Counted while the application reads the body (chunked, HTTP/2).
    #[cfg_attr(not(feature = "axum"), expect(dead_code, reason = "only axum's body has a counter"))]
    Counted(Arc<AtomicU64>),
    /// Neither: the body came without a length that can be trusted, and its type has no counter.
    Unknown,
}

impl RequestSize {
    /// Bytes; of a body that is being counted, those that the application has read so far.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Known(bytes) => Some(*bytes),
            Self::Counted(counter) => Some(counter.load(Ordering::Relaxed)),
            Self::Unknown => None,
        }
    }
}

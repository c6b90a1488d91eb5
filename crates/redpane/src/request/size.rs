//! The size of a request body, and how far it has come.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use super::grpc::Messages;

/// The bytes of a request body, as far as they are known.
pub(crate) enum RequestSize {
    /// Known when the request arrived, from a `Content-Length` of at most 16 MiB.
    Known(u64),
    /// Counted while the application reads the body (chunked, HTTP/2).
    #[cfg_attr(
        not(any(feature = "axum", feature = "tonic")),
        expect(dead_code, reason = "only bodies of axum and tonic have a counter")
    )]
    Counted(Arc<RequestProgress>),
    /// Neither: the body came without a length that can be trusted, and its type has no counter.
    Unknown,
}

impl RequestSize {
    /// Bytes; of a body that is being counted, those that the application has read so far.
    pub(crate) fn bytes(&self) -> Option<u64> {
        match self {
            Self::Known(bytes) => Some(*bytes),
            Self::Counted(progress) => Some(progress.bytes.load(Ordering::Relaxed)),
            Self::Unknown => None,
        }
    }

    /// Watches the body of a gRPC call from here on, where it is counted.
    pub(crate) fn watch_call(&self, arrived: Instant) -> Option<Arc<RequestProgress>> {
        let Self::Counted(progress) = self else { return None };
        progress.call.get_or_init(|| Mutex::new(TakenMessages { messages: Messages::default(), latest: arrived }));
        Some(Arc::clone(progress))
    }
}

/// What the application has taken of a request body.
#[derive(Default)]
pub(crate) struct RequestProgress {
    bytes: AtomicU64,
    /// Of a gRPC call.
    call: OnceLock<Mutex<TakenMessages>>,
}

struct TakenMessages {
    messages: Messages,
    latest: Instant,
}

#[cfg_attr(
    not(any(feature = "axum", feature = "tonic")),
    expect(dead_code, reason = "only bodies of axum and tonic have a counter")
)]
impl RequestProgress {
    /// The application has taken these bytes.
    pub(crate) fn took(&self, bytes: &[u8]) {
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if let Some(call) = self.call.get() {
            let mut call = call.lock().unwrap_or_else(PoisonError::into_inner);
            call.messages.read(bytes);
            call.latest = Instant::now();
        }
    }

    /// It has seen the end, or an error.
    pub(crate) fn ended(&self) {
        if let Some(call) = self.call.get() {
            call.lock().unwrap_or_else(PoisonError::into_inner).latest = Instant::now();
        }
    }
}

impl RequestProgress {
    /// Messages of a gRPC call that the application has taken whole, and when it took something last.
    pub(crate) fn messages(&self) -> Option<(u64, Instant)> {
        let call = self.call.get()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some((call.messages.count - u64::from(!call.messages.is_whole()), call.latest))
    }
}

//! The seam for outputs of the application's own.

use super::finished::FinishedRequest;
use super::stream::FinishedStream;

/// Called at the end of every request, and of every stream. The seam for outputs of one's own: audit logs, billing, other
/// metrics.
///
/// ```
/// use redpane::{FinishedRequest, FinishedStream, Redpane, RequestObserver};
///
/// struct Billing;
///
/// impl RequestObserver for Billing {
///     fn finished(&self, request: &FinishedRequest<'_>) {
///         if request.status() < 400 {
///             println!("{} {} bytes", request.route(), request.response_bytes().unwrap_or(0));
///         }
///     }
///
///     fn stream_finished(&self, stream: &FinishedStream<'_>) {
///         println!("{} {} bytes more, {}", stream.route(), stream.response_bytes().unwrap_or(0), stream.outcome().as_str());
///     }
/// }
/// let redpane = Redpane::new("api").observer(Billing);
/// ```
pub trait RequestObserver: Send + Sync + 'static {
    /// Called once for every request, at its end, on the thread that ended it. It must not block. A panic is
    /// caught and logged.
    ///
    /// The request of a stream ends at the headers of its answer: whatever goes wrong later is told by
    /// [`stream_finished`](Self::stream_finished).
    fn finished(&self, request: &FinishedRequest<'_>);

    /// Called once for every stream that has a line, at its end: server-sent events, upgrades, streaming gRPC calls, and routes
    /// named in [`observe_until_headers`](crate::Redpane::observe_until_headers). Its request was told to
    /// [`finished`](Self::finished) before, with the same trace and span id. The same rules hold: it must not block, and a
    /// panic is caught and logged. Does nothing by default.
    fn stream_finished(&self, stream: &FinishedStream<'_>) {
        let _ = stream;
    }
}

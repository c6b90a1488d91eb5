//! Which access lines are left out on purpose: most of those of requests that end well.

use std::time::Duration;

use tracing::Level;

use super::number;
use crate::request::finished::{FinishedRequest, Outcome};
use crate::request::stream::FinishedStream;
use crate::trace_context::ids::TraceId;
use crate::trace_context::share::Share;

/// Keeps the lines of a share of all traces, and those that tell of something: failures and slow requests.
pub(crate) struct AccessSampling {
    share: Share,
    /// Requests that take this long or longer keep their line.
    slow_nanoseconds: u64,
    /// The field of a line that stands for others too.
    field: Box<[u8]>,
}

/// What becomes of a request's line.
pub(super) enum Kept<'a> {
    /// It is written, whatever its trace is.
    Always,
    /// It is written, with this field.
    For(&'a [u8]),
    Not,
}

impl AccessSampling {
    /// `None` where every line is kept.
    pub(crate) fn new(share: Share, slow: Duration) -> Option<Self> {
        let mut field = b",\"sample_rate\":".to_vec();
        number::float(&mut field, share.ratio());
        let slow_nanoseconds = u64::try_from(slow.as_nanos()).unwrap_or(u64::MAX);
        (share.ratio() < 1.0).then(|| Self { share, slow_nanoseconds, field: field.into() })
    }

    pub(super) fn keeps(&self, request: &FinishedRequest<'_>, level: Level) -> Kept<'_> {
        let ended_well = level == Level::INFO && request.outcome == Outcome::Complete;
        self.keeps_line(ended_well, request.nanoseconds, request.trace_id())
    }

    /// A client that leaves a stream ends it well.
    pub(super) fn keeps_stream(&self, stream: &FinishedStream<'_>, level: Level) -> Kept<'_> {
        let ended_well = level == Level::INFO && matches!(stream.outcome, Outcome::Complete | Outcome::Aborted);
        self.keeps_line(ended_well, stream.nanoseconds, stream.trace_id)
    }

    fn keeps_line(&self, ended_well: bool, nanoseconds: u64, trace_id: &TraceId) -> Kept<'_> {
        if !ended_well || nanoseconds >= self.slow_nanoseconds {
            Kept::Always
        } else if self.share.has(trace_id) {
            Kept::For(&self.field)
        } else {
            Kept::Not
        }
    }
}

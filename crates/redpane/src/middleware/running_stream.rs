//! A stream while it lasts.

use std::sync::Arc;
use std::time::Instant;

use super::pipeline::Pipeline;
use crate::metrics::http::Series;
use crate::metrics::streams::StreamSeries;
use crate::request::context::RequestContext;
use crate::request::stream::FinishedStream;

/// What is known of a stream while it lasts. In the gauge from its beginning until [`finish`](Self::finish).
pub(super) struct RunningStream {
    pub(super) pipeline: Arc<Pipeline>,
    counted: Arc<StreamSeries>,
    pub(super) series: Series,
    pub(super) status: u16,
    pub(super) began: Instant,
}

impl RunningStream {
    pub(super) fn begin(pipeline: &Arc<Pipeline>, series: Series, status: u16, began: Instant) -> Self {
        let route = &pipeline.registry.http.endpoint(&series).0.route;
        let counted = pipeline.registry.streams.begin(route);
        Self { pipeline: Arc::clone(pipeline), counted, series, status, began }
    }

    /// Counts, logs and shows its end, once. `context` is that of its request, where something of it is left.
    #[cold]
    pub(super) fn finish(&self, stream: &FinishedStream<'_>, context: Option<&RequestContext>) {
        let http = &self.pipeline.registry.http;
        if stream.is_failed_call() {
            http.record_failed_stream(http.endpoint(&self.series).1);
        }
        self.pipeline.show_stream(stream, context);
        // Last of all: whoever sees the gauge without it finds everything else done.
        self.counted.end(stream.outcome, stream.nanoseconds);
    }

    /// How long it has lasted.
    pub(super) fn nanoseconds(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

//! The end of a request.

use std::time::Duration;

use super::Observation;
use crate::logs::timestamp;
use crate::middleware::callee::Callee;
use crate::middleware::client_stream;
use crate::middleware::route_cache::{RequestSeries, RouteCache};
use crate::request::finished::FinishedRequest;

/// The one end of every request.
impl Drop for Observation {
    fn drop(&mut self) {
        self.end(None, Some(self.response_bytes));
    }
}

impl Observation {
    /// Counts and logs it, once. `own_time` is how much of the time is its own, where that is not all; `response_bytes` are
    /// `None` where nobody counts them.
    #[inline]
    pub(super) fn end(&mut self, own_time: Option<Duration>, response_bytes: Option<u64>) {
        // Nothing is dropped while code runs inside it, so it is there.
        let Some(context) = self.context.take() else { return };
        let Some(cache) = RouteCache::of(&context) else { return };
        let mut elapsed = own_time.unwrap_or_else(|| context.head().arrived.elapsed());
        let unanswered;
        let series = match &self.series {
            RequestSeries::Known(series) => series,
            RequestSeries::GrpcCall(call) => {
                // Whether it named a method nobody knows.
                elapsed = self.grpc.take().map_or(elapsed, |mut seen| seen.time_of_unknown(elapsed));
                unanswered = cache.call_series(call, Callee::NotGrpc);
                &unanswered
            }
        };
        let http = &cache.pipeline.registry.http;
        let (info, counted) = http.endpoint(series);
        let mut grpc_code = None;
        let mut client_stream = None;
        if let Some(mut seen) = self.grpc.take() {
            (elapsed, grpc_code, client_stream) =
                client_stream::end_call(&mut seen, &context, cache, series, self.outcome, elapsed);
        }
        let request = FinishedRequest {
            endpoint: info,
            status: self.status,
            outcome: self.outcome,
            nanoseconds: u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX),
            ended: timestamp::now(),
            response_bytes,
            grpc_code,
            fields: context.take_fields(),
            known_by: context.known_by(),
            context: &context,
        };
        cache.pipeline.finish(counted, &request);
        if let Some(stream) = client_stream {
            stream.finish(&request);
        }
        // Last of all: whoever waits for the last request before the process ends, or flushes the log, must find it
        // counted and its line made.
        http.serving(self.treatment.failures_only).leave();
    }
}

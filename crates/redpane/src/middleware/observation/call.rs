//! What the answer to a gRPC call says.

use http::{HeaderMap, StatusCode, header};

use super::Observation;
use crate::middleware::callee::Callee;
use crate::middleware::route_cache::{RequestSeries, RouteCache};
use crate::request::headers::is_grpc;

impl Observation {
    /// A gRPC call has its answer, which tells what it has called where nobody knew that.
    #[cold]
    pub(super) fn call_answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        let Some(cache) = self.context.as_ref().and_then(RouteCache::of) else { return };
        let is_answer = headers.get(header::CONTENT_TYPE).is_some_and(is_grpc);
        if let RequestSeries::GrpcCall(call) = &self.series {
            let callee = Callee::of_answer(headers, is_answer);
            if let Callee::NotGrpc = callee {
                self.grpc = None;
            }
            let series = cache.call_series(call, callee);
            self.treatment.until_headers = cache.pipeline.registry.http.endpoint(&series).0.until_headers;
            self.series = RequestSeries::Known(series);
        }
        if let (Some(seen), RequestSeries::Known(series)) = (&mut self.grpc, &self.series) {
            let until_end = cache.pipeline.registry.http.endpoint(series).0.until_end;
            seen.answered(status, headers, is_answer, cache.grpc_method(series, is_answer), until_end);
        }
    }

    /// Whether it is a gRPC call whose client streams.
    #[inline]
    pub(in crate::middleware) fn takes_stream(&self) -> bool {
        self.grpc.as_ref().is_some_and(|seen| seen.takes_stream())
    }

    /// The body has nothing to hand over yet.
    pub(in crate::middleware) fn waits(&mut self) {
        if let Some(seen) = &mut self.grpc {
            seen.waits();
        }
    }
}

//! A request that ends at the headers of its answer, and the stream that begins there.

use std::time::Duration;

use super::Observation;
use crate::metrics::http::Series;
use crate::middleware::route_cache::{RequestSeries, RouteCache};
use crate::middleware::stream::{BodyStream, PendingUpgrade};
use crate::request::context::RequestContext;
use crate::request::finished::Outcome;

impl Observation {
    /// Whether the request ends at the headers of its answer: because that streams by its nature, or because the builder says
    /// so, which has the last word.
    #[inline]
    pub(in crate::middleware) fn ends_at_headers(&self, is_event_stream: bool) -> bool {
        (is_event_stream || self.grpc.is_some() || self.treatment.until_headers) && self.is_stream(is_event_stream)
    }

    #[cold]
    fn is_stream(&self, is_event_stream: bool) -> bool {
        let by_nature = is_event_stream || self.grpc.as_ref().is_some_and(|seen| seen.streams());
        let RequestSeries::Known(series) = &self.series else { return by_nature };
        let Some(cache) = self.context.as_ref().and_then(RouteCache::of) else { return by_nature };
        let info = cache.pipeline.registry.http.endpoint(series).0;
        info.until_headers || (by_nature && !info.until_end)
    }

    /// The request ends here, and with it the stream that it was.
    #[cold]
    pub(in crate::middleware) fn into_ended_stream(self) {
        if let Some(mut stream) = self.into_stream() {
            stream.outcome = Outcome::Complete;
        }
    }

    /// The request ends here, and a stream begins. `None` where nobody knows what was called.
    #[cold]
    pub(in crate::middleware) fn into_stream(mut self) -> Option<BodyStream> {
        // Its code comes with the end of the stream.
        let grpc = self.grpc.take();
        let own_time = grpc.as_ref().filter(|seen| seen.takes_stream()).map(|seen| seen.own_time(self.elapsed()));
        let parts = self.stream_parts();
        let stream = parts.map(|(context, cache, series)| {
            BodyStream::begin(context.clone(), &cache.pipeline, series, self.status, grpc)
        });
        self.outcome = self.completion;
        self.end(own_time, None);
        stream
    }

    fn elapsed(&self) -> Duration {
        self.context.as_ref().map_or(Duration::ZERO, |context| context.head().arrived.elapsed())
    }

    /// The connection leaves HTTP with this answer, and the request ends here.
    #[cold]
    pub(in crate::middleware) fn into_upgrade(self) -> Option<PendingUpgrade> {
        let parts = self.stream_parts();
        let upgrade = parts
            .map(|(context, cache, series)| PendingUpgrade::new(context.clone(), &cache.pipeline, series, self.status));
        self.complete();
        upgrade
    }

    fn stream_parts(&self) -> Option<(&RequestContext, &RouteCache, Series)> {
        let context = self.context.as_ref()?;
        let RequestSeries::Known(series) = &self.series else { return None };
        Some((context, RouteCache::of(context)?, series.clone()))
    }
}

//! Calls of gRPC methods by their code.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::catalogue;
use super::label_text::push_label;
use super::route::{OVERFLOW, UNMATCHED};
use super::shards::{self, Padded};
use super::snapshot::Family;
use crate::request::grpc::{CODES, GrpcCode};
use crate::request::grpc_method::GrpcType;

/// Codes in one padded cell.
const CELL: usize = 16;
/// Cells of a shard.
const STRIDE: usize = CODES.len().div_ceil(CELL);

/// What an answer told of its method: for how many plain answers in a row it is taken to stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Streams {
    /// It had other than one message, which no plain call has.
    Surely,
    /// It went on without anything to send. A plain call may do so once, where something held it up.
    Probably,
}

impl Streams {
    fn answers(self) -> u32 {
        match self {
            Self::Surely => u32::MAX,
            Self::Probably => 8,
        }
    }
}

/// The calls of a method.
pub(crate) struct GrpcSeries {
    counts: Box<[Padded<[AtomicU64; CELL]>]>,
    /// As the application has declared it: then nothing is learned.
    declared: Option<GrpcType>,
    /// For how many plain answers it is still taken to stream.
    streams: AtomicU32,
    /// `grpc_service="…",grpc_method="…"`, and `grpc_type="…"` where that is declared: what is learned would give a method two
    /// series.
    labels: String,
}

impl GrpcSeries {
    fn new(route: &str, declared: Option<GrpcType>) -> Self {
        let mut labels = String::new();
        let (service, method) = route.strip_prefix('/').and_then(|path| path.split_once('/')).unwrap_or((route, route));
        push_label(&mut labels, "grpc_service", service);
        push_label(&mut labels, "grpc_method", method);
        if let Some(kind) = declared {
            push_label(&mut labels, "grpc_type", kind.name());
        }
        let counts = (0..STRIDE * shards::count()).map(|_| Padded::default()).collect();
        Self { counts, declared, streams: AtomicU32::new(0), labels }
    }

    /// Counts a call that has ended.
    pub(crate) fn count(&self, code: GrpcCode) {
        let cell = shards::mine() * STRIDE + code.number() / CELL;
        self.counts[cell].0[code.number() % CELL].fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self, code: usize) -> u64 {
        let shards = self.counts.chunks_exact(STRIDE);
        shards.map(|shard| shard[code / CELL].0[code % CELL].load(Ordering::Relaxed)).sum()
    }

    /// Whether answers of this method are streams. All of a method are, or none is, so one answer tells of the next.
    pub(crate) fn streams(&self) -> bool {
        match self.declared {
            Some(kind) => kind != GrpcType::Unary,
            None => self.streams.load(Ordering::Relaxed) > 0,
        }
    }

    /// Whether the application has declared what it is.
    pub(crate) fn is_declared(&self) -> bool {
        self.declared.is_some()
    }

    /// Whether its clients stream, as far as that is declared.
    pub(crate) fn takes_stream(&self) -> bool {
        self.declared.is_some_and(GrpcType::takes_stream)
    }

    pub(crate) fn learn_that_it_streams(&self, how: Streams) {
        if self.streams.load(Ordering::Relaxed) < how.answers() {
            self.streams.fetch_max(how.answers(), Ordering::Relaxed);
        }
    }

    /// It had an answer as plain calls have them.
    pub(crate) fn was_plain(&self) {
        let is_open = |left: u32| left > 0 && left < Streams::Surely.answers();
        if is_open(self.streams.load(Ordering::Relaxed)) {
            let one_less = |left| is_open(left).then(|| left - 1);
            let _ = self.streams.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        }
    }
}

/// All methods of one telemetry.
pub(crate) struct GrpcMetrics {
    limit: usize,
    some_take_streams: bool,
    methods: RwLock<BTreeMap<Box<str>, Arc<GrpcSeries>>>,
}

impl GrpcMetrics {
    /// At most `limit` methods, beside `_overflow`.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, some_take_streams: false, methods: RwLock::default() }
    }

    /// A method has its series, with all codes at 0, before its first call.
    pub(crate) fn declare(&mut self, path: &str, kind: GrpcType) {
        let all = self.methods.get_mut().unwrap_or_else(PoisonError::into_inner);
        if all.len() < self.limit {
            all.insert(path.into(), Arc::new(GrpcSeries::new(path, Some(kind))));
            self.some_take_streams |= kind.takes_stream();
        }
    }

    /// Whether there are methods that are declared to take a stream.
    pub(crate) fn some_take_streams(&self) -> bool {
        self.some_take_streams
    }

    /// The series of a route that is a method's path; all others are `unmatched`.
    pub(crate) fn method(&self, route: &str) -> Arc<GrpcSeries> {
        let route = if route.starts_with('/') || route == OVERFLOW { route } else { UNMATCHED };
        if let Some(series) = self.methods.read().unwrap_or_else(PoisonError::into_inner).get(route) {
            return Arc::clone(series);
        }
        let mut all = self.methods.write().unwrap_or_else(PoisonError::into_inner);
        let route = if all.contains_key(route) || all.len() < self.limit { route } else { OVERFLOW };
        Arc::clone(all.entry(route.into()).or_insert_with(|| Arc::new(GrpcSeries::new(route, None))))
    }

    /// The series of a method that has answered before. Anybody can send a gRPC request to anything.
    pub(crate) fn known(&self, route: &str) -> Option<Arc<GrpcSeries>> {
        self.methods.read().unwrap_or_else(PoisonError::into_inner).get(route).map(Arc::clone)
    }

    /// None where there was never a call. A method has all codes from its first call on, so that `rate()` sees the first
    /// failure.
    pub(crate) fn families(&self) -> Option<Family> {
        let all = self.methods.read().unwrap_or_else(PoisonError::into_inner);
        let series = |series: &Arc<GrpcSeries>| {
            let series = Arc::clone(series);
            (0..CODES.len()).map(move |code| {
                let mut labels = series.labels.clone();
                push_label(&mut labels, "grpc_code", CODES[code]);
                (labels.into(), series.get(code))
            })
        };
        (!all.is_empty()).then(|| catalogue::GRPC_HANDLED.integers(all.values().flat_map(series)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_told_is_forgotten_unless_it_is_sure() {
        let method = GrpcMetrics::new(1).method("/shop.Orders/Take");
        let plain_until_forgotten =
            || (0..100).take_while(|_| method.streams()).inspect(|_| method.was_plain()).count();
        assert_eq!(plain_until_forgotten(), 0, "plain until something says otherwise");
        method.learn_that_it_streams(Streams::Probably);
        assert_eq!(plain_until_forgotten(), 8);
        method.learn_that_it_streams(Streams::Surely);
        method.learn_that_it_streams(Streams::Probably);
        assert_eq!(plain_until_forgotten(), 100, "never");
    }
}

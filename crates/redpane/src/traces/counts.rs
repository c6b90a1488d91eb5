//! What becomes of spans, counted.

/// Why a span was dropped: the values of the label `reason` of `trace_spans_dropped_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DropReason {
    /// The buffer, or the batch that it would be in, has no room.
    BufferFull,
    /// The receiver refused it.
    Rejected,
    /// The receiver's answer says neither that it has it nor that it has not.
    BadAnswer,
    /// The receiver did not take it in time.
    Timeout,
    /// The process ended before.
    Shutdown,
}

impl DropReason {
    pub(crate) const NAMES: [&str; 5] = ["buffer_full", "rejected", "bad_answer", "timeout", "shutdown"];
}

/// The counters of a buffer, read together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) exported: u64,
    /// In the order of [`DropReason::NAMES`].
    pub(crate) dropped: [u64; DropReason::NAMES.len()],
    /// Taken, and neither exported nor dropped yet.
    pub(crate) waiting: u64,
}

/// What became of the spans that were to be exported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanCounts {
    /// The receiver has taken them.
    pub exported: u64,
    /// They are lost, for whatever reason: the sum of `trace_spans_dropped_total`.
    pub dropped: u64,
    /// In the order of [`DropReason::NAMES`].
    reasons: [u64; DropReason::NAMES.len()],
}

impl SpanCounts {
    /// Why they were lost: the values of the label `reason` of `trace_spans_dropped_total`, and how many for each, where
    /// there are any.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, u64)> {
        DropReason::NAMES.into_iter().zip(self.reasons).filter(|(_, spans)| *spans > 0)
    }
}

impl From<Counts> for SpanCounts {
    fn from(counts: Counts) -> Self {
        let Counts { exported, dropped, .. } = counts;
        Self { exported, dropped: dropped.iter().sum(), reasons: dropped }
    }
}

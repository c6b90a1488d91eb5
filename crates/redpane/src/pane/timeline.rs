//! Which steps of time are recorded, and where they lie in the rings.
//!
//! All rings have the same three lists of slots: seconds, ten seconds, minutes. A slot belongs to a step (its number is
//! Unix time divided by the step's length) until the step that has the same place comes round.

/// Seconds of a step, and how many steps are kept.
pub(super) const STEPS: [(u64, usize); 3] = [(1, 900), (10, 1080), (60, 1440)];

/// Slots of all steps together.
pub(super) const SLOTS: usize = STEPS[0].1 + STEPS[1].1 + STEPS[2].1;

/// The slots of one second, one for each length of step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Their positions in the rings.
    pub(super) at: [usize; 3],
    /// Whether they belonged to another step until now, and have to be cleared.
    pub(super) fresh: [bool; 3],
}

#[derive(Clone, Copy, Default)]
struct Slot {
    step: u64,
    /// Seconds of it that are recorded.
    seconds: u32,
}

/// See the module.
pub(super) struct Timeline {
    slots: [Vec<Slot>; 3],
    /// The newest second that is recorded.
    last: Option<u64>,
}

/// Steps of one length, from the first to before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Which length.
    pub(super) length: usize,
    pub(super) first: u64,
    pub(super) end: u64,
}

impl Range {
    pub(super) fn step_seconds(self) -> u64 {
        STEPS[self.length].0
    }

    pub(super) fn start_ms(self) -> u64 {
        self.first * self.step_seconds() * 1000
    }

    pub(super) fn end_ms(self) -> u64 {
        self.end * self.step_seconds() * 1000
    }

    pub(super) fn points(self) -> usize {
        usize::try_from(self.end.saturating_sub(self.first)).unwrap_or(0)
    }
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self { slots: STEPS.map(|(_, count)| vec![Slot::default(); count]), last: None }
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.last
    }

    /// Records a second, which must not be older than the last one.
    pub(super) fn begin(&mut self, second: u64) -> Place {
        let is_new = self.last != Some(second);
        self.last = Some(second);
        let mut place = Place { at: [0; 3], fresh: [false; 3] };
        for (length, (seconds, count)) in STEPS.into_iter().enumerate() {
            let step = second / seconds;
            let at = index(step, count);
            let slot = &mut self.slots[length][at];
            place.at[length] = at;
            place.fresh[length] = slot.step != step || slot.seconds == 0;
            if place.fresh[length] {
                *slot = Slot { step, seconds: 0 };
            }
            slot.seconds += u32::from(is_new);
        }
        place
    }

    /// Where a step lies, and how many of its seconds are recorded; `None` where none is.
    pub(super) fn find(&self, length: usize, step: u64) -> Option<(usize, u32)> {
        let at = index(step, STEPS[length].1);
        let slot = self.slots[length].get(at)?;
        (slot.step == step && slot.seconds > 0).then_some((at, slot.seconds))
    }

    /// Seconds of a range that are recorded.
    pub(super) fn recorded(&self, range: Range) -> u64 {
        let steps = (range.first..range.end).filter_map(|step| self.find(range.length, step));
        steps.map(|(_, seconds)| u64::from(seconds)).sum()
    }

    /// The newest steps of a length that cover so many seconds, with the one that is running.
    pub(super) fn newest_with_running(&self, length: usize, seconds: u64) -> Range {
        let whole = self.newest(length, seconds);
        let end = self.last.map_or(0, |last| last / STEPS[length].0 + 1);
        // Where a step is running there is one more, and not more than the ring has.
        Range { first: whole.first.max(end.saturating_sub(STEPS[length].1 as u64)), end, ..whole }
    }

    /// The newest steps of a length that cover so many seconds.
    pub(super) fn newest(&self, length: usize, seconds: u64) -> Range {
        let (step, count) = STEPS[length];
        let end = self.last.map_or(0, |last| (last + 1) / step);
        let steps = seconds.div_ceil(step).min(count as u64);
        Range { length, first: end.saturating_sub(steps), end }
    }

    /// The steps of a range in milliseconds: the finest that reaches back to its beginning.
    pub(super) fn range(&self, from_ms: u64, to_ms: u64) -> Range {
        let end = self.last.map_or(0, |last| last + 1);
        let age = end.saturating_sub(from_ms / 1000);
        let fits = |(seconds, count): (u64, usize)| age <= seconds * count as u64;
        let length = STEPS.into_iter().position(fits).unwrap_or(STEPS.len() - 1);
        let (step, count) = STEPS[length];
        let newest = end / step;
        let oldest = newest.saturating_sub(count as u64);
        let first = (from_ms / 1000 / step).clamp(oldest, newest);
        let last = to_ms.div_ceil(1000).div_ceil(step).clamp(first, newest);
        Range { length, first, end: last }
    }

    pub(super) fn bytes() -> usize {
        SLOTS * size_of::<Slot>()
    }
}

fn index(step: u64, count: usize) -> usize {
    usize::try_from(step % count as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests;

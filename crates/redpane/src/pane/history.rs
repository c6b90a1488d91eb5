//! All rings of one pane, filled by one snapshot a second.

use std::collections::{BTreeMap, HashSet};

use super::counts::Counts;
use super::input::{Bounds, Family, Kind, Series, Snapshot};
use super::metric::{LABEL_SETS, Metric, Tick};
use super::rules::Rules;
use super::timeline::{STEPS, Timeline};
use super::traffic::Traffic;

/// The most columns of metrics.
pub(super) const COLUMNS: usize = 400;
/// The most bytes of the names of metrics without a column.
const REFUSED_BYTES: usize = 512 * 1024;
/// What a pinned metric may need: its label sets, and one column for all further ones.
const PINNED: usize = LABEL_SETS + 1;
/// A gap of at most so many seconds was a busy machine, not a sleeping one: what was counted in it is spread over it.
const SPREAD: u64 = 10;

/// See the module.
pub(super) struct History {
    pub(super) timeline: Timeline,
    pub(super) traffic: Traffic,
    pub(super) bounds: Bounds,
    pub(super) metrics: BTreeMap<String, Metric>,
    /// Names of metrics that found no column, as many as there is room for.
    pub(super) refused: BTreeMap<String, &'static str>,
    refused_bytes: usize,
    /// As they were judged after the last second.
    pub(super) rules: Rules,
    /// Log lines lost since the start.
    pub(super) lines_dropped: u64,
    free: usize,
    pub(super) probes: HashSet<String>,
    /// Metrics that get their columns whatever came before them.
    pinned: Vec<String>,
}

impl History {
    /// `probes` are the routes that totals leave out, `pinned` the metrics for which places are kept.
    pub(super) fn new(bounds: Bounds, probes: HashSet<String>, pinned: Vec<String>) -> Self {
        Self {
            timeline: Timeline::new(),
            traffic: Traffic::new((*bounds).as_ref()),
            bounds,
            metrics: BTreeMap::new(),
            refused: BTreeMap::new(),
            refused_bytes: 0,
            rules: Rules::default(),
            lines_dropped: 0,
            free: COLUMNS,
            probes,
            pinned,
        }
    }

    /// Records what has been counted up to the end of a second. A metric that the snapshot does not have is as it was.
    pub(super) fn record(&mut self, snapshot: &Snapshot, second: u64) {
        let seconds = match self.timeline.last() {
            None => 1,
            Some(last) if second > last => second - last,
            // The clock was set back a little: that second is recorded already.
            Some(last) if last - second <= SPREAD => return,
            // Far back: what is older than now cannot be told from what is to come.
            Some(_) => {
                self.timeline = Timeline::new();
                self.traffic.set_back(second);
                1
            }
        };
        let probes = &self.probes;
        self.traffic.read(&snapshot.endpoints, second, |route| probes.contains(route));
        let spread = if seconds <= SPREAD { seconds } else { 1 };
        for number in 0..spread {
            let place = self.timeline.begin(second - spread + 1 + number);
            self.traffic.clear(&place);
            self.traffic.add_part(&place, number, spread);
            self.metrics.values_mut().for_each(|metric| metric.clear(&place));
            if number + 1 == spread {
                let tick = Tick { place, second, seconds: seconds as f64 };
                snapshot.families.iter().for_each(|family| self.record_family(family, tick));
                self.metrics.values_mut().for_each(|metric| metric.hold(tick));
            }
        }
        let dropped = snapshot.families.iter().find(|family| family.name == "log_lines_dropped_total");
        self.lines_dropped = dropped.map_or(0.0, |family| family.series.iter().map(Series::number).sum()) as u64;
    }

    fn record_family(&mut self, family: &Family, tick: Tick) {
        if family.series.is_empty() {
            return;
        }
        let name = &*family.name;
        if !self.metrics.contains_key(name) {
            let columns = Metric::columns_of(family.kind);
            if columns > self.free.saturating_sub(self.kept_from(name)) {
                self.refuse(name, family.kind);
                return;
            }
            let metric = Metric::new(family);
            self.free -= metric.columns.len();
            if self.refused.remove(name).is_some() {
                self.refused_bytes -= name.len();
            }
            self.metrics.insert(name.to_owned(), metric);
        }
        let left = self.free.saturating_sub(self.kept_from(name));
        if let Some(metric) = self.metrics.get_mut(name).filter(|metric| metric.kind == family.kind) {
            let mut free = left;
            metric.record(family, tick, &mut free);
            self.free -= left - free;
        }
    }

    fn refuse(&mut self, name: &str, kind: Kind) {
        if self.refused_bytes + name.len() <= REFUSED_BYTES && !self.refused.contains_key(name) {
            self.refused_bytes += name.len();
            self.refused.insert(name.to_owned(), kind.as_str());
        }
    }

    /// Columns that wait for pinned metrics other than this one: it cannot have them.
    fn kept_from(&self, name: &str) -> usize {
        let others = self.pinned.iter().filter(|pinned| *pinned != name);
        let columns = others.map(|pinned| match self.metrics.get(pinned) {
            None => PINNED,
            Some(metric) if metric.kind == Kind::Histogram => 0,
            Some(metric) => PINNED.saturating_sub(metric.columns.len()),
        });
        columns.sum::<usize>().min(COLUMNS / 2)
    }

    /// The newest value of a gauge, all its label sets together.
    pub(super) fn gauge(&self, name: &str) -> Option<f64> {
        let metric = self.metrics.get(name)?;
        let (at, _) = self.timeline.find(0, self.timeline.last()?)?;
        let values = metric.columns.iter().filter_map(|labelled| labelled.column.get(0, at));
        values.reduce(|sum, value| sum + value)
    }

    /// How much a counter grew in the newest seconds, up to three hours, all its label sets together.
    pub(super) fn increase(&self, name: &str, seconds: u64) -> f64 {
        let Some(metric) = self.metrics.get(name) else { return 0.0 };
        let length = usize::from(seconds > STEPS[0].1 as u64);
        let range = self.timeline.newest_with_running(length, seconds);
        let steps = (range.first..range.end).filter_map(|step| self.timeline.find(length, step));
        steps
            .map(|(at, recorded)| {
                let rates = metric.columns.iter().filter_map(|labelled| labelled.column.get(length, at));
                rates.sum::<f64>() * f64::from(recorded)
            })
            .sum()
    }

    /// Sums of the newest seconds, the steps as fine as they reach.
    pub(super) fn recent(&self, counts: &Counts, seconds: u64) -> (Vec<u64>, u64) {
        let length = STEPS.iter().position(|(step, count)| seconds <= step * *count as u64).unwrap_or(2);
        counts.sum(&self.timeline, self.timeline.newest_with_running(length, seconds))
    }

    /// The routes that totals leave out, in their order.
    pub(super) fn probes(&self) -> Vec<String> {
        let mut probes: Vec<_> = self.probes.iter().cloned().collect();
        probes.sort();
        probes
    }

    pub(super) fn bytes(&self) -> usize {
        let metrics = self.metrics.iter().map(|(name, metric)| name.len() + metric.bytes());
        Timeline::bytes() + self.traffic.bytes() + metrics.sum::<usize>() + self.refused_bytes
    }
}

#[cfg(test)]
mod tests;

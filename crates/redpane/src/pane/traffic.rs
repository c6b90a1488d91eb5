//! The history of requests: of all together, and of each method and route.

mod endpoint;

pub(super) use self::endpoint::Endpoint;
use self::endpoint::{Known, Newcomer, cells, increase, row};
use super::counts::{BUCKETS, Counts, errors, first_slow, part, requests};
use super::input;
use super::timeline::Place;

/// Bytes for the rings of methods and routes.
const RING_BYTES: usize = 14 * 1024 * 1024;
/// The most methods and routes with a ring of their own, and the fewest, whatever their histograms need.
const MOST: usize = 48;
const FEWEST: usize = 8;
/// Seconds without a request after which a method and route makes room for another.
const IDLE: u64 = 15 * 60;

/// What is called by these names has no ring of its own.
pub(super) const OTHER_METHOD: &str = "_OTHER";
pub(super) const OTHER_ROUTE: &str = "_other";

/// See the module.
pub(super) struct Traffic {
    width: usize,
    /// The first cell of a row whose requests are slow.
    first_slow: usize,
    limit: usize,
    /// Without probes.
    pub(super) total: Counts,
    total_before: Vec<u64>,
    total_increase: Vec<u64>,
    /// What is in no ring of its own; made when it is needed.
    pub(super) other: Option<Counts>,
    pub(super) endpoints: Vec<Endpoint>,
    /// By number.
    known: Vec<Known>,
}

impl Traffic {
    /// `bounds` are those of the buckets of durations.
    pub(super) fn new(bounds: &[f64]) -> Self {
        let width = BUCKETS + bounds.len() + 1;
        Self {
            width,
            first_slow: first_slow(bounds),
            limit: (RING_BYTES / Counts::bytes(width)).saturating_sub(2).clamp(FEWEST, MOST),
            total: Counts::new(width),
            total_before: vec![0; width],
            total_increase: vec![0; width],
            other: None,
            endpoints: Vec::new(),
            known: Vec::new(),
        }
    }

    pub(super) fn find(&self, method: &str, route: &str) -> Option<&Counts> {
        if method == OTHER_METHOD && route == OTHER_ROUTE {
            return self.other.as_ref();
        }
        let is_it = |endpoint: &&Endpoint| endpoint.method == method && endpoint.route == route;
        self.endpoints.iter().find(is_it).map(|endpoint| &endpoint.counts)
    }

    /// Reads what has been counted since the snapshot before, which [`add_part`](Self::add_part) then adds to the rings.
    pub(super) fn read(&mut self, endpoints: &[input::Endpoint], second: u64, is_probe: impl Fn(&str) -> bool) {
        for endpoint in endpoints.get(self.known.len()..).unwrap_or_default() {
            self.known.push(Known { is_probe: is_probe(&endpoint.route), ..Known::default() });
        }
        let mut total = vec![0; self.width];
        let mut newcomers = Vec::new();
        for (number, (now, known)) in endpoints.iter().zip(&mut self.known).enumerate() {
            if !known.is_probe {
                total.iter_mut().zip(cells(now)).for_each(|(sum, count)| *sum += count);
            }
            if known.has_ring {
                continue;
            }
            let row = row(now);
            known.before.resize(row.len(), 0);
            let new = increase(&row, &known.before);
            if new[..BUCKETS].iter().any(|count| *count > 0) {
                let slow = new[self.first_slow..].iter().sum();
                newcomers.push(Newcomer { number, before: known.before.clone(), errors: errors(&new), slow });
            }
            known.before = row;
        }
        self.total_increase = increase(&total, &self.total_before);
        self.total_before = total;
        for ring in &mut self.endpoints {
            ring.read(&endpoints[ring.number], self.first_slow, second);
        }
        // Those that fail come first, then those that are slow: they are what somebody looks for.
        newcomers.sort_by_key(|newcomer| std::cmp::Reverse((newcomer.errors, newcomer.slow)));
        for newcomer in newcomers {
            self.give_ring(newcomer, endpoints, second);
        }
    }

    /// Says that the clock was set back to this second: nothing was later.
    pub(super) fn set_back(&mut self, second: u64) {
        let earlier = |last: &mut u64| *last = second.min(*last);
        for ring in &mut self.endpoints {
            earlier(&mut ring.last_request);
            ring.last_error.iter_mut().chain(&mut ring.last_slow).for_each(earlier);
        }
    }

    /// Empties the rows that begin a new step.
    pub(super) fn clear(&mut self, place: &Place) {
        let rings = self.endpoints.iter_mut().map(|endpoint| &mut endpoint.counts);
        rings.chain(&mut self.other).chain([&mut self.total]).for_each(|counts| counts.clear(place));
    }

    /// Adds the part of one second of several.
    pub(super) fn add_part(&mut self, place: &Place, number: u64, of: u64) {
        let part = |increase: &[u64]| -> Vec<u64> { increase.iter().map(|count| part(*count, number, of)).collect() };
        let mut others = self.total_increase.clone();
        for ring in &mut self.endpoints {
            ring.counts.add(place, &part(&ring.increase));
            if !ring.is_probe {
                others.iter_mut().zip(&ring.increase).for_each(|(sum, own)| *sum = sum.saturating_sub(*own));
            }
        }
        self.total.add(place, &part(&self.total_increase));
        if others.iter().any(|count| *count > 0) {
            let width = self.width;
            self.other.get_or_insert_with(|| Counts::new(width)).add(place, &part(&others));
        }
    }

    /// Gives a method and route a ring, if there is room, if one has been idle for long, or if this one fails or is slow and
    /// another one is not. What the other one had is counted among those without a ring from then on.
    fn give_ring(&mut self, newcomer: Newcomer, endpoints: &[input::Endpoint], second: u64) {
        let Newcomer { number, before, errors, slow } = newcomer;
        if self.endpoints.len() >= self.limit {
            let idle = |ring: &Endpoint| ring.last_request + IDLE < second;
            let at = self.endpoints.iter().position(idle);
            let Some(at) = at.or_else(|| self.least_missed(errors, slow, second)) else { return };
            let ring = self.endpoints.swap_remove(at);
            if !ring.is_probe {
                let width = self.width;
                self.other.get_or_insert_with(|| Counts::new(width)).add_all(&ring.counts);
            }
            let known = &mut self.known[ring.number];
            (known.has_ring, known.before) = (false, ring.before);
        }
        let endpoint = &endpoints[number];
        let known = &mut self.known[number];
        (known.has_ring, known.before) = (true, Vec::new());
        let mut ring = Endpoint {
            method: endpoint.method.clone(),
            route: endpoint.route.clone(),
            is_probe: self.known[number].is_probe,
            counts: Counts::new(self.width),
            number,
            before,
            increase: Vec::new(),
            last_request: second,
            last_error: None,
            last_slow: None,
        };
        ring.read(endpoint, self.first_slow, second);
        self.endpoints.push(ring);
    }

    /// Of those without an error for long (and not slow either, for one that only is slow) the one with the oldest request, and of
    /// several the one with the fewest. None for one that neither fails nor is slow.
    fn least_missed(&self, errors: u64, slow: u64, second: u64) -> Option<usize> {
        if errors + slow == 0 {
            return None;
        }
        let is_past = |last: Option<u64>| last.is_none_or(|last| last + IDLE < second);
        let rings = self.endpoints.iter().enumerate().filter(|(_, ring)| is_past(ring.last_error));
        let rings = rings.map(|(at, ring)| (!is_past(ring.last_slow), ring.last_request, requests(&ring.before), at));
        rings.min().filter(|(is_slow, ..)| errors > 0 || !is_slow).map(|(.., at)| at)
    }

    /// Requests of all but probes since the process started.
    pub(super) fn requests_since_start(&self) -> u64 {
        requests(&self.total_before)
    }

    /// Methods and routes with requests and without a ring of their own.
    pub(super) fn further(&self) -> usize {
        let without = self.known.iter().filter(|known| !known.has_ring && !known.is_probe);
        without.filter(|known| known.before.iter().any(|count| *count > 0)).count()
    }

    pub(super) fn bytes(&self) -> usize {
        let rings = self.endpoints.len() + 1 + usize::from(self.other.is_some());
        let rows: usize = self.known.iter().map(|known| known.before.len() * size_of::<u64>()).sum();
        rings * Counts::bytes(self.width) + self.known.len() * size_of::<Known>() + rows
    }
}

#[cfg(test)]
mod tests;

//! The history of requests: of all together, and of each method and route.

mod endpoint;

pub(super) use self::endpoint::Endpoint;
use self::endpoint::{Known, Newcomer, cells, increase, row};
use super::counts::{BUCKETS, Counts, errors, part, requests};
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
    /// `buckets` is the number of buckets of durations.
    pub(super) fn new(buckets: usize) -> Self {
        let width = BUCKETS + buckets;
        Self {
            width,
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
            let (row, before) = (row(now), *known);
            (known.requests, known.errors) = (requests(&row), errors(&row));
            let new_errors = known.errors.saturating_sub(before.errors);
            if !known.has_ring && (known.requests > before.requests || new_errors > 0) {
                newcomers.push(Newcomer::new(number, row, before, new_errors));
            }
        }
        self.total_increase = increase(&total, &self.total_before);
        self.total_before = total;
        for ring in &mut self.endpoints {
            ring.read(&endpoints[ring.number], second);
        }
        // Those that fail come first: they are what somebody looks for.
        newcomers.sort_by_key(|newcomer| std::cmp::Reverse(newcomer.errors));
        for newcomer in newcomers {
            self.give_ring(newcomer, endpoints, second);
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

    /// Gives a method and route a ring, if there is room, if one has been idle for long, or if this one fails and another one
    /// does not.
    fn give_ring(&mut self, newcomer: Newcomer, endpoints: &[input::Endpoint], second: u64) {
        let Newcomer { number, before, errors } = newcomer;
        if self.endpoints.len() >= self.limit {
            let idle = |ring: &Endpoint| ring.last_request + IDLE < second;
            let at = self.endpoints.iter().position(idle);
            let Some(at) = at.or_else(|| (errors > 0).then(|| self.least_missed(second)).flatten()) else { return };
            self.known[self.endpoints.swap_remove(at).number].has_ring = false;
        }
        let endpoint = &endpoints[number];
        self.known[number].has_ring = true;
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
        };
        ring.read(endpoint, second);
        self.endpoints.push(ring);
    }

    /// Of those without an error for long the one with the oldest request, and of several the one with the fewest.
    fn least_missed(&self, second: u64) -> Option<usize> {
        let is_good = |ring: &Endpoint| ring.last_error.is_none_or(|last| last + IDLE < second);
        let good = self.endpoints.iter().enumerate().filter(|(_, ring)| is_good(ring));
        good.min_by_key(|(_, ring)| (ring.last_request, requests(&ring.before))).map(|(at, _)| at)
    }

    pub(super) fn bytes(&self) -> usize {
        let rings = self.endpoints.len() + 1 + usize::from(self.other.is_some());
        rings * Counts::bytes(self.width) + self.known.len() * size_of::<Known>()
    }
}

#[cfg(test)]
mod tests;

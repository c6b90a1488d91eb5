//! The history of requests: of all together, and of each method and route.

use super::counts::{BUCKETS, Counts, part};
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

/// The history of a method and route.
pub(super) struct Endpoint {
    pub(super) method: String,
    pub(super) route: String,
    /// Health checks and scrapes, which totals leave out.
    pub(super) is_probe: bool,
    pub(super) counts: Counts,
    /// Its place among those of a snapshot.
    number: usize,
    before: Vec<u64>,
    increase: Vec<u64>,
    last_request: u64,
}

/// What is known of a method and route, whether it has a ring or not.
#[derive(Clone, Copy, Default)]
struct Known {
    has_ring: bool,
    is_probe: bool,
    requests: u64,
}

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
            let requests = now.classes.iter().sum();
            if requests > known.requests && !known.has_ring {
                // What it had before is counted elsewhere.
                let before = if known.requests == 0 { vec![0; self.width] } else { row(now) };
                newcomers.push((number, before));
            }
            known.requests = requests;
        }
        self.total_increase = increase(&total, &self.total_before);
        self.total_before = total;
        for (number, before) in newcomers {
            self.give_ring(number, &endpoints[number], before, second);
        }
        for ring in &mut self.endpoints {
            let now = row(&endpoints[ring.number]);
            ring.increase = increase(&now, &ring.before);
            ring.before = now;
            if ring.increase[..BUCKETS].iter().any(|count| *count > 0) {
                ring.last_request = second;
            }
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

    /// Gives a method and route a ring, if there is room or one has been idle for long.
    fn give_ring(&mut self, number: usize, endpoint: &input::Endpoint, before: Vec<u64>, second: u64) {
        if self.endpoints.len() >= self.limit {
            let idle = |ring: &Endpoint| ring.last_request + IDLE < second;
            let Some(at) = self.endpoints.iter().position(idle) else { return };
            self.known[self.endpoints.swap_remove(at).number].has_ring = false;
        }
        self.known[number].has_ring = true;
        self.endpoints.push(Endpoint {
            method: endpoint.method.clone(),
            route: endpoint.route.clone(),
            is_probe: self.known[number].is_probe,
            counts: Counts::new(self.width),
            number,
            before,
            increase: Vec::new(),
            last_request: second,
        });
    }

    pub(super) fn bytes(&self) -> usize {
        let rings = self.endpoints.len() + 1 + usize::from(self.other.is_some());
        rings * Counts::bytes(self.width) + self.known.len() * size_of::<Known>()
    }
}

fn row(endpoint: &input::Endpoint) -> Vec<u64> {
    cells(endpoint).collect()
}

fn cells(endpoint: &input::Endpoint) -> impl Iterator<Item = u64> {
    endpoint.classes.iter().chain([&endpoint.failed_calls]).chain(&endpoint.buckets).copied()
}

fn increase(now: &[u64], before: &[u64]) -> Vec<u64> {
    now.iter().zip(before).map(|(now, before)| now.saturating_sub(*before)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::timeline::Timeline;
    use super::*;

    const START: u64 = 1_800_000_000;

    fn requests(counts: &[u64]) -> Vec<input::Endpoint> {
        let endpoint = |(number, count): (usize, &u64)| input::Endpoint {
            method: "GET".into(),
            route: if number == 0 { "/healthz".into() } else { format!("/{number}") },
            classes: [*count, 0, 0, 0],
            failed_calls: 0,
            buckets: vec![0, *count],
        };
        counts.iter().enumerate().map(endpoint).collect()
    }

    fn record(traffic: &mut Traffic, timeline: &mut Timeline, second: u64, counts: &[u64]) {
        traffic.read(&requests(counts), second, |route| route == "/healthz");
        let place = timeline.begin(second);
        traffic.clear(&place);
        traffic.add_part(&place, 0, 1);
    }

    fn in_last_second(counts: &Counts, timeline: &Timeline) -> u64 {
        counts.sum(timeline, timeline.newest(0, 1)).0[0]
    }

    #[test]
    fn probes_are_left_out_and_all_the_others_add_up() {
        let (mut traffic, mut timeline) = (Traffic::new(2), Timeline::new());
        traffic.limit = 2;
        record(&mut traffic, &mut timeline, START, &[7, 1]);
        assert_eq!(in_last_second(&traffic.total, &timeline), 1);
        record(&mut traffic, &mut timeline, START + 1, &[8, 3, 10, 0]);
        assert_eq!(traffic.endpoints.len(), 2, "what has no request gets no ring");
        assert_eq!(in_last_second(&traffic.total, &timeline), 12);
        assert_eq!(in_last_second(traffic.find("GET", "/healthz").unwrap(), &timeline), 1);
        assert_eq!(in_last_second(traffic.find("GET", "/1").unwrap(), &timeline), 2);
        assert_eq!(in_last_second(traffic.find(OTHER_METHOD, OTHER_ROUTE).unwrap(), &timeline), 10);
    }

    #[test]
    fn an_idle_one_makes_room() {
        let (mut traffic, mut timeline) = (Traffic::new(2), Timeline::new());
        traffic.limit = 1;
        record(&mut traffic, &mut timeline, START, &[0, 1]);
        record(&mut traffic, &mut timeline, START + 1, &[0, 1, 5]);
        assert!(traffic.find("GET", "/2").is_none());
        record(&mut traffic, &mut timeline, START + IDLE + 1, &[0, 1, 6]);
        assert!(traffic.find("GET", "/1").is_none());
        record(&mut traffic, &mut timeline, START + IDLE + 2, &[0, 2, 9]);
        assert_eq!(in_last_second(traffic.find("GET", "/2").unwrap(), &timeline), 3);
        assert_eq!(in_last_second(traffic.find(OTHER_METHOD, OTHER_ROUTE).unwrap(), &timeline), 1);
        assert_eq!(in_last_second(&traffic.total, &timeline), 4);
    }
}

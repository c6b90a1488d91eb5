//! Which methods and routes have a ring of their own.

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
    let (mut traffic, mut timeline) = (Traffic::new(&[1.0]), Timeline::new());
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
    let (mut traffic, mut timeline) = (Traffic::new(&[1.0]), Timeline::new());
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

#[test]
fn an_idle_one_makes_room_after_the_clock_was_set_back() {
    let (mut traffic, mut timeline) = (Traffic::new(&[1.0]), Timeline::new());
    traffic.limit = 1;
    record(&mut traffic, &mut timeline, START + 365 * 24 * 3600, &[0, 1]);
    traffic.set_back(START);
    record(&mut traffic, &mut timeline, START, &[0, 1]);
    record(&mut traffic, &mut timeline, START + IDLE + 1, &[0, 1, 6]);
    assert!(traffic.find("GET", "/2").is_some());
}

fn failing(sent: &[(u64, u64)]) -> Vec<input::Endpoint> {
    let mut endpoints = requests(&sent.iter().map(|(good, _)| *good).collect::<Vec<_>>());
    for (endpoint, (_, errors)) in endpoints.iter_mut().zip(sent) {
        endpoint.classes[3] = *errors;
        endpoint.buckets[0] = *errors;
    }
    endpoints
}

#[test]
fn one_that_fails_takes_the_place_of_one_that_does_not() {
    let (mut traffic, mut timeline) = (Traffic::new(&[1.0]), Timeline::new());
    traffic.limit = 2;
    let mut second = START;
    let mut record = |traffic: &mut Traffic, sent: &[(u64, u64)]| {
        traffic.read(&failing(sent), second, |_| false);
        let place = timeline.begin(second);
        traffic.clear(&place);
        traffic.add_part(&place, 0, 1);
        second += 1;
        let names = traffic.endpoints.iter().map(|ring| ring.route.clone()).collect::<Vec<_>>();
        let sums = |counts: &Counts| super::super::counts::errors(&counts.sum(&timeline, timeline.newest(0, 1)).0);
        let errors = traffic.endpoints.iter().map(|ring| sums(&ring.counts)).collect::<Vec<_>>();
        (names, errors, sums(&traffic.total))
    };
    let names = |names: [&str; 2]| names.map(str::to_owned).to_vec();
    let busy = [(0, 0), (100, 0), (50, 0)];
    assert_eq!(record(&mut traffic, &busy), (names(["/1", "/2"]), vec![0, 0], 0));
    let more = [(0, 0), (200, 0), (90, 0), (9, 0)];
    assert_eq!(record(&mut traffic, &more).0, names(["/1", "/2"]), "one that goes well waits");
    let failed = [(0, 0), (300, 0), (130, 0), (9, 1)];
    assert_eq!(record(&mut traffic, &failed), (names(["/1", "/3"]), vec![0, 1], 1), "its first error counts");
    let both = [(0, 0), (400, 0), (170, 2), (9, 1)];
    assert_eq!(record(&mut traffic, &both), (names(["/3", "/2"]), vec![0, 2], 2));
    let all = [(0, 0), (500, 1), (170, 2), (9, 1)];
    assert_eq!(record(&mut traffic, &all).0, names(["/3", "/2"]), "two that fail keep their places");
}

#[test]
fn one_that_is_slow_takes_the_place_of_one_that_is_not() {
    let (mut traffic, mut timeline) = (Traffic::new(&[1.0]), Timeline::new());
    traffic.limit = 1;
    let fast = |number: usize, count: u64| {
        let mut endpoint = requests(&vec![count; number + 1]).remove(number);
        endpoint.buckets = vec![count, 0];
        endpoint
    };
    let mut second = START;
    let mut record = |traffic: &mut Traffic, endpoints: &[input::Endpoint]| {
        traffic.read(endpoints, second, |_| false);
        let place = timeline.begin(second);
        traffic.clear(&place);
        traffic.add_part(&place, 0, 1);
        second += 1;
        let ring = &traffic.endpoints[0];
        (ring.route.clone(), ring.counts.sum(&timeline, timeline.newest(0, 1)).0)
    };
    record(&mut traffic, &[fast(1, 9)]);
    record(&mut traffic, &[fast(1, 10), fast(2, 1)]);
    let mut slow = fast(2, 1);
    (slow.classes[0], slow.buckets[1]) = (3, 2);
    let (route, row) = record(&mut traffic, &[fast(1, 11), slow.clone()]);
    assert_eq!((&*route, row), ("/2", vec![2, 0, 0, 0, 0, 0, 2]), "what is new of it is in its ring");
    assert_eq!(traffic.further(), 1);
    // Another slow one waits, and one that fails does not.
    let mut other = fast(1, 11);
    (other.classes[0], other.buckets[1]) = (12, 1);
    assert_eq!(record(&mut traffic, &[other.clone(), slow.clone()]).0, "/2");
    other.classes[3] = 1;
    assert_eq!(record(&mut traffic, &[other, slow]).0, "/1");
}

#[test]
fn who_gives_its_place_away_takes_nothing_from_the_past() {
    let (mut traffic, mut timeline) = (Traffic::new(&[1.0]), Timeline::new());
    traffic.limit = 2;
    let mut record = |traffic: &mut Traffic, second: u64, sent: &[(u64, u64)]| {
        traffic.read(&failing(sent), second, |route| route == "/healthz");
        let place = timeline.begin(second);
        traffic.clear(&place);
        traffic.add_part(&place, 0, 1);
        let rings = traffic.endpoints.iter().filter(|ring| !ring.is_probe).map(|ring| &ring.counts);
        // The first second, and all of the minute.
        let ranges = [timeline.newest(0, 2), timeline.newest(0, 60)];
        ranges.map(|range| {
            let all = rings.clone().chain(&traffic.other).map(|counts| counts.sum(&timeline, range).0);
            (
                all.fold(vec![0; 7], |sum, row| sum.iter().zip(&row).map(|(a, b)| a + b).collect()),
                traffic.total.sum(&timeline, range).0,
            )
        })
    };
    record(&mut traffic, START, &[(0, 0), (30, 0), (20, 0), (10, 0)]);
    record(&mut traffic, START + 1, &[(0, 0), (31, 0), (21, 0), (11, 0)]);
    for [part, all] in [
        record(&mut traffic, START + 2, &[(0, 0), (31, 0), (21, 0), (11, 1)]),
        record(&mut traffic, START + 3, &[(0, 0), (31, 0), (21, 1), (11, 1)]),
    ] {
        assert_eq!((&part.0, &all.0), (&part.1, &all.1));
        assert!(all.0[0] == 63, "{all:?}");
    }
}

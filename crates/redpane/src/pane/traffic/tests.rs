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
    let (mut traffic, mut timeline) = (Traffic::new(2), Timeline::new());
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

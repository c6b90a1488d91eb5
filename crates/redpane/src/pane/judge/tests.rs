//! What the rules say of a history that was recorded.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::input::{Endpoint, Snapshot};
use super::*;

const START: u64 = 1_800_000_000;

/// Requests since the start: good ones, errors, and slow ones among the good.
struct Sent(&'static str, u64, u64, u64);

fn snapshot(sent: &[Sent]) -> Snapshot {
    let endpoint = |Sent(route, good, errors, slow): &Sent| Endpoint {
        method: "GET".into(),
        route: (*route).into(),
        classes: [*good, 0, 0, *errors],
        failed_calls: 0,
        buckets: vec![good - slow + errors, 0, *slow],
    };
    Snapshot { endpoints: sent.iter().map(endpoint).collect(), families: Vec::new(), application: 0 }
}

struct Recorded(History);

impl Recorded {
    fn new() -> Self {
        Self(History::new(Arc::new([1.0, 2.0]), HashSet::from(["/healthz".to_owned()]), Vec::new()))
    }

    /// Records what was sent until a second after the start; what lies between two is no gap.
    fn until(&mut self, second: u64, sent: &[Sent]) {
        self.0.record(&snapshot(sent), START + second);
        self.0.rules = judge(&self.0, "api", false);
    }

    /// Seconds in which nothing happens.
    fn quiet(&mut self, seconds: std::ops::Range<u64>, sent: &[Sent]) {
        seconds.for_each(|second| self.until(second, sent));
    }

    fn rule(&self, name: &str) -> &Rule {
        self.0.rules.0.iter().find(|rule| rule.name == name).unwrap()
    }
}

#[test]
fn each_that_fires_names_the_route_most_to_blame() {
    let mut recorded = Recorded::new();
    let ok = [Sent("/", 100, 0, 0), Sent("/pay", 40, 0, 0), Sent("/healthz", 100, 0, 0)];
    recorded.until(0, &ok);
    assert!(recorded.0.rules.0.iter().all(|rule| rule.state == State::Ok && rule.route.is_none()));
    let failing = [Sent("/", 110, 1, 1), Sent("/pay", 50, 7, 9), Sent("/healthz", 100, 50, 50)];
    recorded.until(1, &failing);
    let rule = recorded.rule("any_5xx");
    assert_eq!((rule.state, rule.since), (State::Burning, Some(START + 1)));
    assert_eq!(rule.detail, "8 of 168 requests were answered 5xx in the last 2 minutes; most by GET /pay (7 of 57)");
    let rule = recorded.rule("p99_slow");
    assert_eq!(rule.state, State::Warning);
    assert!(rule.detail.ends_with(" s; most of the slow ones by GET /pay (9 of 57)"), "{}", rule.detail);
    assert_eq!(serde_json::to_value(&rule.route).unwrap()["slow"], 9);
    // An hour is made of steps of ten seconds: the errors of the running one are in it too.
    let rule = recorded.rule("fast_burn");
    assert_eq!((rule.state, rule.threshold), (State::Burning, 14.4));
    assert!(rule.detail.ends_with("(limit 14.4); most errors by GET /pay (7 of 57)"), "{}", rule.detail);
}

#[test]
fn what_is_in_no_ring_of_its_own_is_named_too() {
    let mut recorded = Recorded::new();
    let routes: Vec<&'static str> = (0..60).map(|number| &*format!("/{number}").leak()).collect();
    let all = |errors| -> Vec<Sent> { routes.iter().map(|route| Sent(route, 10, errors, 0)).collect() };
    recorded.until(0, &all(0));
    recorded.until(1, &all(1));
    assert!(
        recorded.rule("any_5xx").detail.contains("most by 12 further routes (12 of "),
        "{:?}",
        recorded.rule("any_5xx")
    );
}

#[test]
fn the_pair_that_fires_is_the_one_that_is_shown() {
    let mut recorded = Recorded::new();
    recorded.until(0, &[Sent("/", 1000, 0, 0)]);
    let after = [Sent("/", 1900, 100, 0)];
    recorded.until(1, &after);
    assert_eq!(recorded.rule("fast_burn").threshold, 14.4);
    // The errors are ten minutes old: over five minutes nothing burns any more.
    recorded.quiet(2..600, &after);
    let rule = recorded.rule("fast_burn");
    assert_eq!((rule.state, rule.threshold, rule.since), (State::Burning, 6.0, Some(START + 1)));
    assert!((rule.value.unwrap() - 50.0).abs() < 1.0, "{rule:?}");
    assert_eq!(
        rule.detail,
        "50.0 times too fast over 30 minutes, 50.0 over 6 hours (limit 6); most errors by GET / (100 of 2000)"
    );
    assert!(rule.query.contains("[30m]") && rule.query.contains("[6h]") && !rule.query.contains("[5m]"));
    assert!(!rule.query.contains("burn_rate"), "no recording rule is needed: {}", rule.query);
}

#[test]
fn a_rule_that_is_quiet_in_spite_of_its_number_says_why() {
    let mut recorded = Recorded::new();
    recorded.until(0, &[Sent("/", 1, 0, 0)]);
    recorded.quiet(1..10, &[Sent("/", 2, 2, 1)]);
    let rule = recorded.rule("fast_burn");
    assert_eq!((rule.state, rule.reason), (State::Ok, Some("fewer than 5 errors in 1 hour")));
    assert!(rule.detail.ends_with("; fewer than 5 errors in 1 hour"), "{}", rule.detail);
    let rule = recorded.rule("p99_slow");
    assert_eq!((rule.state, rule.reason), (State::Ok, Some("fewer than 20 requests in 5 min")));
    assert_eq!(recorded.rule("any_5xx").reason, None);
}

#[test]
fn no_rule_fires_since_a_time_that_is_to_come() {
    let mut recorded = Recorded::new();
    let year = 365 * 24 * 3600;
    recorded.until(year, &[Sent("/", 1, 1, 0)]);
    assert_eq!(recorded.rule("any_5xx").since, Some(START + year));
    recorded.until(0, &[Sent("/", 2, 2, 0)]);
    assert_eq!(recorded.rule("any_5xx").since, Some(START), "the clock was set back");
}

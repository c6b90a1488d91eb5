//! The account: what clients saw against what was logged and what was counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use test_support::{Line, Samples};

use crate::seen::{Ending, Fate, QUIET_ROUTES, Seen};

/// Everything seen and read so far. Requests wait here for their lines, and lines for their requests.
#[derive(Default)]
pub(crate) struct Account {
    seen: HashMap<String, Seen>,
    access: HashMap<String, Line>,
    /// Access lines by label set, `GET / 200`.
    logged: BTreeMap<String, u64>,
    /// Requests without a line, by label set.
    quiet: BTreeMap<String, u64>,
    /// What access lines say of sizes, by method and route: request bytes, response bytes, lines.
    sizes: BTreeMap<String, [u64; 3]>,
    lines: u64,
    panics: u64,
    /// Lost lines that announcements tell of.
    announced: u64,
    /// The share of access lines that the service keeps of requests that end well; all of them without one.
    pub(crate) share: Option<f64>,
    /// Requests that a test keeps in flight.
    pub(crate) kept_in_flight: u64,
}

/// The sum of an account that is right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sum {
    pub(crate) counted: u64,
    pub(crate) lines: u64,
    pub(crate) lost: u64,
    /// Access lines left out on purpose.
    pub(crate) sampled_out: u64,
    /// Requests whose clients cannot know whether they arrived.
    pub(crate) uncertain: u64,
}

impl Account {
    pub(crate) fn saw(&mut self, seen: Seen) {
        if let Some(line) = self.access.remove(&seen.id) {
            return self.pair(&seen, &line);
        }
        if let (true, Fate::Answered(status, _)) = (seen.is_quiet(), &seen.fate) {
            *self.quiet.entry(format!("{} {status}", seen.what)).or_default() += 1;
            return;
        }
        let id = seen.id.clone();
        assert!(self.seen.insert(id.clone(), seen).is_none(), "the id {id} was used twice");
    }

    pub(crate) fn read(&mut self, line: Line) {
        self.lines += 1;
        match line.str("target") {
            "redpane::access" => {
                let id = line.str("request_id").to_owned();
                match self.seen.remove(&id) {
                    Some(seen) => self.pair(&seen, &line),
                    None => assert!(self.access.insert(id, line).is_none(), "a request has two lines"),
                }
            }
            "redpane::panic" => self.panics += 1,
            "redpane::logs" => self.announced += line["lines"].as_u64().unwrap(),
            _ => {}
        }
    }

    /// A request and its line say the same.
    fn pair(&mut self, seen: &Seen, line: &Line) {
        let text = &line.text;
        let what = format!("{} {}", line.str("method"), line.str("route"));
        let (status, labels) = (line["status"].as_u64().unwrap(), format!("{what} {}", line["status"]));
        assert!(seen.labels().contains(&labels), "{seen:?} is logged as {text}");
        assert!(seen.allows(line.str("outcome"), status), "{seen:?} is logged as {text}");
        if let Some(trace_id) = &seen.trace_id {
            assert_eq!(line.str("trace_id"), trace_id, "{seen:?} is logged as {text}");
        }
        if let Fate::Answered(_, Ending::Whole(bytes)) = seen.fate {
            assert_eq!(line["response_bytes"], bytes, "{seen:?} is logged as {text}");
        }
        *self.logged.entry(labels).or_default() += 1;
        let bytes = [&line["request_bytes"], &line["response_bytes"]].map(|bytes| bytes.as_u64().unwrap());
        let sizes = self.sizes.entry(what).or_default();
        *sizes = [sizes[0] + bytes[0], sizes[1] + bytes[1], sizes[2] + 1];
    }

    /// Whether the account is right: to the last request, where nothing was lost; else to the last lost line.
    ///
    /// # Errors
    /// What is wrong. It may be too early: a line on its way, a request that nobody has accepted yet.
    pub(crate) fn check(&self, samples: &Samples) -> Result<Sum, String> {
        if let Some(line) = self.access.values().next() {
            return Err(format!("{} access lines are of no known request: {}", self.access.len(), line.text));
        }
        let (lost, events) = (samples.sum("log_lines_dropped_total", &[]), samples.sum("log_events_total", &[]));
        let (lost, events) = (lost as u64, events as u64);
        equal("lines, and log_events_total without those lost", self.lines, events - lost)?;
        equal("announced and lost lines", self.announced, lost)?;
        let in_flight = samples.sum("http_requests_in_flight", &[]) as u64;
        equal("requests in flight, and those of the test", in_flight, self.kept_in_flight)?;
        let certain: Vec<_> =
            self.seen.values().filter(|seen| is_certain(seen) && !self.may_be_sampled_out(seen)).collect();
        if let (0, Some(missing)) = (lost, certain.first()) {
            return Err(format!("{} requests have no line: {missing:?}", certain.len()));
        }
        let unlogged = self.unlogged(samples)?;
        let panicked: f64 = samples
            .of("http_requests_total", &[("route", "/faults/panic"), ("status", "500")])
            .map(|one| one.value)
            .sum();
        let sampled_out = samples.sum("log_lines_sampled_out_total", &[]) as u64;
        equal(
            "lines that are lost or sampled out, and those of requests and panics that are missing",
            lost + sampled_out,
            unlogged + panicked as u64 - self.panics,
        )?;
        if lost + sampled_out == 0 {
            self.check_sizes(samples)?;
        }
        let uncertain = self.seen.values().filter(|seen| matches!(seen.fate, Fate::Uncertain(_))).count() as u64;
        let counted = samples.sum("http_requests_total", &[]) as u64;
        Ok(Sum { counted, lines: self.lines, lost, sampled_out, uncertain })
    }

    /// Access lines so far.
    pub(crate) fn logged(&self) -> u64 {
        self.logged.values().sum()
    }

    /// Answered requests without the line they should have.
    pub(crate) fn missing(&self) -> impl Iterator<Item = &Seen> {
        self.seen.values().filter(|seen| seen.is_logged())
    }

    /// Counted requests without the line they should have, in all. Where nothing was lost that must be none.
    fn unlogged(&self, samples: &Samples) -> Result<u64, String> {
        let counted: BTreeMap<_, _> =
            samples.requests().into_iter().map(|(labels, value)| (labels, value as u64)).collect();
        let (mut at_least, mut at_most) = (BTreeMap::<String, u64>::new(), BTreeMap::<String, u64>::new());
        for seen in self.seen.values() {
            for labels in seen.labels() {
                *at_most.entry(labels.clone()).or_default() += 1;
                if let Fate::Answered(..) = seen.fate {
                    *at_least.entry(labels).or_default() += 1;
                }
            }
        }
        let is_lossy = samples.sum("log_lines_dropped_total", &[]) > 0.0;
        let may_be_sampled_out = |status: &str| self.share.is_some() && status < "400";
        let mut unlogged = 0;
        for labels in counted.keys().chain(self.logged.keys()).chain(self.quiet.keys()).collect::<BTreeSet<_>>() {
            let of = |map: &BTreeMap<String, u64>| map.get(labels).copied().unwrap_or_default();
            let (all, logged, quiet) = (of(&counted), of(&self.logged), of(&self.quiet));
            let [method, route, status] = labels.split(' ').collect::<Vec<_>>()[..] else {
                panic!("no label set: {labels}");
            };
            check_histogram(samples, &[("method", method), ("route", route), ("status", status)], all)?;
            let is_quiet = QUIET_ROUTES.contains(&route) && status < "400";
            let allowed =
                if is_lossy || is_quiet || may_be_sampled_out(status) { of(&at_least)..=of(&at_most) } else { 0..=0 };
            let rest = all.checked_sub(logged + quiet).filter(|rest| allowed.contains(rest)).ok_or_else(|| {
                let needs = format!("{logged} have a line, {quiet} need none, {allowed:?} may have neither");
                format!("{labels} is counted {all} times: {needs}")
            })?;
            unlogged += if is_quiet { 0 } else { rest };
        }
        Ok(unlogged)
    }

    /// Whether its line may have been left out on purpose. A client that has no answer does not know the trace.
    fn may_be_sampled_out(&self, seen: &Seen) -> bool {
        let Some(share) = self.share else { return false };
        let outside =
            |id: &String| u64::from_str_radix(&id[16..], 16).unwrap() >> 1 >= (share * (1_u64 << 63) as f64) as u64;
        match &seen.fate {
            Fate::Answered(status, _) => *status < 400 && seen.trace_id.as_ref().is_some_and(outside),
            Fate::Arrived(statuses) => statuses.iter().any(|status| *status < 400),
            Fate::Uncertain(_) | Fate::Never => true,
        }
    }

    /// The size histograms hold what the lines say, byte for byte.
    fn check_sizes(&self, samples: &Samples) -> Result<(), String> {
        for (what, [request, response, lines]) in &self.sizes {
            let (method, route) = what.split_once(' ').unwrap();
            if QUIET_ROUTES.contains(&route) {
                continue;
            }
            for (name, bytes) in [("http_request_size_bytes", request), ("http_response_size_bytes", response)] {
                let value = |suffix| samples.sum(&format!("{name}_{suffix}"), &[("method", method), ("route", route)]);
                equal(&format!("{name} of {what}"), value("sum") as u64, *bytes)?;
                equal(&format!("{name} of {what}"), value("count") as u64, *lines)?;
            }
        }
        Ok(())
    }
}

/// `_count` and the bucket of all durations are the counter.
fn check_histogram(samples: &Samples, labels: &[(&str, &str); 3], counted: u64) -> Result<(), String> {
    let what = format!("durations of {labels:?}, and http_requests_total");
    let infinite = [labels[0], labels[1], labels[2], ("le", "+Inf")];
    equal(&what, samples.sum("http_request_duration_seconds_count", labels) as u64, counted)?;
    equal(&what, samples.sum("http_request_duration_seconds_bucket", &infinite) as u64, counted)
}

/// Whether a request must have a line.
fn is_certain(seen: &Seen) -> bool {
    matches!(seen.fate, Fate::Answered(..) | Fate::Arrived(_))
}

fn equal(what: &str, one: u64, other: u64) -> Result<(), String> {
    if one == other { Ok(()) } else { Err(format!("{what}: {one} is not {other}")) }
}

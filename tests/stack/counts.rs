//! What was sent, what was counted and what was logged are the same, and the contract's queries find it.

use std::collections::BTreeMap;

use crate::bundle::{Bundle, REPLICAS, eventually};
use crate::queries::Labels;
use crate::traffic::{Answered, send_mix};

/// Requests of the test; a multiple of the kinds of the mix.
const REQUESTS: usize = 960;
/// Label matcher for what clients sent, in both query languages: probes and scrapes are counted too.
pub(crate) const CLIENTS_ONLY: &str = r#"route!~"/metrics|/healthz|/readyz""#;

fn by_method_route_status(samples: Vec<(Labels, f64)>) -> BTreeMap<(String, String, String), u64> {
    let key = |mut labels: Labels| ["method", "route", "status"].map(|name| labels.remove(name).unwrap_or_default());
    let entry = |(labels, value): (Labels, f64)| {
        let [method, route, status] = key(labels);
        ((method, route, status), value as u64)
    };
    samples.into_iter().map(entry).collect()
}

pub(crate) fn requests_counters_and_lines_agree(bundle: &Bundle) {
    let counters = format!(r#"sum by (method, route, status) (http_requests_total{{app="api", {CLIENTS_ONLY}}}) > 0"#);
    let lines = r#"sum by (method, route, status) (count_over_time({app="api"}
        | json message="message", method="method", route="route", status="status" | message="request" [1h]))"#;
    assert!(bundle.promql(&counters).is_empty(), "a new bundle has served nobody");
    let sent = send_mix(bundle, "counts", REQUESTS);
    assert!(sent.unanswered.is_empty(), "{:?}", sent.unanswered);
    assert_eq!(sent.answered.len(), REQUESTS);
    let expected = sent.counts();
    let compare = |what: &str, found: BTreeMap<_, _>| {
        if found == expected { Ok(()) } else { Err(format!("{what} {found:?}\nsent {expected:?}")) }
    };
    eventually("http_requests_total is what was sent", 30, || {
        compare("counted", by_method_route_status(bundle.promql(&counters)))
    });
    eventually("the access lines are what was sent", 60, || {
        compare("logged", by_method_route_status(bundle.logql(lines)))
    });
    bundle.expect_lines("counts", &sent);
    let histogram = format!(r#"sum(http_request_duration_seconds_bucket{{app="api", {CLIENTS_ONLY}, le="+Inf"}})"#);
    assert_eq!(bundle.promql_value(&histogram), REQUESTS as f64);
    let busy = format!(r#"count(sum by (instance) (http_requests_total{{app="api", {CLIENTS_ONLY}}}) > 0)"#);
    assert_eq!(bundle.promql_value(&busy), REPLICAS as f64, "the gateway did not use every replica");
    println!("  {REQUESTS} requests = http_requests_total = access lines, by method, route and status");
}

pub(crate) fn the_queries_of_the_contract_work_as_written(bundle: &Bundle) {
    let sent = send_mix(bundle, "contract", 80);
    let failed: Vec<&Answered> = sent.answered.iter().filter(|one| one.status >= 500).collect();
    assert_eq!(failed.len(), 30);

    let rate = eventually("the rate of errors is above 0", 30, || {
        let found = bundle.promql(r#"sum(rate(http_requests_total{status=~"5.."}[2m])) > 0"#);
        found.first().map(|(_, value)| *value).ok_or_else(|| "no sample".into())
    });
    let p99 = eventually("the p99 latency is a number", 30, || {
        let query = "histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket[5m])) by (le))";
        match bundle.promql_value(query) {
            seconds if seconds > 0.0 && seconds < 10.0 => Ok(seconds),
            other => Err(format!("{other}")),
        }
    });
    println!("  errors {rate:.3}/s, p99 {p99:.4} s");

    bundle.expect_lines("contract", &sent);
    let errors = bundle.lines(r#"{app="api"} |= "ERROR""#);
    for one in &failed {
        assert!(errors.iter().any(|line| line.text.contains(&one.trace_id)), "no ERROR line of {one:?}");
    }
    assert!(errors.iter().all(|line| line.labels.get("level").is_some_and(|level| level == "ERROR")));
    for one in [&sent.answered[0], failed[0]] {
        let query = format!(r#"{{app="api"}} | json | trace_id="{}""#, one.trace_id);
        for lines in [bundle.lines(&query), bundle.lines_through_grafana(&query)] {
            assert_eq!(lines.len(), 1, "{query}: {lines:?}");
            assert_eq!(lines[0].labels["request_id"], one.id);
        }
    }
}

//! A binary of its own, since it needs Docker and every test in it is ignored unless asked for. The whole bundle in
//! containers: from a request to its metric, its log line, its panel and its alert.
//!
//! Needs Docker and the images of docker-compose.yml; takes about a quarter of an hour:
//! `cargo test --locked --test stack -- --ignored --nocapture`. `REDPANE_TEST_STEPS=counts,panels` runs some of the steps;
//! `REDPANE_TEST_PICTURES=docs/images` makes the pictures of the documentation anew;
//! `REDPANE_TEST_COLLECTOR=alloy` puts Alloy in Promtail's place.

// Helpers are no `#[test]` functions, which is all that clippy.toml can make an exception for.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod alerts;
mod browser;
mod bundle;
mod cause;
mod clicks;
mod collector;
mod counts;
mod dashboards;
mod disks;
mod http;
mod labels;
mod pictures;
mod queries;
mod red;
mod restarts;
mod span_clicks;
mod spans;
mod starts;
mod traffic;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use test_support::is_required;

use bundle::Bundle;

/// A name to choose it by, and what it checks.
type Step = (&'static str, fn(&Bundle));

/// What is checked, in this order: the counts need a bundle that has served nobody yet, the panels one that had an incident.
const STEPS: &[Step] = &[
    ("healthy", labels::everything_is_healthy_and_on_this_machine_only),
    ("targets", labels::every_target_is_up),
    ("counts", counts::requests_counters_and_lines_agree),
    ("contract", counts::the_queries_of_the_contract_work_as_written),
    ("labels", labels::labels_are_the_same_in_both_stores),
    ("spans", spans::one_request_leaves_spans_and_lines_in_every_service),
    ("client", labels::the_client_is_who_connected),
    ("collector", collector::its_cost_is_read),
    ("rules", alerts::every_rule_is_loaded_and_evaluates),
    ("restarts", restarts::nothing_is_lost_when_parts_restart),
    ("all-restart", restarts::nothing_is_lost_or_doubled_when_everything_restarts),
    ("full-disk", disks::nothing_is_lost_while_the_disk_is_full),
    ("others", restarts::every_line_of_a_crash_loop_and_of_equal_lines_is_there_once),
    ("apart", starts::other_projects_are_not_collected),
    ("starts", starts::what_cannot_work_ends_the_start_with_a_message),
    ("drill", alerts::the_drill_passes),
    ("drill-payment", alerts::the_drill_of_the_last_service_passes),
    ("memory", labels::nothing_was_killed_for_memory),
    ("panels", dashboards::every_panel_has_data),
    ("browser", browser::every_dashboard_is_whole),
    ("clicks", clicks::every_link_shows_its_lines),
    ("span-clicks", span_clicks::every_span_leads_to_its_lines_and_metrics),
    ("cause", cause::two_clicks_lead_from_an_alert_to_the_line_that_says_why),
    ("pictures", pictures::are_made_when_asked_for),
    // The last one: the services run with other names from here on.
    ("red", red::published_dashboards_have_data),
];

#[test]
#[ignore = "needs Docker and the bundle's images, and a quarter of an hour"]
fn the_bundle_keeps_what_the_contract_says() {
    if let Some(missing) = bundle::missing() {
        assert!(!is_required("docker"), "REDPANE_TEST_REQUIRE names docker, but this is missing: {missing}");
        return println!("skipped, because this is missing: {missing}");
    }
    let wanted = std::env::var("REDPANE_TEST_STEPS").unwrap_or_default();
    let bundle = Bundle::up();
    let mut failed = Vec::new();
    for &(name, step) in STEPS {
        if !wanted.is_empty() && !wanted.split(',').any(|one| one.trim() == name) {
            continue;
        }
        let from = Instant::now();
        // The other steps have something to say even if this one fails.
        let result = catch_unwind(AssertUnwindSafe(|| step(&bundle)));
        let seconds = from.elapsed().as_secs_f64();
        println!("{name}: {} ({seconds:.0} s)", if result.is_ok() { "ok" } else { "FAILED" });
        if result.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "failed: {}", failed.join(", "));
}

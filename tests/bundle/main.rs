//! A binary for what reads files only, built and run in seconds after a change of one of them: the bundle's files, checked
//! without starting anything: what would otherwise be found by whoever needs it at 2 AM.
//!
//! Every check is a function over a folder that looks like this repository, and returns what it found wrong, each with
//! file and path. So the same functions judge the repository here and broken copies of it in `broken`: proof that they
//! can fail.
//!
//! Programs the checks ask (node for LogQL, promtool) may be missing: those tests say so and pass, unless the variable
//! `REDPANE_TEST_REQUIRE` names the tool (`logql`, `promtool`, `shellcheck`, separated by commas).

mod adhoc;
mod alert_queries;
mod alert_texts;
mod alerts;
mod broken;
mod chain;
mod compose;
mod configs;
mod dashboards;
mod docs;
mod drilldown;
mod environment;
mod files;
mod findings;
mod label_sets;
mod limits;
mod lines;
mod links;
mod load;
mod logql;
mod metrics;
mod notifications;
mod parts;
mod ports;
mod promql;
mod queries;
mod rows;
mod runbook_text;
mod runbooks;
mod same;
mod service;
mod settings;
mod shown;
mod spans;
mod texts;
mod tools;
mod variables;
mod waterfall;

use files::Bundle;
use findings::Findings;

#[test]
fn every_yaml_and_json_file_parses() {
    check(files::every_file_parses);
}

#[test]
fn dashboards_are_classic_complete_and_do_not_overlap() {
    check(dashboards::check);
}

#[test]
fn every_part_that_is_scraped_has_its_row() {
    check(rows::check);
}

#[test]
fn every_metric_of_the_library_is_shown() {
    check(shown::check);
}

#[test]
fn a_panel_and_an_alert_about_one_thing_read_one_number() {
    check(same::check);
}

#[test]
fn links_lead_to_what_exists() {
    check(links::check);
}

#[test]
fn numbers_lead_to_the_lines_behind_them() {
    check(drilldown::check);
}

#[test]
fn a_series_without_collected_lines_leads_to_none() {
    check(lines::check);
}

#[test]
fn a_chosen_label_makes_nothing_unknown_a_zero() {
    check(adhoc::check);
}

#[test]
fn lines_exemplars_and_spans_lead_to_one_another() {
    check(waterfall::check);
}

#[test]
fn promql_parses_and_names_only_metrics_that_exist() {
    check(|bundle| {
        let (queries, mut findings) = queries::collect(bundle);
        let known = metrics::Known::of(bundle, service::metrics(), &mut findings);
        promql::check(&queries, &known, &mut findings);
        findings
    });
}

#[test]
fn logql_parses_and_selects_by_the_labels_promtail_sets() {
    let Some(parser) = logql::Parser::find() else { return };
    check(|bundle| {
        let (queries, mut findings) = queries::collect(bundle);
        logql::check(&parser, &queries, &mut findings);
        findings
    });
}

#[test]
fn the_queries_of_the_contract_stand_in_the_documentation() {
    check(docs::check);
}

#[test]
fn instructions_are_named_as_they_were_counted() {
    check(docs::instructions);
}

#[test]
fn alert_rules_are_as_many_as_the_documents_say() {
    check(docs::alerts);
}

#[test]
fn every_setting_stands_in_the_documentation() {
    check(|bundle| docs::configuration(bundle, &service::settings()));
}

#[test]
fn alert_rules_are_complete_and_lead_somewhere() {
    check(alerts::check);
}

#[test]
fn alerts_can_be_read_in_every_state_and_keep_their_labels() {
    check(alert_texts::check);
}

#[test]
fn alert_rules_know_the_parts_of_the_bundle() {
    check(parts::check);
}

#[test]
fn the_dashboard_of_runbooks_is_made_from_the_page() {
    runbooks::write_if_asked(&Bundle::repository());
    check(runbooks::check);
}

#[test]
fn notifications_reach_a_receiver_and_expand_only_what_is_set() {
    check(notifications::check);
}

#[test]
fn compose_pins_confines_and_watches_every_service() {
    check(compose::check);
}

#[test]
fn a_checkout_goes_through_four_services() {
    check(chain::check);
}

#[test]
fn compose_and_the_environment_file_agree() {
    check(|bundle| environment::check(bundle, &service::settings()));
}

#[test]
fn prometheus_loki_promtail_and_grafana_agree() {
    check(configs::check);
}

#[test]
fn spans_arrive_are_kept_and_become_metrics() {
    check(spans::check);
}

#[test]
fn promtool_accepts_configuration_rules_and_their_tests() {
    let Some(promtool) = tools::find("promtool") else { return };
    check(|bundle| tools::promtool(&promtool, bundle));
}

#[test]
fn scripts_are_valid_sh() {
    check(tools::shell_syntax);
    let Some(shellcheck) = tools::find("shellcheck") else { return };
    check(|bundle| tools::shellcheck(&shellcheck, bundle));
}

/// Runs one check over this repository and fails with everything it found.
fn check(check: impl FnOnce(&Bundle) -> Findings) {
    check(&Bundle::repository()).assert_none();
}

//! The pane's page in a real browser, against the real service: what somebody at 2 AM sees, drags and clicks.
//!
//! Where no browser or no node is installed the tests say so and pass; `REDPANE_TEST_REQUIRE=chromium,node` makes them fail.
#![cfg(unix)]
// Helpers are no `#[test]` functions, which is all that clippy.toml can make an exception for.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking, and says what it measured")]

mod blame;
mod cold_start;
mod copies;
mod first_load;
mod fixture;
mod flood;
mod hostile;
mod lines;
mod modules;
mod numbers;
mod pictures;
mod restart;
mod small;
mod spike;
mod steady;

use std::time::Instant;

use self::fixture::{Pane, browser};

/// One browser and one service for all of it: what was sent in one step is there in the next ones, as in a real night.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn shows_what_happens_and_leads_to_the_line() {
    let Some(mut browser) = browser() else { return };
    let started = Instant::now();
    let mut pane = Pane::start().await;
    let step = |name: &str| println!("  {:>6.1?} {name}", started.elapsed());
    first_load::is_light_silent_and_local(&pane, &mut browser);
    first_load::may_be_repeated(&pane, &mut browser);
    first_load::says_what_it_waits_for(&pane, &mut browser);
    step("first load");
    numbers::are_those_of_what_was_sent(&pane, &mut browser).await;
    step("numbers");
    spike::leads_to_its_lines_and_their_trace(&pane, &mut browser).await;
    step("from spike to line");
    copies::are_what_is_looked_at(&mut browser);
    step("copies");
    lines::stop_and_go_on(&pane, &mut browser).await;
    lines::are_filtered(&pane, &mut browser).await;
    step("lines");
    hostile::text_stays_text(&pane, &mut browser).await;
    step("hostile text");
    small::screens_hold_all_of_it(&pane, &mut browser);
    step("screens");
    flood::of_requests_is_shown_in_part(&pane, &mut browser).await;
    step("flood of requests");
    restart::is_noticed_and_said(&mut pane, &mut browser).await;
    restart::leaves_nothing_of_a_chosen_time(&mut pane, &mut browser).await;
    step("restart");
    blame::is_where_it_belongs(&mut browser).await;
    step("who is to blame");
    steady::is_the_page(&mut browser).await;
    step("what stays where it is");
    flood::of_lines_does_not_freeze_it(&pane, &mut browser);
    step("flood of lines");
}

//! The cost of being observed in instructions, which are repeatable where times are not.
//!
//! Runs requests through a router in-process, for a counter such as callgrind to watch:
//! `valgrind --tool=callgrind <this program> bare 20000`, the same with `instrumented`. The difference of the totals,
//! divided by the number of requests, is what a request costs more. The other words are options that cost more or less than
//! `instrumented` alone.

mod common;

use std::process::ExitCode;

use axum::Router;
use redpane::{MetricNames, Redpane};

use common::{request, router, serve};

/// The application of an argument.
fn app(argument: &str) -> Option<Router> {
    let redpane = Redpane::new("bench").log_writer(std::io::sink());
    let redpane = match argument {
        "bare" => return Some(router()),
        "instrumented" => redpane,
        // Of no request the line is kept.
        "sampled-out" => redpane.access_sample(0.0),
        // A declared label that the request does not have.
        "labelled" => {
            redpane.label("tier", ["free", "paid"], |parts| Some(parts.headers.get("x-tier")?.to_str().ok()?.into()))
        }
        "both-names" => redpane.metric_names(MetricNames::Both),
        // A history that a thread fills each second, and lines that are copied.
        #[cfg(feature = "pane")]
        "pane" => redpane.pane_history(),
        _ => return None,
    };
    Some(redpane.instrument(router()))
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    // cargo calls every benchmark with a flag of its own.
    let Some(app) = arguments.get(1).and_then(|argument| app(argument)) else {
        eprintln!("usage: instructions bare|instrumented|sampled-out|labelled|both-names|pane REQUESTS");
        return ExitCode::SUCCESS;
    };
    let Some(requests) = arguments.get(2).and_then(|count| count.parse::<u32>().ok()) else {
        eprintln!("the number of requests is missing or no whole number, as in: instructions bare 20000");
        return ExitCode::FAILURE;
    };
    let mut app = app.with_state(());
    for _ in 0..requests {
        serve(&mut app, request());
    }
    ExitCode::SUCCESS
}

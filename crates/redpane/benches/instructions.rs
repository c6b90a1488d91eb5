//! The cost of being observed in instructions, which are repeatable where times are not.
//!
//! Runs requests through a router in-process, for a counter such as callgrind to watch:
//! `valgrind --tool=callgrind <this program> bare 20000`, the same with `instrumented`. The difference of the totals,
//! divided by the number of requests, is what a request costs more.

mod common;

use std::process::ExitCode;

use redpane::Redpane;

use common::{request, router, serve};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let app = match arguments.get(1).map(String::as_str) {
        Some("bare") => router(),
        Some("instrumented") => Redpane::new("bench").log_writer(std::io::sink()).instrument(router()),
        // cargo calls every benchmark with a flag of its own.
        _ => {
            eprintln!("usage: instructions bare|instrumented REQUESTS");
            return ExitCode::SUCCESS;
        }
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

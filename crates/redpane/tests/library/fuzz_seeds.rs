//! The assertions of the library's fuzz targets over their seeds.

use std::path::Path;

fn replay(target: &str, check: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    fuzz_checks::replay(&seeds, check);
}

#[test]
fn traceparent() {
    replay("traceparent", fuzz_checks::traceparent::check);
}

#[test]
fn request_id() {
    replay("request_id", fuzz_checks::request_id::check);
}

#[test]
fn json() {
    replay("json", fuzz_checks::json::check);
}

#[test]
fn exposition() {
    replay("exposition", fuzz_checks::exposition::check);
}

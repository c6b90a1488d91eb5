//! The assertions of the fuzz targets over their seeds, which keep every input that once broke one.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::panic::catch_unwind;
use std::path::Path;

#[allow(unreachable_pub, reason = "public in the package of the fuzz targets")]
#[path = "../fuzz/src/lib.rs"]
mod fuzz;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(target);
    let mut seeds: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "no seeds in {}", folder.display());
    let broken = seeds.iter().filter(|seed| catch_unwind(|| check(&std::fs::read(seed).unwrap())).is_err());
    assert_eq!(broken.collect::<Vec<_>>(), Vec::<&std::path::PathBuf>::new());
}

#[test]
fn traceparent() {
    replay("traceparent", fuzz::traceparent::check);
}

#[test]
fn request_id() {
    replay("request_id", fuzz::request_id::check);
}

#[test]
fn json() {
    replay("json", fuzz::json::check);
}

#[test]
fn exposition() {
    replay("exposition", fuzz::exposition::check);
}

#[test]
fn filter() {
    replay("filter", fuzz::filter::check);
}

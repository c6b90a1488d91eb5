//! What has to hold for every input, one module a fuzz target.
//!
//! The targets in `fuzz/` run it over what libFuzzer makes up; the tests run it over `fuzz/seeds`, which keeps every input
//! that once broke something.
#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "an assertion fails by panicking")]

pub mod exposition;
#[cfg(unix)]
pub mod filter;
mod input;
pub mod json;
pub mod request_id;
mod service;
pub mod traceparent;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Runs a check over every file of a folder.
///
/// # Panics
/// If one of them breaks it, naming all that do; or if there are none.
pub fn replay(folder: &Path, check: impl Fn(&[u8])) {
    let mut seeds: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "no seeds in {}", folder.display());
    let breaks = |seed: &PathBuf| {
        let input = std::fs::read(seed).unwrap();
        catch_unwind(AssertUnwindSafe(|| check(&input))).is_err()
    };
    assert_eq!(seeds.into_iter().filter(breaks).collect::<Vec<_>>(), Vec::<PathBuf>::new());
}

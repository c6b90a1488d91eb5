//! The assertions of the fuzz target `filter`, over its seeds. Those of the library's targets are with the library's tests.

use std::path::Path;

use redpane_service::settings::{Config, Role};

#[test]
fn every_seed_of_the_filter_holds() {
    let read = |value: std::ffi::OsString| {
        let source = |variable: &str| (variable == "REDPANE_LOG").then(|| value.clone());
        Config::read(Role::Serve, &source).map(|config| config.log).map_err(|error| error.to_string())
    };
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/filter");
    fuzz_checks::replay(&seeds, |input| fuzz_checks::filter::check(input, read));
}

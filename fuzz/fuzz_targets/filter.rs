#![no_main]

use std::ffi::OsString;

use redpane_service::settings::{Config, Role};

libfuzzer_sys::fuzz_target!(|input: &[u8]| fuzz_checks::filter::check(input, |value: OsString| {
    let source = |variable: &str| (variable == "REDPANE_LOG").then(|| value.clone());
    Config::read(Role::Serve, &source).map(|config| config.log).map_err(|error| error.to_string())
}));

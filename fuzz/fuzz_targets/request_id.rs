#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| redpane_fuzz::request_id::check(input));

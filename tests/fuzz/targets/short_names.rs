#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| body::run(bytes));

#[path = "../bodies/short_names.rs"]
mod body;

//! `cargo +nightly fuzz run producer_snapshot`: see src/targets.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| millrace_fuzz::targets::run("producer_snapshot", input));

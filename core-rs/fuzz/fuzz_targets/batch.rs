//! `cargo +nightly fuzz run batch`: see src/targets.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| millrace_fuzz::targets::run("batch", input));

//! `cargo +nightly fuzz run log_files`: see src/targets.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| millrace_fuzz::targets::run("log_files", input));

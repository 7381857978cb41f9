//! `cargo +nightly fuzz run metadata_snapshot`: see src/targets.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| millrace_fuzz::targets::run("metadata_snapshot", input));

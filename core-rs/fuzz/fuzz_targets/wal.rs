//! `cargo +nightly fuzz run wal`: see src/targets.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| millrace_fuzz::targets::run("wal", input));

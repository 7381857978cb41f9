//! `cargo +nightly fuzz run decompress`: see src/targets.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| millrace_fuzz::targets::run("decompress", input));

//! The fuzz targets as a library; the programs in fuzz_targets hand their inputs over.

pub mod targets;

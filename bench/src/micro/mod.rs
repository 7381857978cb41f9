//! Micro-benchmarks: one thing each, without sockets.

pub mod records;
pub mod request;

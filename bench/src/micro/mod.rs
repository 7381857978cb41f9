//! Micro-benchmarks: one thing each, without sockets.

pub mod request;

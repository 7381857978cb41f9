//! The loads: each file one way of using a broker through the lean client.

pub mod batch;
pub mod beside;
pub mod broker_process;
pub mod catch_up;
pub mod commits;
pub mod connections;
pub mod connects;
pub mod crowd;
pub mod drop_cache;
pub mod fetch;
pub mod first;
pub mod flush;
pub mod heartbeats;
pub mod latency;
pub mod metadata;
pub mod produce;
pub mod requests;
pub mod spread;
pub mod topics;

//! The loads: each file one way of using a broker through the lean client.

pub mod batch;
pub mod fetch;
pub mod heartbeats;
pub mod produce;
pub mod topics;

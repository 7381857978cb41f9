//! The broker's data plane as pure state: logs, partitions, the data-plane APIs, connections and the metadata quorum.
//! No sockets, no threads, no clock, no randomness; the addon and the simulator drive it.

pub mod api;
pub mod boundary;
pub mod conn;
pub mod log;
pub mod node;
pub mod panics;
pub mod partition;
mod prefetch;
pub mod quorum;
pub mod storage;
pub mod time;
pub mod uuid;

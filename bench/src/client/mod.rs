//! The lean Kafka client of the loads.

pub mod connection;
pub mod control_frames;
pub mod groups;
pub mod requests;
pub mod swarm;

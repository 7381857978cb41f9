//! The lean Kafka client of the loads.

pub mod batches;
pub mod closed_loop;
pub mod connection;
pub mod consumer;
pub mod control_frames;
pub mod frames;
pub mod groups;
pub mod paced;
pub mod producer;
pub mod requests;
pub mod schedule;
pub mod swarm;
pub mod tcp;
mod text;
mod topics;
pub mod wire;

//! The lean Kafka client of the loads.

pub mod connection;
pub mod requests;

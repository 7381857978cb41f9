//! The packed bytes that cross between Rust and JavaScript: events out, commands in, the options of `open`.
//! It knows layouts only; what an event or a command means is decided in `node`.

pub mod commands;
pub mod conn_id;
pub mod events;
pub mod options;
pub mod records;
mod wire;

pub use commands::{Command, parse_commands};
pub use conn_id::ConnId;
pub use events::{Event, parse_events};
pub use options::NodeOptions;
pub use records::{PackedRecords, PackedValues, RecordView};
pub use wire::BoundaryError;

#[cfg(test)]
mod golden_tests;

/// A topic id as it travels: the 16 bytes of Kafka's UUID, big-endian.
pub type TopicId = [u8; 16];

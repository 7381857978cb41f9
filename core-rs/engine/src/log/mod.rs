//! One partition's log in Kafka's directory layout: append, read, recovery, indexes and the small files beside them.
//! It assigns no offsets, judges no records and knows no watermark; the partition above it does.

pub mod checkpoint;
pub mod clean_shutdown;
mod config;
mod error;
mod log;
pub mod partition_metadata;
pub mod producer_snapshot;
mod reader;
mod sync;
mod types;

pub use config::{LogConfig, TimestampType};
pub use error::LogError;
pub use log::Log;
pub use reader::{BatchReader, StoredBatch};
pub use sync::{Removal, SyncJob};
pub use types::{
    AppendBatch, AppendOutcome, CutBytes, LogPosition, OpenReport, Opening, ReadRange, RolledSegment,
    TimestampOffset,
};

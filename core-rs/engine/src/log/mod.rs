//! One partition's log in Kafka's directory layout: append, read, recovery, indexes and the small files beside them.
//! It assigns no offsets, judges no records and knows no watermark; the partition above it does.

mod bringing;
mod check;
pub mod checkpoint;
pub mod clean_shutdown;
mod cleaner;
mod cleaning;
mod config;
mod durability;
mod epochs;
mod error;
mod folder;
pub mod folder_name;
mod index_file;
mod last_batch;
mod leftovers;
#[allow(clippy::module_inception)]
mod log;
mod moving;
mod open;
pub mod partition_metadata;
pub mod producer_snapshot;
mod read;
mod reader;
mod recovery;
mod retention;
mod room;
mod segment;
mod segment_check;
mod summary;
mod summary_codec;
mod sync;
mod tail;
#[cfg(test)]
mod tests;
mod timestamps;
mod truncation;
mod txn_index;
mod types;
mod verified;
mod warm;
mod window;

pub use bringing::{Brought, ColdJob};
pub use check::{Checked, DamagedPlace, SegmentCheck};
pub use cleaner::{Cleaned, CleaningPlan, CleaningPolicy, DEDUPE_BYTES};
pub use config::{LogConfig, TimestampType};
pub use error::LogError;
pub use log::Log;
pub use moving::{Copyable, FutureLog};
pub use reader::{BatchReader, ReplayedBatch, StoredBatch};
pub use retention::{Expired, ExpiredFiles, RetentionPolicy};
pub use summary::LogSummary;
pub use sync::{Removal, SyncJob};
pub use txn_index::AbortedTxn;
pub use types::{
    AppendBatch, AppendOutcome, AppendSize, CheckedRead, CutBytes, LastStop, LogPosition, OpenReport,
    Opening, ReadRange, RolledSegment, TimestampOffset,
};

//! Record batch v2, Kafka's only batch format since 0.11: reading, validating, building, patching, and the
//! codecs inside. Pure functions over byte slices: no I/O, no clock, no panics on any input, and no allocation
//! that an input can size beyond what its caller allowed.

pub mod batch;
pub mod builder;
pub mod codec;
pub mod control;
pub mod crc;
pub mod error;
pub mod patch;
pub mod records;
pub mod validate;
pub mod varint;
mod walk;

pub use batch::{BatchHeader, BatchView, Batches, HEADER_LEN, TimestampType, split_batches};
pub use builder::{BatchBuilder, BatchSpec};
pub use codec::Codec;
pub use control::{ControlRecord, EndTxnMarker, control_batch};
pub use error::{BatchError, BatchErrorKind, RecordFault};
pub use records::{RecordReader, RecordView, Records};
pub use validate::{BatchSummary, Origin, ValidateOptions, validate};

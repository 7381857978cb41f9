//! Reads whole batches in order, for replay and recovery, with one bounded buffer and without the log's lock.

use super::{LogError, LogPosition};

/// One whole batch as it stands in the log.
#[derive(Clone, Debug)]
pub struct StoredBatch {
    /// Where it begins; `offset` is its base offset.
    pub position: LogPosition,
    pub bytes: Vec<u8>,
}

/// The batches from one offset to the end that the log had when the reader was made.
#[derive(Debug)]
pub struct BatchReader {}

impl Iterator for BatchReader {
    type Item = Result<StoredBatch, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        todo!()
    }
}

//! Reads whole batches in order, for replay and recovery, with one bounded buffer and without the log's lock.

use std::path::Path;
use std::sync::Arc;

use millrace_record::BatchHeader;

use super::folder::{LOG, file_path};
use super::window::{Batch, LOOKUP_WINDOW, SCAN_WINDOW, Walk, WalkError};
use super::{LogError, LogPosition};
use crate::storage::{Storage, StorageFile};

/// One whole batch as it stands in the log.
#[derive(Clone, Debug)]
pub struct StoredBatch {
    /// Where it begins; `offset` is its base offset.
    pub position: LogPosition,
    pub header: BatchHeader,
    /// Header included.
    pub bytes: Vec<u8>,
}

/// What of one batch producer state is rebuilt from.
#[derive(Clone, Debug)]
pub struct ReplayedBatch {
    /// Where the batch begins; `offset` is its base offset.
    pub position: LogPosition,
    pub header: BatchHeader,
    /// The bytes of a control batch, header included.
    pub control: Option<Vec<u8>>,
}

/// The batches from one offset to the end that the log had when the reader was made. Iterates over whole batches
/// with their checksums compared; `next_replayed` skips the records. An error ends the iteration.
#[derive(Debug)]
pub struct BatchReader {
    storage: Arc<dyn Storage>,
    dir: Arc<Path>,
    /// Base offset and size of the segments to come, last first.
    segments: Vec<(i64, u64)>,
    /// The file of the last segment: it may be replaced on disk while this reads.
    active: Option<Arc<dyn StorageFile>>,
    /// Where the first segment's first batch stands.
    from: u64,
    walk: Option<(i64, Walk)>,
}

impl BatchReader {
    pub(super) fn new(
        storage: Arc<dyn Storage>,
        dir: Arc<Path>,
        mut segments: Vec<(i64, u64)>,
        active: Option<Arc<dyn StorageFile>>,
        from: u64,
    ) -> BatchReader {
        segments.reverse();
        BatchReader { storage, dir, segments, active, from, walk: None }
    }

    /// The next batch as producer state needs it: its header and, of a control batch, all of it; checksums are
    /// not compared.
    pub fn next_replayed(&mut self) -> Result<Option<ReplayedBatch>, LogError> {
        // A larger window would bring mostly records, which nobody looks at.
        let Some((position, batch)) = self.step(Walk::next, LOOKUP_WINDOW)? else {
            return Ok(None);
        };
        let control = match batch.header.is_control() {
            true => Some(self.copy(position, &batch)?),
            false => None,
        };
        Ok(Some(ReplayedBatch { position, header: batch.header, control }))
    }

    fn copy(&mut self, position: LogPosition, batch: &Batch) -> Result<Vec<u8>, LogError> {
        let bytes = match &mut self.walk {
            Some((_, walk)) => walk.window.copy(batch.position, batch.header.total_len()),
            None => Ok(Vec::new()),
        };
        bytes.map_err(|error| self.blame(position.segment_base, WalkError::Io(error)))
    }

    fn next_batch(&mut self) -> Result<Option<StoredBatch>, LogError> {
        let Some((position, batch)) = self.step(Walk::next_checked, SCAN_WINDOW)? else {
            return Ok(None);
        };
        let bytes = self.copy(position, &batch)?;
        Ok(Some(StoredBatch { position, header: batch.header, bytes }))
    }

    fn step(
        &mut self,
        next: impl Fn(&mut Walk) -> Result<Option<Batch>, WalkError>,
        window: usize,
    ) -> Result<Option<(LogPosition, Batch)>, LogError> {
        loop {
            if let Some((base, walk)) = &mut self.walk {
                let segment_base = *base;
                match next(walk) {
                    Ok(Some(batch)) => {
                        let (offset, position) = (batch.header.base_offset, batch.position);
                        return Ok(Some((LogPosition { offset, segment_base, position }, batch)));
                    }
                    Ok(None) => self.walk = None,
                    Err(error) => {
                        self.walk = None;
                        self.segments.clear();
                        return Err(self.blame(segment_base, error));
                    }
                }
            }
            let Some((base, size)) = self.segments.pop() else {
                return Ok(None);
            };
            let from = std::mem::take(&mut self.from);
            let file = match self.active.take().filter(|_| self.segments.is_empty()) {
                Some(file) => file,
                None => self
                    .storage
                    .open_shared(&file_path(&self.dir, base, LOG))
                    .map_err(|error| self.blame(base, WalkError::Io(error)))?,
            };
            self.walk = Some((base, Walk::new(file, window, from, size, base)));
        }
    }

    fn blame(&self, base: i64, error: WalkError) -> LogError {
        error.of(&file_path(&self.dir, base, LOG))
    }
}

impl Iterator for BatchReader {
    type Item = Result<StoredBatch, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}

//! Having the disk bring what readers ask for into memory, as the log's own thread must not wait for it: what is known
//! to be sound as it is, the rest through `check.rs`. It runs without the log's lock, blocks, and looks at no record.

use std::sync::Arc;

use super::LogError;
use super::check::{CheckJob, Checked, DamagedPlace, PIECE_BYTES};
use super::folder::Folder;
use super::log::Log;
use super::segment::Segment;
use super::verified::Look;
use super::warm::Piece;
use super::window::{LOOKUP_WINDOW, Walk, WalkError};
use crate::storage::StorageFile;

/// The bytes around an offset, about to be brought into memory, and checked where nobody has.
#[derive(Debug)]
pub enum ColdJob {
    Check(Box<CheckJob>),
    Bring(Box<BringJob>),
}

/// Bytes around `offset` that were looked at before.
#[derive(Debug)]
pub struct BringJob {
    folder: Folder,
    file: Arc<dyn StorageFile>,
    segment: Segment,
    /// Offset behind the segment.
    end_offset: i64,
    offset: i64,
    truncations: u64,
    /// In case that the index does not lead anywhere.
    check: CheckJob,
}

/// What is in memory now, for `Log::brought`.
#[derive(Debug)]
pub enum Brought {
    Checked(Box<Checked>),
    Piece(Piece),
}

impl Log {
    /// What it takes to have the batch that contains `offset` in memory, and to know whether it may be served; `None`
    /// when it is known to be damaged.
    pub fn cold_job(&self, offset: i64) -> Result<Option<ColdJob>, LogError> {
        let place = self.floor_segment(offset);
        let Some(segment) = self.segments.get(place) else { return Ok(None) };
        let part = match segment.verified.look(offset) {
            Look::Cold => segment.verified.cold_part(),
            Look::Checked { .. } => (0, 0),
            Look::Damaged(_) => return Ok(None),
        };
        let check = CheckJob::new(self.segment_check(segment, part)?, offset);
        if part != (0, 0) {
            return Ok(Some(ColdJob::Check(Box::new(check))));
        }
        Ok(Some(ColdJob::Bring(Box::new(BringJob {
            folder: Folder::new(Arc::clone(&self.folder.storage), &self.folder.dir),
            file: segment.handle(&self.folder)?,
            segment: segment.for_check(),
            end_offset: self.segments.get(place + 1).map_or(self.end_offset, |next| next.base),
            offset,
            truncations: self.truncations,
            check,
        }))))
    }

    /// Takes over what a job has brought. Returns the damage that was not known before.
    ///
    /// Errors: `Io` when a damaged index cannot be replaced.
    pub fn brought(&mut self, brought: Brought) -> Result<Vec<DamagedPlace>, LogError> {
        match brought {
            Brought::Piece(piece) => {
                self.warm.push(piece);
                Ok(Vec::new())
            }
            Brought::Checked(checked) => {
                self.warm.push(checked.piece());
                self.checked(*checked)
            }
        }
    }
}

impl From<Checked> for Brought {
    fn from(checked: Checked) -> Brought {
        Brought::Checked(Box::new(checked))
    }
}

impl ColdJob {
    /// Blocks.
    ///
    /// Errors: `Io`.
    pub fn run(self) -> Result<Brought, LogError> {
        match self {
            ColdJob::Check(job) => job.run().map(Brought::from),
            ColdJob::Bring(job) => match job.piece()? {
                Some(piece) => Ok(Brought::Piece(piece)),
                None => job.check.run().map(Brought::from),
            },
        }
    }
}

impl BringJob {
    /// About a piece, up to where the index knows a batch to begin; `None` when it does not help.
    fn piece(&self) -> Result<Option<Piece>, LogError> {
        let Segment { base, size, .. } = self.segment;
        let entries = self.segment.entries_from(&self.folder, self.offset, PIECE_BYTES)?;
        let from = entries.first().map_or(0, |entry| entry.position);
        // The first that ends at the offset or above is at most the one that holds it.
        let mut behind = entries.iter().skip_while(|entry| entry.offset < self.offset).skip(1);
        let (to, to_offset) = match behind.find(|entry| entry.position >= from + PIECE_BYTES) {
            Some(entry) if entry.position < size => {
                self.bring(from, entry.position)?;
                let mut walk = Walk::new(Arc::clone(&self.file), LOOKUP_WINDOW, entry.position, size, base);
                match walk.next() {
                    Ok(Some(batch)) if batch.header.base_offset > self.offset => {
                        (entry.position, batch.header.base_offset)
                    }
                    Err(error @ WalkError::Io(_)) => return Err(self.segment.blame(&self.folder, error)),
                    _ => return Ok(None),
                }
            }
            None if from < size && size - from < 2 * PIECE_BYTES => {
                self.bring(from, size)?;
                (size, self.end_offset)
            }
            _ => return Ok(None),
        };
        Ok(Some(Piece::new(base, self.truncations, from..to, to_offset)))
    }

    fn bring(&self, from: u64, to: u64) -> Result<(), LogError> {
        let brought = self.file.bring(from, to - from);
        brought.map_err(|error| self.segment.blame(&self.folder, error.into()))
    }
}

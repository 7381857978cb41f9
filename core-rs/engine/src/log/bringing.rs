//! Having the disk bring what readers ask for into memory, as the log's own thread must not wait for it: what is known
//! to be sound as it is, the rest through `check.rs`. It runs without the log's lock, blocks, and looks at no record.

use std::sync::Arc;

use super::LogError;
use super::check::{Checked, DamagedPlace, PIECE_BYTES, SegmentCheck};
use super::log::Log;
use super::verified::Look;
use super::warm::Piece;
use super::window::{LOOKUP_WINDOW, Walk, WalkError};

/// The bytes around `offset`, about to be brought into memory, and checked where nobody has.
#[derive(Debug)]
pub struct ColdJob {
    check: SegmentCheck,
    offset: i64,
    /// They were looked at before.
    is_known: bool,
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
        let Some(segment) = self.segments.get(self.floor_segment(offset)) else { return Ok(None) };
        let part = match segment.verified.look(offset) {
            Look::Cold => segment.verified.cold_part(),
            Look::Checked { .. } => (0, 0),
            Look::Damaged(_) => return Ok(None),
        };
        let check = self.segment_check(segment, part)?;
        Ok(Some(ColdJob { check, offset, is_known: part == (0, 0) }))
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
    /// Checks a piece that holds the offset, with the index entries that lead there, or where that was done before waits
    /// for it to be in memory; the whole segment is checked where anything is not as it should be. Blocks.
    ///
    /// Errors: `Io`.
    pub fn run(self) -> Result<Brought, LogError> {
        let ColdJob { check, offset, is_known } = self;
        if is_known && let Some(piece) = check.bring_piece(offset)? {
            return Ok(Brought::Piece(piece));
        }
        check.around(offset).map(Brought::from)
    }
}

impl SegmentCheck {
    /// About a piece, up to where the index knows a batch to begin; `None` when it does not help.
    fn bring_piece(&self, offset: i64) -> Result<Option<Piece>, LogError> {
        let entries = self.found.entries_from(&self.folder, offset, PIECE_BYTES)?;
        let from = entries.first().map_or(0, |entry| entry.position);
        // The first that ends at the offset or above is at most the one that holds it.
        let mut behind = entries.iter().skip_while(|entry| entry.offset < offset).skip(1);
        let (to, to_offset) = match behind.find(|entry| entry.position >= from + PIECE_BYTES) {
            Some(entry) if entry.position < self.size => {
                self.bring(from, entry.position)?;
                let file = Arc::clone(&self.file);
                let mut walk = Walk::new(file, LOOKUP_WINDOW, entry.position, self.size, self.base());
                match walk.next() {
                    Ok(Some(batch)) if batch.header.base_offset > offset => {
                        (entry.position, batch.header.base_offset)
                    }
                    Err(error @ WalkError::Io(_)) => return Err(self.found.blame(&self.folder, error)),
                    _ => return Ok(None),
                }
            }
            None if from < self.size && self.size - from < 2 * PIECE_BYTES => {
                self.bring(from, self.size)?;
                (self.size, self.end_offset)
            }
            _ => return Ok(None),
        };
        Ok(Some(Piece::new(self.base(), self.truncations, from..to, to_offset)))
    }

    fn bring(&self, from: u64, to: u64) -> Result<(), LogError> {
        let brought = self.file.bring(from, to - from);
        brought.map_err(|error| self.found.blame(&self.folder, error.into()))
    }
}

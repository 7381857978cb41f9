//! Disk space asked for ahead of the writes. Where blocks are found for many pages at once, ext4 takes a third less CPU
//! for each byte written (docs/PERFORMANCE.md). The file gets no longer by it, nothing depends on it, and what is left
//! over goes back when the segment takes no more.

use super::LogError;
use super::folder::{Folder, LOG};
use super::segment::Segment;
use crate::storage::StorageFile;

/// Segments that hold less get no room ahead: thousands of small logs would hold much of the disk.
const WORTHWHILE: u64 = 4 << 20;
/// Room ahead is so much of what a segment holds, a whole number of `STEP`s, one at least.
const SHARE: u64 = 8;
const STEP: u64 = 1 << 20;
const MOST: u64 = 16 << 20;
/// At least as large as a block of the file system, mostly.
const PAGE: u64 = 4096;
/// The segment's room where writes do not become cheaper by it.
const NEVER_ASK: u64 = u64::MAX;

impl Segment {
    /// Before `bytes` are appended, which end at `limit` at most. `preallocate`: all of the segment's room at once.
    #[inline]
    pub(super) fn make_room(&mut self, file: &dyn StorageFile, bytes: u64, limit: u64, preallocate: bool) {
        let end = self.size + bytes;
        if end > self.room && (preallocate || self.size >= WORTHWHILE) {
            self.ask_for_room(file, end, limit, preallocate);
        }
    }

    #[cold]
    fn ask_for_room(&mut self, file: &dyn StorageFile, end: u64, limit: u64, preallocate: bool) {
        if !preallocate && !file.gains_by_room() {
            self.room = NEVER_ASK;
            return;
        }
        let ahead = (self.size / SHARE / STEP * STEP).clamp(STEP, MOST);
        let until = if preallocate { limit } else { limit.min(end + ahead) };
        // The page that the file ends in has its block already.
        let from = self.room.max(self.size.next_multiple_of(PAGE));
        self.room = until.max(end);
        if until > from {
            // Where there is none, or the file system cannot tell, the write will find out.
            let _ = file.reserve(from, until - from);
        }
    }

    /// Gives back what the segment did not need, also what a process before this one left when it died.
    pub(super) fn give_back_room(&mut self, folder: &Folder, file: &dyn StorageFile) -> Result<(), LogError> {
        let is_large = self.room != NEVER_ASK && self.size >= WORTHWHILE;
        let holds_some = self.has_room() || is_large;
        self.room = 0;
        match holds_some {
            true => file.truncate(self.size).map_err(folder.fault(self.base, LOG)),
            false => Ok(()),
        }
    }

    /// Whether it may have room that it has not used.
    pub(super) fn has_room(&self) -> bool {
        self.room != NEVER_ASK && self.room > self.size
    }
}

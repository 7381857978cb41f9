//! Taking things out of a log: its tail, its head, or all of it. Readers that hold a range keep what they hold.

use std::sync::{Arc, OnceLock};

use super::durability::snapshot_offsets;
use super::folder::{INDEX, LOG, SNAPSHOT, TIME_INDEX, TXN_INDEX};
use super::log::Log;
use super::recovery::copy_bytes;
use super::segment::Segment;
use super::{LogError, Removal};
use crate::storage::{StorageFile, with_suffix};

impl Log {
    /// Cuts off the batch that contains `offset` and everything after it, durably. The log then ends with the batch
    /// before (Kafka calls `offset` itself the end, even inside a batch; here the end is always a batch border).
    /// The recovery point may move back: checkpoint it before the next append.
    ///
    /// Errors: `Io` and `Corrupt` take the log offline; `Offline`.
    pub fn truncate_to(&mut self, offset: i64) -> Result<(), LogError> {
        self.check_online()?;
        if offset >= self.end_offset {
            return Ok(());
        }
        if self.segments.first().is_none_or(|first| offset <= first.base) {
            return self.truncate_fully_and_start_at(offset);
        }
        let result = self.cut_tail(offset);
        if result.is_err() {
            self.take_offline();
        }
        result
    }

    fn cut_tail(&mut self, offset: i64) -> Result<(), LogError> {
        let Some((_, batch)) = self.locate(offset)? else {
            return Ok(());
        };
        let cut = batch.position;
        let was_active = cut.segment_base == self.active_segment_base();
        self.begin_truncation();
        while let Some(last) = self.segments.pop_if(|last| last.base > cut.segment_base) {
            self.remove_files(last.base)?;
        }
        self.folder.sync_dir()?;
        let Some(segment) = self.segments.last_mut() else {
            return Err(LogError::Offline);
        };
        let base = segment.base;
        segment.truncate_indexes(&self.folder, cut.offset, cut.position)?;
        // A range, reader or sync still owns the file, or may: its bytes stay and the log goes on in a copy.
        let file = segment.handle(&self.folder)?;
        let users = if was_active { 2 } else { 0 };
        if Arc::strong_count(&file) > users {
            segment.file = OnceLock::from(replace_with_prefix(&self.folder, base, &*file, cut.position)?);
            segment.active = true;
        } else {
            file.truncate(cut.position).map_err(self.folder.fault(base, LOG))?;
            file.sync().map_err(self.folder.fault(base, LOG))?;
        }
        segment.size = cut.position;
        segment.room = 0;
        segment.verified.truncate(cut.position, cut.offset);
        if segment.activate(&self.folder)?.is_none() {
            let reason = "its index does not match it".to_owned();
            return Err(self.folder.corrupt(base, LOG, cut.position, reason));
        }
        for snapshot in snapshot_offsets(&self.folder)? {
            if snapshot > cut.offset {
                self.folder.remove_if_present(snapshot, SNAPSHOT)?;
            }
        }
        self.end_offset = cut.offset;
        self.recovery_point = self.recovery_point.min(cut.offset);
        self.start_offset = self.start_offset.min(cut.offset);
        self.clean_until = self.clean_until.min(cut.offset);
        self.epochs.truncate_end(cut.offset);
        Ok(())
    }

    /// Drops everything and goes on, empty, at `offset`. The recovery point becomes `offset`.
    ///
    /// Errors: `Io` takes the log offline; `Offline`.
    pub fn truncate_fully_and_start_at(&mut self, offset: i64) -> Result<(), LogError> {
        self.check_online()?;
        // Offline while it is neither the old log nor the new one; an error leaves it so.
        self.offline = true;
        self.begin_truncation();
        let created_ms = self.segments.last().map_or(0, |active| active.created_ms);
        while let Some(last) = self.segments.pop() {
            self.remove_files(last.base)?;
        }
        for snapshot in snapshot_offsets(&self.folder)? {
            self.folder.remove_if_present(snapshot, SNAPSHOT)?;
        }
        self.segments.push(Segment::create(&self.folder, offset, created_ms)?);
        self.folder.sync_dir()?;
        self.epochs.clear();
        self.start_offset = offset;
        self.end_offset = offset;
        self.recovery_point = offset;
        self.clean_until = offset;
        self.offline = false;
        Ok(())
    }

    /// Moves the log start offset forward (DeleteRecords, retention; never past the end), in memory: checkpoint it
    /// before anybody hears of it. Segments wholly below it go with `expire_below`.
    ///
    /// Errors: `OffsetOutOfRange` beyond the end; `Offline`.
    pub fn increment_start_offset(&mut self, offset: i64) -> Result<(), LogError> {
        self.check_online()?;
        if offset <= self.start_offset {
            return Ok(());
        }
        self.check_offset(offset)?;
        self.start_offset = offset;
        self.epochs.truncate_start(offset);
        Ok(())
    }

    /// Renames the directory to `<name>.<unique>-delete`; removing the files runs later, without the lock. Ranges
    /// that are still being served keep their bytes.
    pub fn delete(self, unique: &str) -> Result<Removal, LogError> {
        Removal::rename(&self.folder.storage, &self.folder.dir, unique)
    }

    fn begin_truncation(&mut self) {
        self.truncations += 1;
        self.tail.clear();
        self.newest_snapshot = None;
        self.folder.forget_page();
    }

    fn remove_files(&self, base: i64) -> Result<(), LogError> {
        for extension in [LOG, INDEX, TIME_INDEX, TXN_INDEX, SNAPSHOT] {
            self.folder.remove_if_present(base, extension)?;
        }
        self.folder.forget_page();
        Ok(())
    }
}

/// Puts a durable copy of the first `len` bytes in the place of a segment's log file.
fn replace_with_prefix(
    folder: &super::folder::Folder,
    base: i64,
    source: &dyn StorageFile,
    len: u64,
) -> Result<Arc<dyn StorageFile>, LogError> {
    let path = folder.path(base, LOG);
    let copy_path = with_suffix(&path, ".tmp");
    let replace = || {
        let copy = folder.storage.create(&copy_path)?;
        copy_bytes(source, 0, len, &*copy)?;
        copy.sync()?;
        folder.storage.rename(&copy_path, &path)?;
        folder.storage.sync_dir(&folder.dir)?;
        Ok(copy)
    };
    replace().map_err(folder.fault(base, LOG))
}

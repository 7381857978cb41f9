//! A log handing its closed segments to the cleaner and taking the cleaned ones over, in Kafka's order of names:
//! `.cleaned` → `.swap` → the segment's own, so that an opening after a crash finds the old segments or the new.

use std::io;
use std::sync::Arc;

use super::cleaner::{Cleaned, CleaningPlan, Replacement, Source};
use super::durability::snapshot_offsets;
use super::folder::{Folder, INDEX, LOG, SEGMENT_FILES, SNAPSHOT, TIME_INDEX};
use super::leftovers::{CLEANED, SWAP};
use super::log::Log;
use super::segment::Segment;
use super::{ExpiredFiles, LogError};
use crate::storage::with_suffix;
use crate::time::Now;

impl Log {
    /// What compaction may do now: all closed segments below `upper_segment` that are old enough, if enough of
    /// them is dirty. `upper_segment` is the segment that must stay as it is. `None` when there is nothing to do.
    ///
    /// Errors: `Io`, `Offline`.
    pub fn cleaning_plan(&mut self, upper_segment: i64, now: Now) -> Result<Option<CleaningPlan>, LogError> {
        self.check_online()?;
        let policy = self.config.cleaning;
        let oldest = self.segments.first().map_or(0, |first| first.base);
        let first_dirty = self.clean_until.clamp(oldest, self.end_offset);
        let ends: Vec<i64> = self.segments.iter().skip(1).map(|segment| segment.base).collect();
        let mut sources = Vec::new();
        let (mut dirty, mut total, mut overdue) = (0, 0, false);
        for (segment, end) in
            self.segments.iter_mut().zip(ends).take_while(|(one, _)| one.base < upper_segment)
        {
            let age_ms = now.wall_ms.saturating_sub(segment.largest_timestamp(&self.folder)?);
            if end > first_dirty {
                if policy.min_lag_ms > 0 && age_ms < policy.min_lag_ms {
                    break;
                }
                dirty += segment.size;
                overdue |= age_ms > policy.max_lag_ms;
            }
            total += segment.size;
            let has_aborted = !segment.aborted.is_empty();
            sources.push(Source { base: segment.base, end, size: segment.size, has_aborted });
        }
        let ratio_reached =
            total > 0 && dirty as u128 * 1_000_000 >= total as u128 * u128::from(policy.min_dirty_millionths);
        if dirty == 0 || !(ratio_reached || overdue) {
            return Ok(None);
        }
        Ok(Some(CleaningPlan {
            folder: Folder::new(Arc::clone(&self.folder.storage), &self.folder.dir),
            config: self.config.clone(),
            sources,
            first_dirty,
            truncations: self.truncations,
        }))
    }

    /// Puts cleaned segments in the place of those that they were made of, durably. Returns the replaced files,
    /// which may be removed. A cleaning under which the log was truncated changes nothing.
    ///
    /// Errors: `Io` takes the log offline; `Offline`.
    pub fn take_cleaned(&mut self, cleaned: Cleaned) -> Result<ExpiredFiles, LogError> {
        self.check_online()?;
        let mut files = Vec::new();
        let unchanged = cleaned.truncations == self.truncations;
        for replacement in cleaned.replacements.iter().filter(|_| unchanged) {
            // Retention may have taken some of them: what was made of those is not wanted.
            let Some(at) = self.place_of(replacement) else { continue };
            if let Err(error) = self.swap(at, replacement, &mut files) {
                self.take_offline();
                return Err(error);
            }
        }
        if unchanged {
            self.clean_until = self.clean_until.max(cleaned.clean_until);
        }
        Ok(ExpiredFiles::new(Arc::clone(&self.folder.storage), files))
    }

    /// Where the run of segments stands that a replacement was made of.
    fn place_of(&self, replacement: &Replacement) -> Option<usize> {
        let first = replacement.sources.first()?;
        let at = self.segments.iter().position(|segment| segment.base == first.base)?;
        let run = self.segments.get(at..at + replacement.sources.len())?;
        let same = run.iter().zip(&replacement.sources).all(|(segment, source)| {
            segment.base == source.base && segment.size == source.size && !segment.active
        });
        (same && at + replacement.sources.len() < self.segments.len()).then_some(at)
    }

    fn swap(
        &mut self,
        at: usize,
        replacement: &Replacement,
        files: &mut Vec<std::path::PathBuf>,
    ) -> Result<(), LogError> {
        let Some(first) = replacement.sources.first() else { return Ok(()) };
        // The log file comes last: while it is `.cleaned`, an opening drops the others.
        for extension in [INDEX, TIME_INDEX, LOG] {
            self.rename(first.base, extension, CLEANED, SWAP)?;
        }
        self.folder.sync_dir()?;
        self.folder.forget_page();
        self.tail.clear();
        for source in &replacement.sources {
            for extension in SEGMENT_FILES {
                self.set_aside(source.base, extension, files)?;
            }
        }
        for extension in [INDEX, TIME_INDEX, LOG] {
            self.rename(first.base, extension, SWAP, "")?;
        }
        self.folder.sync_dir()?;
        let mut segment = Segment::closed(first.base, replacement.size, 0);
        if let Some(oldest) = self.segments.get(at) {
            segment.created_ms = oldest.created_ms;
        }
        segment.take_indexes(Some(replacement.index_len), Some(replacement.time_index_len));
        // A check that began before looked at other bytes.
        self.truncations += 1;
        self.segments.splice(at..at + replacement.sources.len(), [segment]);
        self.drop_snapshots_inside(replacement, files)
    }

    fn rename(&self, base: i64, extension: &'static str, from: &str, to: &str) -> Result<(), LogError> {
        let path = self.folder.path(base, extension);
        let renamed = self.folder.storage.rename(&with_suffix(&path, from), &with_suffix(&path, to));
        renamed.map_err(self.folder.fault(base, extension))
    }

    /// Producer snapshots stand where segments begin; those of segments that are no more go, but never the newest.
    fn drop_snapshots_inside(
        &self,
        replacement: &Replacement,
        files: &mut Vec<std::path::PathBuf>,
    ) -> Result<(), LogError> {
        let offsets = snapshot_offsets(&self.folder)?;
        let newest = offsets.last().copied();
        let merged = || replacement.sources.iter().skip(1).map(|source| source.base);
        for offset in offsets.into_iter().filter(|at| Some(*at) != newest && merged().any(|base| base == *at))
        {
            match self.set_aside(offset, SNAPSHOT, files) {
                Err(LogError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
                other => other?,
            }
        }
        Ok(())
    }
}

//! Recovery: makes segments as found in a directory into segments that can be trusted, cutting what a crash tore.

use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;

use millrace_record::HEADER_LEN;

use super::durability::snapshot_offsets;
use super::folder::{LOG, SEGMENT_INDEXES, SNAPSHOT};
use super::log::Log;
use super::segment::Segment;
use super::window::{Batch, LOOKUP_WINDOW, SCAN_WINDOW, Walk, WalkError};
use super::{CutBytes, LastStop, LogError, OpenReport, Opening};
use crate::storage::{StorageFile, with_suffix};

/// Bytes copied at once.
const COPY_LEN: u64 = 256 * 1024;

/// Puts the segments `found` (with whether their indexes are plausible) into `log`, and sets its end offset.
pub(super) fn recover(
    log: &mut Log,
    found: Vec<(Segment, bool)>,
    opening: Opening,
    report: &mut OpenReport,
) -> Result<(), LogError> {
    let bases: Vec<i64> = found.iter().map(|(segment, _)| segment.base).collect();
    let count = bases.len();
    let mut scanned = false;
    let mut cut_by: Option<String> = None;
    for (index, (mut segment, plausible)) in found.into_iter().enumerate() {
        if let Some(reason) = &cut_by {
            set_aside(log, &segment, reason.clone(), report)?;
            continue;
        }
        let next_base = bases.get(index + 1).copied();
        // Where there is nothing at all, there is nothing to doubt.
        let is_empty = count == 1 && segment.size == 0;
        let vouched = if is_empty { Vouched::All } else { Vouched::by(opening, next_base) };
        let unsynced = vouched == Vouched::Nothing;
        let mut whole = plausible && vouched == Vouched::All;
        if whole && index + 1 == count {
            match segment.activate(&log.folder)? {
                Some(end_offset) => log.end_offset = end_offset,
                None => whole = false,
            }
        }
        if !whole {
            if unsynced && !scanned {
                log.epochs.truncate_end(segment.base);
                scanned = true;
            }
            if let Some(next_base) = next_base
                && unsynced
                && plausible
                && opening.stop == LastStop::Process
                && let Some(epoch) = closed_whole(log, &segment, next_base)?
            {
                log.epochs.note(epoch, segment.base);
                log.end_offset = next_base;
                log.unsynced.segment(&log.folder, segment.base);
                log.segments.push(segment);
                continue;
            }
            let depth = Depth::of(&segment, vouched, index + 1 == count, opening, log)?;
            let cut = scan(log, &mut segment, depth, report)?;
            // Compaction takes whole batches out, but a crash may as well.
            let gap = !log.config.compact && next_base.is_some_and(|next_base| log.end_offset != next_base);
            cut_by = match cut {
                Some(reason) => Some(reason),
                None if unsynced && gap => Some(format!("offset {} is missing", log.end_offset)),
                None => None,
            };
        } else if let Some(next_base) = next_base {
            log.end_offset = next_base;
        }
        log.segments.push(segment);
    }
    if let Some(active) = log.segments.last_mut() {
        active.active = true;
    }
    if scanned && opening.stop == LastStop::Process {
        leave_to_next_sync(log, opening.recovery_point)?;
    } else if scanned {
        log.folder.sync_dir()?;
        if let Some(parent) = log.folder.dir.parent() {
            log.folder.storage.sync_dir(parent).map_err(log.folder.dir_fault())?;
        }
        log.recovery_point = log.end_offset;
    }
    Ok(())
}

/// What of a segment was synced, for all that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vouched {
    All,
    /// The recovery point is where the next segment begins: the sync that moved it there may have been asked for before
    /// the roll, and covered no index.
    Batches,
    Nothing,
}

impl Vouched {
    fn by(opening: Opening, next_base: Option<i64>) -> Vouched {
        match next_base {
            _ if opening.is_clean() => Vouched::All,
            Some(next_base) if next_base < opening.recovery_point => Vouched::All,
            Some(next_base) if next_base == opening.recovery_point => Vouched::Batches,
            _ => Vouched::Nothing,
        }
    }
}

/// How much of a segment is looked at, and what follows.
#[derive(Clone, Copy, Debug)]
struct Depth {
    /// Headers are read from the start, checksums compared from this position on.
    checked_from: u64,
    /// Below this offset nothing may be bad: what a clean stop or a checkpoint vouches for is not cut.
    safe_end: i64,
    /// The segment is complete on disk afterwards. Otherwise it goes on in memory as before the process died.
    syncs: bool,
    /// Of what was synced, and of what came later, the epochs are known.
    notes_epochs: bool,
    /// Compaction has taken no batches out.
    is_gapless: bool,
}

/// A batch that was vouched for and does not follow the one before. No checksum covers its offset: were it taken on
/// trust, what stands behind it would seem to be above the recovery point, and be cut.
#[derive(Clone, Copy, Debug, Default)]
struct Jump {
    /// Where the batch stands, the offset that was expected, and the offset behind it.
    place: Option<(u64, i64, i64)>,
}

impl Jump {
    fn over(batch: &Batch, expected: i64, safe_end: i64) -> Jump {
        let jumps = expected < safe_end && batch.header.base_offset != expected;
        Jump { place: jumps.then(|| (batch.position, expected, batch.header.next_offset())) }
    }

    /// An error if the batch reaches beyond `end`.
    fn check(self, end: i64) -> Result<(), WalkError> {
        match self.place {
            Some((position, expected, next)) if next > end => {
                let reason = format!("the batch before offset {next} stands where {expected} is next");
                Err(WalkError::Bad { position, reason })
            }
            _ => Ok(()),
        }
    }
}

impl Depth {
    fn of(
        segment: &Segment,
        vouched: Vouched,
        is_last: bool,
        opening: Opening,
        log: &Log,
    ) -> Result<Depth, LogError> {
        let safe_end = if opening.is_clean() { i64::MAX } else { opening.recovery_point };
        let in_cache = opening.stop == LastStop::Process && vouched == Vouched::Nothing;
        let checked_from = match vouched {
            // Its indexes are not even plausible: nothing about it is taken on trust.
            Vouched::All => 0,
            Vouched::Batches => segment.size,
            // The write under way when the process died went behind every batch that the index names, as an entry is
            // made when the write has returned. A segment with another behind it had no write under way.
            Vouched::Nothing if in_cache && is_last => segment.indexed_position(&log.folder)?,
            Vouched::Nothing if in_cache => segment.size,
            Vouched::Nothing => 0,
        };
        let notes_epochs = vouched == Vouched::Nothing;
        let is_gapless = !log.config.compact && segment.base >= opening.clean_until;
        Ok(Depth { checked_from, safe_end, syncs: !(in_cache && is_last), notes_epochs, is_gapless })
    }
}

/// Reads a segment's headers, and from some position on its checksums, and builds its indexes. Returns why it was
/// cut, if it was.
fn scan(
    log: &mut Log,
    segment: &mut Segment,
    depth: Depth,
    report: &mut OpenReport,
) -> Result<Option<String>, LogError> {
    let size = segment.size;
    let file = log.folder.open_shared(segment.base, LOG)?;
    segment.reset(&log.folder)?;
    report.rebuilt_indexes.push(segment.base);
    let mut walk = Walk::new(Arc::clone(&file), LOOKUP_WINDOW, 0, size, segment.base);
    let mut checked_from = None;
    let mut jump = Jump::default();
    let bad = loop {
        if checked_from.is_none() && walk.position() >= depth.checked_from {
            checked_from = Some(walk.position());
            let (position, next_offset) = (walk.position(), walk.next_offset());
            walk = Walk::new(Arc::clone(&file), SCAN_WINDOW, position, size, next_offset);
        }
        let expected = walk.next_offset();
        let next = if checked_from.is_some() { walk.next_checked() } else { walk.next() };
        match next {
            Ok(Some(batch)) => {
                if depth.is_gapless {
                    jump = Jump::over(&batch, expected, depth.safe_end);
                    jump.check(depth.safe_end).map_err(|error| segment.blame(&log.folder, error))?;
                }
                segment.note(&batch.header, log.config.index_interval_bytes);
                segment.flush_indexes_if_many(&log.folder)?;
                if depth.notes_epochs {
                    log.epochs.note(batch.header.partition_leader_epoch, batch.header.base_offset);
                }
            }
            Ok(None) => break None,
            Err(WalkError::Bad { position, reason }) if walk.next_offset() >= depth.safe_end => {
                jump.check(i64::MIN).map_err(|error| segment.blame(&log.folder, error))?;
                break Some((position, reason));
            }
            Err(error) => return Err(segment.blame(&log.folder, error)),
        }
    };
    segment.verified.scanned = checked_from == Some(0);
    report.scanned_bytes += checked_from.map_or(0, |from| walk.position() - from);
    log.end_offset = walk.next_offset();
    let reason = match bad {
        Some((position, reason)) => {
            let kept_as = keep(log, segment.base, &*file, position, size)?;
            file.truncate(position).map_err(log.folder.fault(segment.base, LOG))?;
            let path = log.folder.path(segment.base, LOG);
            let len = size - position;
            report.cut.push(CutBytes { file: path, position, len, kept_as, reason: reason.clone() });
            Some(reason)
        }
        None => None,
    };
    if depth.syncs {
        for file in segment.finish(&log.folder)? {
            file.sync().map_err(log.folder.fault(segment.base, LOG))?;
        }
    }
    Ok(reason)
}

/// The leader epoch of a segment that the dead process had closed, if it is one, and the segment stands in the page
/// cache as it was closed: its indexes were ended before the next segment was begun (`Log::roll_at`), and its last batch
/// reaches to that one. `None`: it has to be looked at in full.
///
/// A process that died while it built the indexes anew leaves fewer entries, which is what the tail behind the last of
/// them tells: it is no longer than the distance of two entries, and the time index ends with no smaller timestamp.
fn closed_whole(log: &Log, segment: &Segment, next_base: i64) -> Result<Option<i32>, LogError> {
    let file = log.folder.open_shared(segment.base, LOG)?;
    let mut walk = Walk::new(Arc::clone(&file), HEADER_LEN, 0, segment.size, segment.base);
    let Ok(Some(first)) = walk.next() else { return Ok(None) };
    let epoch = first.header.partition_leader_epoch;
    let indexed_timestamp = segment.max_timestamp(&log.folder)?.map_or(-1, |max| max.timestamp);
    let position = segment.indexed_position(&log.folder)?;
    let mut walk = Walk::new(file, LOOKUP_WINDOW, position, segment.size, segment.base);
    let mut last_entry_reaches = None;
    while let Ok(next) = walk.next() {
        let Some(batch) = next else {
            return Ok((walk.next_offset() == next_base).then_some(epoch));
        };
        // Twice, as a start begins anew to count the bytes behind an entry.
        let reach = batch.end() + 2 * u64::from(log.config.index_interval_bytes);
        let is_indexed = batch.position <= *last_entry_reaches.get_or_insert(reach);
        let is_timed = batch.header.max_timestamp <= indexed_timestamp;
        if batch.header.partition_leader_epoch != epoch || !is_indexed || !is_timed {
            return Ok(None);
        }
    }
    Ok(None)
}

/// What the dead process had written and not synced becomes the next sync's to cover, as the segments that were taken as
/// they stand are already: until then the recovery point stays where it is, and a loss of power finds these bytes as it
/// would have found them before.
fn leave_to_next_sync(log: &mut Log, recovery_point: i64) -> Result<(), LogError> {
    if let Some(active) = log.segments.last() {
        log.unsynced.named(log.folder.path(active.base, LOG));
    }
    for snapshot in snapshot_offsets(&log.folder)?.into_iter().filter(|offset| *offset >= recovery_point) {
        log.unsynced.named(log.folder.path(snapshot, SNAPSHOT));
    }
    log.unsynced.folder(&log.folder);
    Ok(())
}

/// Copies the bytes from `position` on into a file beside the log, durably.
fn keep(log: &Log, base: i64, file: &dyn StorageFile, position: u64, size: u64) -> Result<PathBuf, LogError> {
    let kept_as = free_name(log, base, position)?;
    let blame = || log.folder.fault(base, LOG);
    let copy = log.folder.storage.create(&kept_as).map_err(blame())?;
    copy_bytes(file, position, size, &*copy).map_err(blame())?;
    copy.sync().map_err(blame())?;
    Ok(kept_as)
}

/// Copies `from..end` of one file to the start of another.
pub(super) fn copy_bytes(
    source: &dyn StorageFile,
    from: u64,
    end: u64,
    target: &dyn StorageFile,
) -> io::Result<()> {
    let mut buffer = vec![0; usize::try_from(COPY_LEN.min(end - from)).map_err(io::Error::other)?];
    let mut position = from;
    while position < end {
        let len = usize::try_from((end - position).min(COPY_LEN)).map_err(io::Error::other)?;
        let chunk = buffer.get_mut(..len).ok_or(io::ErrorKind::InvalidInput)?;
        if source.read_at(position, chunk)? != len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        target.write_at(position - from, &[IoSlice::new(chunk)])?;
        position += len as u64;
    }
    Ok(())
}

/// A segment behind a cut: its log file gets a name that no log reads, its indexes go.
fn set_aside(log: &Log, segment: &Segment, reason: String, report: &mut OpenReport) -> Result<(), LogError> {
    let file = log.folder.path(segment.base, LOG);
    let kept_as = free_name(log, segment.base, 0)?;
    log.folder.storage.rename(&file, &kept_as).map_err(log.folder.fault(segment.base, LOG))?;
    for extension in SEGMENT_INDEXES {
        log.folder.remove_if_present(segment.base, extension)?;
    }
    report.cut.push(CutBytes { file, position: 0, len: segment.size, kept_as, reason });
    Ok(())
}

/// `<segment>.log.<position>.cut`, numbered when an earlier crash left one of that name.
fn free_name(log: &Log, base: i64, position: u64) -> Result<PathBuf, LogError> {
    let path = log.folder.path(base, LOG);
    let mut name = with_suffix(&path, &format!(".{position}.cut"));
    let mut number = 1;
    while log.folder.storage.exists(&name).map_err(log.folder.fault(base, LOG))? {
        name = with_suffix(&path, &format!(".{position}.cut{number}"));
        number += 1;
    }
    Ok(name)
}

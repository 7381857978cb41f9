//! Recovery: makes segments as found in a directory into segments that can be trusted, cutting what a crash tore.

use std::io::{self, IoSlice};
use std::path::PathBuf;
use std::sync::Arc;

use super::folder::{INDEX, LOG, TIME_INDEX, TXN_INDEX};
use super::log::Log;
use super::segment::Segment;
use super::window::{SCAN_WINDOW, Walk, WalkError};
use super::{CutBytes, LogError, OpenReport, Opening};
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
        let unsynced = !opening.clean
            && !report.created
            // One that ends just there may have been rolled while it was being synced, and its indexes were not.
            && next_base.is_none_or(|next_base| next_base >= opening.recovery_point);
        // What a clean stop or a checkpoint vouches for may not be cut.
        let safe_end = if opening.clean { i64::MAX } else { opening.recovery_point };
        let mut whole = plausible && !unsynced;
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
            let cut = scan(log, &mut segment, safe_end, report)?;
            let gap = next_base.is_some_and(|next_base| log.end_offset != next_base);
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
    if let Some(active) = log.segments.last_mut()
        && active.file.is_none()
    {
        active.file = Some(log.folder.open(active.base, LOG)?);
    }
    if scanned {
        log.folder.sync_dir()?;
        if let Some(parent) = log.folder.dir.parent() {
            log.folder.storage.sync_dir(parent).map_err(log.folder.dir_fault())?;
        }
        log.recovery_point = log.end_offset;
    }
    Ok(())
}

/// Reads a whole segment with its checksums, builds its indexes and syncs it. Returns why it was cut, if it was.
fn scan(
    log: &mut Log,
    segment: &mut Segment,
    safe_end: i64,
    report: &mut OpenReport,
) -> Result<Option<String>, LogError> {
    let size = segment.size;
    let file = log.folder.open(segment.base, LOG)?;
    segment.reset(&log.folder)?;
    segment.file = Some(Arc::clone(&file));
    report.rebuilt_indexes.push(segment.base);
    let mut walk = Walk::new(Arc::clone(&file), SCAN_WINDOW, 0, size, segment.base);
    let bad = loop {
        match walk.next_checked() {
            Ok(Some(batch)) => {
                segment.note(&batch.header, log.config.index_interval_bytes);
                segment.flush_indexes_if_many(&log.folder)?;
                log.epochs.note(batch.header.partition_leader_epoch, batch.header.base_offset);
            }
            Ok(None) => break None,
            Err(WalkError::Bad { position, reason }) if walk.next_offset() >= safe_end => {
                break Some((position, reason));
            }
            Err(error) => return Err(segment.blame(&log.folder, error)),
        }
    };
    report.scanned_bytes += walk.position();
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
    for file in segment.finish(&log.folder)? {
        file.sync().map_err(log.folder.fault(segment.base, LOG))?;
    }
    segment.file = None;
    Ok(reason)
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
    for extension in [INDEX, TIME_INDEX, TXN_INDEX] {
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

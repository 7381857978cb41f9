//! Opening a log: what the directory says after a clean stop, and recovery after any other.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::checkpoint::{self, EpochStart, LEADER_EPOCH_FILE, LOG_START_OFFSET_FILE};
use super::durability::Unsynced;
use super::epochs::Epochs;
use super::folder::{Folder, SEGMENT_FILES, SEGMENT_INDEXES, SNAPSHOT, parse_name};
use super::leftovers;
use super::log::Log;
use super::recovery;
use super::segment::Segment;
use super::tail::Tail;
use super::warm::Warm;
use super::window::{SCAN_WINDOW, Walk, WalkError};
use super::{DamagedPlace, LastStop, LogConfig, LogError, OpenReport, Opening, last_batch};
use crate::storage::{DirEntry, Storage};
use crate::time::Now;

impl Log {
    /// A log of which nothing is known yet but its leader epochs.
    pub(super) fn bare(folder: Folder, config: LogConfig, epochs: Vec<EpochStart>) -> Log {
        Log {
            folder,
            config,
            segments: Vec::new(),
            start_offset: 0,
            end_offset: 0,
            recovery_point: 0,
            epochs: Epochs::new(epochs),
            tail: Tail::default(),
            warm: Warm::default(),
            unsynced: Unsynced::default(),
            newest_snapshot: None,
            untold_roll: None,
            truncations: 0,
            clean_until: 0,
            offline: false,
        }
    }

    /// Opens the log in `dir`, creating it when there is none. After a clean stop nothing is scanned but the headers
    /// behind the last index entry; otherwise the segments from the recovery point on are read with their checksums,
    /// the first bad batch cuts the log there, the cut bytes stay beside it, and the result is synced.
    ///
    /// Errors: `Corrupt` when a batch below the recovery point is bad; `Io`.
    pub fn open(
        storage: Arc<dyn Storage>,
        dir: &Path,
        config: LogConfig,
        opening: Opening,
        now: Now,
    ) -> Result<(Log, OpenReport), LogError> {
        let folder = Folder::new(storage, dir);
        check_start(&folder, opening)?;
        let mut report = OpenReport::default();
        let listing = leftovers::settle(&folder, list_or_create(&folder)?)?;
        let mut found = find_segments(&folder, &listing, now)?;
        remove_expired(&folder, &mut found, opening.start_offset)?;
        let epochs_on_file = read_epochs(&folder, &mut report)?;
        let lacks_epochs = epochs_on_file.is_none();
        let epochs_on_file = epochs_on_file.unwrap_or_default();
        let first_base = opening.start_offset.max(0);
        if found.is_empty() {
            report.created = true;
            let mut segment = Segment::create(&folder, first_base, now.wall_ms)?;
            segment.retire();
            found.push((segment, true));
        }
        let mut log = Log::bare(folder, config, epochs_on_file.clone());
        // No more than they take: most logs never have a second one.
        log.segments.reserve_exact(found.len());
        recovery::recover(&mut log, found, opening, &mut report)?;
        if opening.is_clean() && !report.created && last_batch::settle(&log, opening, &mut report)? {
            // What was put right may have led the indexes astray: once more from the start.
            let (storage, dir) = (Arc::clone(&log.folder.storage), Arc::clone(&log.folder.dir));
            let (log, again) = Log::open(storage, &dir, log.config, opening, now)?;
            report.damaged.extend(again.damaged);
            return Ok((log, OpenReport { damaged: report.damaged, ..again }));
        }
        if lacks_epochs {
            rebuild_epochs(&mut log)?;
        }
        if log.end_offset < opening.start_offset {
            // Everything that is left was deleted for clients already; as Kafka, go on where they may read.
            log.truncate_fully_and_start_at(opening.start_offset)?;
        }
        if log.size() == 0 {
            // New, or closed when it was as empty: its names and its owner wait for the first sync.
            log.unsynced.folder(&log.folder);
            log.recovery_point = log.end_offset;
        }
        let log_start = log.segments.first().map_or(0, |first| first.base);
        log.start_offset = opening.start_offset.clamp(log_start, log.end_offset);
        // Beyond what recovery has synced, only what a clean stop or a checkpoint vouches for.
        log.recovery_point = log.recovery_point.max(opening.recovery_point).min(log.end_offset);
        log.clean_until = opening.clean_until.min(log.end_offset);
        log.epochs.truncate_end(log.end_offset);
        log.epochs.dirty = lacks_epochs || log.epochs.entries() != epochs_on_file;
        if log.epochs.dirty && opening.stop == LastStop::Machine {
            let path = log.folder.dir.join(LEADER_EPOCH_FILE);
            checkpoint::write_epochs(&*log.folder.storage, &path, log.epochs.entries())
                .map_err(log.folder.dir_fault())?;
            log.epochs.dirty = false;
        }
        log.mark_cold();
        let newest_snapshot = remove_stray_snapshots(&log, &listing)?;
        report.has_snapshot = newest_snapshot.is_some();
        log.newest_snapshot = newest_snapshot.filter(|_| opening.is_clean());
        Ok((log, report))
    }
}

/// No log begins behind its end: rather than delete all of it, somebody is asked.
fn check_start(folder: &Folder, opening: Opening) -> Result<(), LogError> {
    let (start, end) = (opening.start_offset, opening.recovery_point);
    if !opening.is_clean() || start <= end {
        return Ok(());
    }
    let path = folder.dir.parent().unwrap_or(&folder.dir).join(LOG_START_OFFSET_FILE);
    let name = folder.dir.file_name().unwrap_or_default().to_string_lossy();
    let reason = format!("it says {start} for {name}, which ended at {end} when it was closed");
    Err(LogError::Corrupt { path, position: 0, reason })
}

fn list_or_create(folder: &Folder) -> Result<Vec<DirEntry>, LogError> {
    match folder.storage.list(&folder.dir) {
        Ok(listing) => Ok(listing),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            folder.storage.create_dir_all(&folder.dir).map_err(folder.dir_fault())?;
            Ok(Vec::new())
        }
        Err(error) => Err(folder.dir_fault()(error)),
    }
}

/// The segments in the listing, each with whether its indexes are there and plausible. Indexes whose log is gone, as
/// a crash amid a deletion leaves them, go too.
fn find_segments(folder: &Folder, listing: &[DirEntry], now: Now) -> Result<Vec<(Segment, bool)>, LogError> {
    let mut files: BTreeMap<i64, [Option<u64>; 4]> = BTreeMap::new();
    for entry in listing.iter().filter(|entry| !entry.is_dir) {
        let Some((base, extension)) = parse_name(&entry.name) else {
            continue;
        };
        let kind = SEGMENT_FILES.iter().position(|kind| *kind == extension);
        if let Some(len) = kind.and_then(|kind| files.entry(base).or_default().get_mut(kind)) {
            *len = Some(entry.len);
        }
    }
    let mut segments = Vec::with_capacity(files.len());
    for (base, [log, index, time_index, txn_index]) in files {
        let Some(size) = log else {
            for extension in SEGMENT_INDEXES {
                folder.remove_if_present(base, extension)?;
            }
            continue;
        };
        let mut segment = Segment::closed(base, size, now.wall_ms);
        let plausible =
            segment.take_indexes(index, time_index) && segment.take_txn_index(folder, txn_index)?;
        segments.push((segment, plausible));
    }
    Ok(segments)
}

/// Segments wholly below the log start offset do not come back: a crash may have undone some of their renames and
/// not others, and the hole between them would be taken for damage.
fn remove_expired(
    folder: &Folder,
    found: &mut Vec<(Segment, bool)>,
    start_offset: i64,
) -> Result<(), LogError> {
    while found.get(1).is_some_and(|(next, _)| next.base <= start_offset) {
        let (segment, _) = found.remove(0);
        for extension in SEGMENT_FILES {
            folder.remove_if_present(segment.base, extension)?;
        }
    }
    Ok(())
}

/// The leader epochs on file; `None` when it does not say them.
fn read_epochs(folder: &Folder, report: &mut OpenReport) -> Result<Option<Vec<EpochStart>>, LogError> {
    let path = folder.dir.join(LEADER_EPOCH_FILE);
    match checkpoint::read_epochs(&*folder.storage, &path) {
        Ok(entries) => Ok(Some(entries)),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            let reason = "no list of rising leader epochs; rebuilt from the batches".to_owned();
            report.damaged.push(DamagedPlace { path, position: 0, offset: -1, reason });
            Ok(None)
        }
        Err(error) => Err(folder.dir_fault()(error)),
    }
}

/// Takes the leader epochs from the headers of all batches, as far as they can be read.
fn rebuild_epochs(log: &mut Log) -> Result<(), LogError> {
    log.epochs.clear();
    for segment in &log.segments {
        let mut walk = Walk::new(segment.handle(&log.folder)?, SCAN_WINDOW, 0, segment.size, segment.base);
        loop {
            match walk.next() {
                Ok(Some(batch)) => {
                    log.epochs.note(batch.header.partition_leader_epoch, batch.header.base_offset);
                }
                // What is damaged there is told when somebody wants it.
                Ok(None) | Err(WalkError::Bad { .. }) => break,
                Err(error) => return Err(segment.blame(&log.folder, error)),
            }
        }
    }
    Ok(())
}

/// Keeps the snapshots that begin a segment, and the newest, which it returns; none may lie beyond the end.
fn remove_stray_snapshots(log: &Log, listing: &[DirEntry]) -> Result<Option<i64>, LogError> {
    let offsets = listing.iter().filter_map(|entry| {
        parse_name(&entry.name).filter(|(_, kind)| *kind == SNAPSHOT).map(|(offset, _)| offset)
    });
    let (kept, beyond): (Vec<i64>, Vec<i64>) = offsets.partition(|offset| *offset <= log.end_offset);
    for offset in beyond {
        log.folder.remove_if_present(offset, SNAPSHOT)?;
    }
    let newest = kept.iter().max().copied();
    for offset in kept {
        let begins_segment = log.segments.iter().any(|segment| segment.base == offset);
        if !begins_segment && Some(offset) != newest {
            log.folder.remove_if_present(offset, SNAPSHOT)?;
        }
    }
    Ok(newest)
}

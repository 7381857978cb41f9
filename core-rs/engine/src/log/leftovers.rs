//! What interrupted work left in a log's directory, put right before its segments are looked for: Kafka's
//! `LogLoader.removeTempFilesAndCollectSwapFiles` and what follows it. Names that it does not know stay.

use std::sync::Arc;

use super::LogError;
use super::checkpoint::LEADER_EPOCH_FILE;
use super::folder::{Folder, INDEX, LOG, SNAPSHOT, TIME_INDEX, TXN_INDEX, parse_name};
use super::partition_metadata::PARTITION_METADATA_FILE;
use super::retention::DELETED;
use super::window::{LOOKUP_WINDOW, Walk};
use crate::storage::DirEntry;

/// A segment that compaction was writing: its copies are still in place.
pub(super) const CLEANED: &str = ".cleaned";
/// A segment that compaction had written and synced, about to take the place of those that it was made of.
pub(super) const SWAP: &str = ".swap";
/// A copy of ours that was to be renamed.
const COPY: &str = ".tmp";

/// The listing of the directory once nothing in it is half done.
pub(super) fn settle(folder: &Folder, mut listing: Vec<DirEntry>) -> Result<Vec<DirEntry>, LogError> {
    let ends_with = |suffix: &'static str| move |name: &str| name.ends_with(suffix);
    let cleaned_from = offsets(&listing, CLEANED).min();
    remove(folder, &mut listing, ends_with(DELETED))?;
    remove(folder, &mut listing, |name| name.strip_suffix(COPY).is_some_and(is_ours))?;
    // With one still being written, a swap from its offset on may be a part of a split that did not come to its end.
    remove(folder, &mut listing, |name| {
        let swap = name.strip_suffix(SWAP).and_then(parse_name);
        swap.is_some_and(|(offset, _)| cleaned_from.is_some_and(|from| offset >= from))
    })?;
    remove(folder, &mut listing, ends_with(CLEANED))?;
    if !listing.iter().any(|entry| entry.name.ends_with(SWAP)) {
        return Ok(listing);
    }
    complete_swaps(folder, &mut listing)?;
    folder.sync_dir()?;
    folder.storage.list(&folder.dir).map_err(folder.dir_fault())
}

/// What the new segments were made of goes, then they get their names. Interrupted, it begins again.
fn complete_swaps(folder: &Folder, listing: &mut Vec<DirEntry>) -> Result<(), LogError> {
    let mut replaced: Option<(i64, i64)> = None;
    for entry in listing.iter() {
        let Some((base, LOG)) = entry.name.strip_suffix(SWAP).and_then(parse_name) else { continue };
        let path = folder.dir.join(&entry.name);
        let blame = |source| LogError::Io { path: path.clone(), source };
        let file = folder.storage.open(&path).map_err(blame)?;
        let mut walk = Walk::new(Arc::clone(&file), LOOKUP_WINDOW, 0, entry.len, base);
        while walk.next().map_err(|error| error.of(&path))?.is_some() {}
        let (from, end) = replaced.unwrap_or((base, base));
        replaced = Some((from.min(base), end.max(walk.next_offset())));
    }
    if let Some((from, end)) = replaced {
        let kinds = [LOG, INDEX, TIME_INDEX, TXN_INDEX, SNAPSHOT];
        remove(folder, listing, |name| {
            parse_name(name).is_some_and(|(base, kind)| (from..end).contains(&base) && kinds.contains(&kind))
        })?;
    }
    for entry in listing.iter() {
        if let Some(name) = entry.name.strip_suffix(SWAP).filter(|name| parse_name(name).is_some()) {
            let path = folder.dir.join(&entry.name);
            folder.storage.rename(&path, &folder.dir.join(name)).map_err(folder.dir_fault())?;
        }
    }
    Ok(())
}

fn offsets<'a>(listing: &'a [DirEntry], suffix: &'a str) -> impl Iterator<Item = i64> + 'a {
    let names = listing.iter().filter_map(move |entry| entry.name.strip_suffix(suffix));
    names.filter_map(|name| parse_name(name).map(|(offset, _)| offset))
}

/// Whether a file of this name is ever written as a copy first.
fn is_ours(name: &str) -> bool {
    name == LEADER_EPOCH_FILE || name == PARTITION_METADATA_FILE || parse_name(name).is_some()
}

fn remove(folder: &Folder, listing: &mut Vec<DirEntry>, goes: impl Fn(&str) -> bool) -> Result<(), LogError> {
    let (going, staying) =
        std::mem::take(listing).into_iter().partition(|entry| !entry.is_dir && goes(&entry.name));
    *listing = staying;
    let going: Vec<DirEntry> = going;
    for entry in going {
        folder.storage.remove_file(&folder.dir.join(&entry.name)).map_err(folder.dir_fault())?;
    }
    Ok(())
}

//! What the first image says about directories that are there already: leftovers of deletions go after a while,
//! partitions that nobody knows any more are set aside as `-stray` and never served. A `-future` copy of a partition
//! is a move that did not come to its end, and goes. Every name that is none of Kafka's stays where it is.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::effects::Effect;
use super::image::{ImageDelta, hex};
use super::log_dirs::LogDir;
use super::shared::Node;
use crate::log::folder_name::{Fate, renamed};
use crate::log::{CutBytes, Removal, partition_metadata};
use crate::partition::Notices;
use crate::quorum::METADATA_TOPIC;
use crate::storage::Storage;
use crate::time::Now;
use crate::uuid::Uuid;

impl Node {
    /// Returns whether anything was there that the image does not know.
    pub(super) fn set_strays_aside(&self, delta: &ImageDelta, now: Now, notices: &mut Notices) -> bool {
        let known = delta.directories();
        let mut changed = self.set_doubles_aside(&known, now, notices);
        for log_dir in &self.log_dirs {
            match self.clean_log_dir(log_dir, &known, now) {
                Ok(cleaned) => changed |= cleaned,
                Err(error) => self.fail_log_dir(&log_dir.path, &error.to_string(), notices),
            }
        }
        changed
    }

    fn clean_log_dir(&self, log_dir: &LogDir, known: &BTreeMap<String, Uuid>, now: Now) -> io::Result<bool> {
        let mut changed = false;
        for entry in self.storage.list(&log_dir.path)?.into_iter().filter(|entry| entry.is_dir) {
            let path = log_dir.path.join(&entry.name);
            if Fate::Delete.is_of(&entry.name) {
                // As with Kafka, the delay begins anew.
                self.remove_log_later(Removal::new(self.storage.clone(), path), now);
            } else if Fate::Future.is_of(&entry.name) {
                // A move that did not come to its end: the log itself is whole where it was.
                self.remove_later(Effect::Remove(Removal::new(self.storage.clone(), path)), 0, now);
            } else if is_partition(&entry.name) {
                let found = match log_dir.left_by(&*self.storage, &entry.name) {
                    Some(id) => Owner::Topic(id),
                    None => owner(&*self.storage, &path)?,
                };
                let is_known = match known.get(&entry.name) {
                    None => false,
                    Some(expected) => match found {
                        Owner::Topic(id) => {
                            id == *expected || (is_flip_of(id, *expected) && log_dir.was_durable(&entry.name))
                        }
                        Owner::Nobody { has_records: false } => true,
                        // What was durable once is damaged, and the opening of the log says so.
                        Owner::Nobody { has_records: true } => log_dir.was_durable(&entry.name),
                    },
                };
                if !is_known {
                    let id = if let Owner::Topic(id) = found { id } else { Uuid::ZERO };
                    self.rename_aside(&log_dir.path, &entry.name, id)?;
                    changed = true;
                }
            }
        }
        if changed {
            self.storage.sync_dir(&log_dir.path)?;
        }
        Ok(changed)
    }

    /// A crash amid the last step of a move leaves a log in both directories, alike. Whichever served since has more.
    fn set_doubles_aside(&self, known: &BTreeMap<String, Uuid>, now: Now, notices: &mut Notices) -> bool {
        let mut changed = false;
        let healthy = || self.log_dirs.iter().filter(|log_dir| !self.has_failed(&log_dir.path));
        for (name, id) in known.iter().filter(|_| self.log_dirs.len() > 1) {
            let holds_it = |log_dir: &&LogDir| self.storage.exists(&log_dir.path.join(name)).unwrap_or(false);
            if healthy().filter(holds_it).count() < 2 {
                continue;
            }
            let mut found: Vec<(Reach, &LogDir)> = Vec::new();
            for log_dir in healthy() {
                match reach(&*self.storage, &log_dir.path.join(name), *id) {
                    Ok(Some(reach)) => found.push((reach, log_dir)),
                    Ok(None) => {}
                    Err(error) => self.fail_log_dir(&log_dir.path, &error.to_string(), notices),
                }
            }
            found.sort_by_key(|(reach, log_dir)| (reach.clone(), log_dir.log_start_of(name)));
            found.pop();
            for (_, log_dir) in found {
                changed = true;
                let unique = format!("{:032x}", now.wall_ms);
                let aside = log_dir.path.join(renamed(name, &unique, Fate::Delete));
                let moved = self.storage.rename(&log_dir.path.join(name), &aside);
                if let Err(error) = moved.and_then(|()| self.storage.sync_dir(&log_dir.path)) {
                    self.fail_log_dir(&log_dir.path, &error.to_string(), notices);
                }
            }
        }
        changed
    }

    fn rename_aside(&self, log_dir: &Path, name: &str, id: Uuid) -> io::Result<()> {
        for attempt in 0..u32::MAX {
            let number = if attempt == 0 { String::new() } else { format!("-{attempt}") };
            let unique = format!("{}{number}", hex(&id));
            let target = log_dir.join(renamed(name, &unique, Fate::Stray));
            if !self.storage.exists(&target)? {
                self.storage.rename(&log_dir.join(name), &target)?;
                self.tell_cut(&CutBytes {
                    file: log_dir.join(name),
                    position: 0,
                    len: 0,
                    kept_as: target,
                    reason: format!("no topic of the metadata has this log, which is of topic id {id}"),
                });
                return Ok(());
            }
        }
        Ok(())
    }
}

/// The last segment of a log and its size.
type Reach = (String, u64);

/// `None` where there is no log of this topic.
fn reach(storage: &dyn Storage, dir: &Path, id: Uuid) -> io::Result<Option<Reach>> {
    if !storage.exists(dir)? || !matches!(owner(storage, dir)?, Owner::Topic(found) if found == id) {
        return Ok(None);
    }
    let mut segments = storage.list(dir)?;
    segments.retain(|file| file.name.ends_with(".log"));
    Ok(Some(segments.pop().map_or_else(Reach::default, |last| (last.name, last.len))))
}

/// Whose a partition directory is.
enum Owner {
    Topic(Uuid),
    /// `partition.metadata` is missing or cannot be read. It is durable before any record is, so where nothing is known
    /// to be durable, what records there are were never acked as durable, and may even be those of a deleted topic whose
    /// renaming was lost.
    Nobody {
        has_records: bool,
    },
}

fn owner(storage: &dyn Storage, dir: &Path) -> io::Result<Owner> {
    match partition_metadata::read(storage, dir) {
        Ok(Some(id)) => return Ok(Owner::Topic(id)),
        Ok(None) => {}
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
        Err(error) => return Err(error),
    }
    let files = storage.list(dir)?;
    let has_records = files.iter().any(|file| file.name.ends_with(".log") && file.len > 0);
    Ok(Owner::Nobody { has_records })
}

/// Whether two ids are the same but for one character: they are drawn at random, so that is damage.
fn is_flip_of(found: Uuid, expected: Uuid) -> bool {
    let (found, expected) = (found.to_string(), expected.to_string());
    found.chars().zip(expected.chars()).filter(|(one, other)| one != other).count() == 1
}

/// `<topic>-<index>`, other than the metadata log.
fn is_partition(name: &str) -> bool {
    let Some((topic, index)) = name.rsplit_once('-') else { return false };
    let is_number = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    is_number && !topic.is_empty() && topic != METADATA_TOPIC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partition_directories_are_told_by_their_names() {
        for name in ["a-0", "a-b-12", "__consumer_offsets-49"] {
            assert!(is_partition(name), "{name}");
        }
        for name in [
            "a",
            "-1",
            "a-",
            "a-0.abc-delete",
            "a-0.abc-stray",
            "a-0.abc-future",
            "__cluster_metadata-0",
            "a-0x",
        ] {
            assert!(!is_partition(name), "{name}");
        }
    }
}

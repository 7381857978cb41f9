//! What the first image says about directories that are there already: leftovers of deletions go, partitions that
//! nobody knows any more are set aside and never served.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::image::{ImageDelta, hex};
use super::shared::Node;
use crate::log::partition_metadata;
use crate::partition::Notices;
use crate::quorum::METADATA_TOPIC;
use crate::uuid::Uuid;

impl Node {
    /// Returns whether anything was there that the image does not know.
    pub(super) fn set_strays_aside(&self, delta: &ImageDelta, notices: &mut Notices) -> bool {
        let known = delta.directories();
        let mut changed = false;
        for log_dir in &self.log_dirs {
            match self.clean_log_dir(&log_dir.path, &known) {
                Ok(cleaned) => changed |= cleaned,
                Err(error) => self.fail_log_dir(&log_dir.path, &error.to_string(), notices),
            }
        }
        changed
    }

    fn clean_log_dir(&self, log_dir: &Path, known: &BTreeMap<String, Uuid>) -> io::Result<bool> {
        let mut changed = false;
        for entry in self.storage.list(log_dir)?.into_iter().filter(|entry| entry.is_dir) {
            let path = log_dir.join(&entry.name);
            if entry.name.ends_with("-delete") {
                self.storage.remove_dir_all(&path)?;
                changed = true;
            } else if is_partition(&entry.name) {
                // A directory whose id cannot be read is not this topic's as far as anybody can tell.
                let found = partition_metadata::read(&*self.storage, &path).unwrap_or(Some(Uuid::ZERO));
                let expected = known.get(&entry.name).copied();
                let is_known = expected.is_some() && (found.is_none() || found == expected);
                if !is_known {
                    self.rename_aside(log_dir, &entry.name, found.unwrap_or_default())?;
                    changed = true;
                }
            }
        }
        if changed {
            self.storage.sync_dir(log_dir)?;
        }
        Ok(changed)
    }

    fn rename_aside(&self, log_dir: &Path, name: &str, id: Uuid) -> io::Result<()> {
        for attempt in 0..u32::MAX {
            let number = if attempt == 0 { String::new() } else { format!("-{attempt}") };
            let target = log_dir.join(format!("{name}.{}{number}-stray", hex(&id)));
            if !self.storage.exists(&target)? {
                return self.storage.rename(&log_dir.join(name), &target);
            }
        }
        Ok(())
    }
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
        for name in ["a", "-1", "a-", "a-0.abc-delete", "a-0.abc-stray", "__cluster_metadata-0", "a-0x"] {
            assert!(!is_partition(name), "{name}");
        }
    }
}

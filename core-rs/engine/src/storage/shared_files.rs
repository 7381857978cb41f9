//! A bounded set of open handles by path, least recently used out first; an evicted handle closes when its last user lets go.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::StorageFile;

#[derive(Debug)]
pub struct SharedFiles {
    limit: usize,
    tick: u64,
    /// Raised whenever a name changes its meaning.
    changes: u64,
    open: HashMap<PathBuf, (Arc<dyn StorageFile>, u64)>,
}

impl SharedFiles {
    pub fn new(limit: usize) -> SharedFiles {
        SharedFiles { limit: limit.max(1), tick: 0, changes: 0, open: HashMap::new() }
    }

    pub fn get(&mut self, path: &Path) -> Option<Arc<dyn StorageFile>> {
        self.tick += 1;
        let (file, used) = self.open.get_mut(path)?;
        *used = self.tick;
        Some(Arc::clone(file))
    }

    /// To be taken before a file is opened, and given to `insert`.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Keeps a file opened after `changes` was read, unless a name changed in between: it may be that one.
    pub fn insert(&mut self, path: &Path, file: &Arc<dyn StorageFile>, changes: u64) {
        if changes != self.changes {
            return;
        }
        self.tick += 1;
        if self.open.len() >= self.limit {
            // A scan of the set costs less than the open(2) that led here.
            let oldest = self.open.iter().min_by_key(|(_, (_, used))| *used).map(|(path, _)| path.clone());
            if let Some(oldest) = oldest {
                self.open.remove(&oldest);
            }
        }
        self.open.insert(path.to_path_buf(), (Arc::clone(file), self.tick));
    }

    /// Forgets `path` and everything below it: its name is about to mean another file, or none.
    pub fn forget(&mut self, path: &Path) {
        self.changes += 1;
        if self.open.remove(path).is_none() {
            self.open.retain(|open, _| !open.starts_with(path));
        }
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }
}

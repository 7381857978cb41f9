//! A bounded set of open handles by path, least recently used out first; an evicted handle closes when its last user lets go.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::StorageFile;

#[derive(Debug)]
pub struct SharedFiles {
    limit: usize,
    tick: u64,
    /// Raised whenever a name changes its meaning.
    changes: u64,
    /// With the tick of their last use.
    open: HashMap<Arc<Path>, (Arc<dyn StorageFile>, u64)>,
    /// The same by that tick. Opening thousands of logs evicts as often: no scan may find the oldest.
    by_use: BTreeMap<u64, Arc<Path>>,
}

impl SharedFiles {
    pub fn new(limit: usize) -> SharedFiles {
        let (open, by_use) = (HashMap::new(), BTreeMap::new());
        SharedFiles { limit: limit.max(1), tick: 0, changes: 0, open, by_use }
    }

    pub fn get(&mut self, path: &Path) -> Option<Arc<dyn StorageFile>> {
        self.tick += 1;
        let (file, used) = self.open.get_mut(path)?;
        let path = self.by_use.remove(used)?;
        *used = self.tick;
        self.by_use.insert(self.tick, path);
        Some(Arc::clone(file))
    }

    /// To be taken before a file is opened, and given to `insert`.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// Keeps a file opened after `changes` was read, unless a name changed in between: it may be that one. What this
    /// pushes out is returned, to be closed when nobody waits for the set.
    #[must_use]
    pub fn insert(
        &mut self,
        path: &Path,
        file: &Arc<dyn StorageFile>,
        changes: u64,
    ) -> Option<Arc<dyn StorageFile>> {
        if changes != self.changes {
            return None;
        }
        self.tick += 1;
        let path: Arc<Path> = path.into();
        let mut out = self.open.insert(Arc::clone(&path), (Arc::clone(file), self.tick));
        if let Some((_, used)) = &out {
            self.by_use.remove(used);
        }
        self.by_use.insert(self.tick, path);
        if self.open.len() > self.limit
            && let Some((_, oldest)) = self.by_use.pop_first()
        {
            out = self.open.remove(&oldest);
        }
        out.map(|(file, _)| file)
    }

    /// Forgets the file `path`: its name is about to mean another file, or none.
    pub fn forget(&mut self, path: &Path) {
        self.changes += 1;
        if let Some((_, used)) = self.open.remove(path) {
            self.by_use.remove(&used);
        }
    }

    /// Forgets `path`, be it a file or a directory, and everything below it.
    pub fn forget_tree(&mut self, path: &Path) {
        self.forget(path);
        // Bytes, not components: a start after a crash asks ten thousand times, of a thousand files each.
        let above = path.as_os_str().as_encoded_bytes();
        let by_use = &mut self.by_use;
        self.open.retain(|open, (_, used)| {
            let below = open.as_os_str().as_encoded_bytes().strip_prefix(above);
            let goes = below.is_some_and(|rest| rest.first() == Some(&b'/'));
            if goes {
                by_use.remove(used);
            }
            !goes
        });
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{SimStorage, Storage};

    #[test]
    fn a_tree_is_forgotten_with_its_files_and_no_neighbour() {
        let sim = SimStorage::new();
        let file = sim.create(Path::new("/file")).unwrap();
        let mut shared = SharedFiles::new(10);
        for path in ["/a/b/1", "/a/b/2", "/a/bc/1", "/a/b"] {
            assert!(shared.insert(Path::new(path), &file, shared.changes()).is_none());
        }
        shared.forget(Path::new("/a/b/1"));
        assert!(shared.get(Path::new("/a/b/1")).is_none());
        assert_eq!(shared.len(), 3);
        let before = shared.changes();
        shared.forget_tree(Path::new("/a/b"));
        assert_eq!(shared.len(), 1);
        assert!(shared.get(Path::new("/a/bc/1")).is_some());
        // Opened before the name changed: it may be the file of the old name.
        assert!(shared.insert(Path::new("/a/b/2"), &file, before).is_none());
        assert!(shared.get(Path::new("/a/b/2")).is_none());
    }
}

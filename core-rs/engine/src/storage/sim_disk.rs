//! The state of the simulated disk: what programs see, what is durable, and what a crash makes of the difference.
//! It models loss only; naming rules, handles and injected faults are in `sim.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::splitmix::SplitMix;

/// A torn write loses or keeps pieces of this many bytes.
const SECTOR: usize = 512;

pub type FileRef = Arc<Mutex<FileState>>;
pub type DirRef = Arc<Mutex<DirState>>;

#[derive(Clone, Debug)]
pub enum Node {
    File(FileRef),
    Dir(DirRef),
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Truncate(usize),
}

/// One file: the contents as read now, the contents that a crash cannot take, and the changes between the two.
#[derive(Debug, Default)]
pub struct FileState {
    contents: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

impl FileState {
    pub fn contents(&self) -> &[u8] {
        &self.contents
    }

    pub fn write(&mut self, offset: usize, bytes: &[u8]) {
        put(&mut self.contents, offset, bytes);
        self.pending.push(Change::Write { offset, bytes: bytes.to_vec() });
    }

    pub fn truncate(&mut self, len: usize) {
        self.contents.resize(len, 0);
        self.pending.push(Change::Truncate(len));
    }

    pub fn sync(&mut self) {
        for change in self.pending.drain(..) {
            match change {
                Change::Write { offset, bytes } => put(&mut self.durable, offset, &bytes),
                Change::Truncate(len) => self.durable.resize(len, 0),
            }
        }
    }

    /// As Linux after a failed `fdatasync`: the pages count as clean, so no later sync writes them.
    pub fn fail_sync(&mut self) {
        self.pending.clear();
    }

    fn crash(&mut self, random: &mut SplitMix) {
        for change in self.pending.drain(..) {
            match (change, random.below(3)) {
                (_, 0) => {}
                (Change::Truncate(len), _) => self.durable.resize(len, 0),
                (Change::Write { offset, bytes }, 1) => put(&mut self.durable, offset, &bytes),
                (Change::Write { offset, bytes }, _) => tear(&mut self.durable, offset, &bytes, random),
            }
        }
        self.contents.clone_from(&self.durable);
    }
}

fn put(contents: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if contents.len() < end {
        contents.resize(end, 0);
    }
    if let Some(target) = contents.get_mut(offset..end) {
        target.copy_from_slice(bytes);
    }
}

/// Half of the time a prefix survives, else each sector for itself (the file may have grown over one that did not).
fn tear(contents: &mut Vec<u8>, offset: usize, bytes: &[u8], random: &mut SplitMix) {
    if random.below(2) == 0 {
        let kept = usize::try_from(random.below(bytes.len() as u64)).unwrap_or(0);
        put(contents, offset, bytes.get(..kept).unwrap_or(bytes));
        return;
    }
    for (index, sector) in bytes.chunks(SECTOR).enumerate() {
        if random.below(2) == 0 {
            put(contents, offset + index * SECTOR, sector);
        }
    }
}

#[derive(Clone, Debug)]
enum NameChange {
    Put(String, Node),
    Remove(String),
    Rename(String, String),
}

/// One directory: names as seen now, names that a crash cannot take, and the changes between the two in order.
#[derive(Debug, Default)]
pub struct DirState {
    names: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
    pending: Vec<NameChange>,
}

impl DirState {
    pub fn names(&self) -> &BTreeMap<String, Node> {
        &self.names
    }

    pub fn get(&self, name: &str) -> Option<Node> {
        self.names.get(name).cloned()
    }

    pub fn put(&mut self, name: &str, node: Node) {
        self.change(NameChange::Put(name.to_owned(), node));
    }

    pub fn remove(&mut self, name: &str) {
        self.change(NameChange::Remove(name.to_owned()));
    }

    pub fn rename(&mut self, from: &str, to: &str) {
        self.change(NameChange::Rename(from.to_owned(), to.to_owned()));
    }

    fn change(&mut self, change: NameChange) {
        apply(&mut self.names, &change);
        self.pending.push(change);
    }

    pub fn sync(&mut self) {
        for change in self.pending.drain(..) {
            apply(&mut self.durable, &change);
        }
    }

    /// Names survive as a prefix of what was done to them (one journal), file contents each for itself.
    pub fn crash(&mut self, random: &mut SplitMix) {
        let kept = random.below(self.pending.len() as u64 + 1);
        for (index, change) in self.pending.drain(..).enumerate() {
            if (index as u64) < kept {
                apply(&mut self.durable, &change);
            }
        }
        self.names.clone_from(&self.durable);
        for node in self.names.values() {
            match node {
                Node::File(file) => file.lock().crash(random),
                Node::Dir(dir) => dir.lock().crash(random),
            }
        }
    }

    /// Folds every name and byte into `hash` (FNV-1a), in order.
    pub fn digest(&self, hash: &mut u64) {
        for (name, node) in &self.names {
            fold(hash, name.as_bytes());
            match node {
                Node::File(file) => {
                    let file = file.lock();
                    fold(hash, &(file.contents.len() as u64).to_be_bytes());
                    fold(hash, &file.contents);
                }
                Node::Dir(dir) => {
                    fold(hash, b"{");
                    dir.lock().digest(hash);
                    fold(hash, b"}");
                }
            }
        }
    }
}

fn apply(names: &mut BTreeMap<String, Node>, change: &NameChange) {
    match change {
        NameChange::Put(name, node) => {
            names.insert(name.clone(), node.clone());
        }
        NameChange::Remove(name) => {
            names.remove(name);
        }
        NameChange::Rename(from, to) => {
            if let Some(node) = names.remove(from) {
                names.insert(to.clone(), node);
            }
        }
    }
}

fn fold(hash: &mut u64, bytes: &[u8]) {
    for byte in bytes {
        *hash = (*hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

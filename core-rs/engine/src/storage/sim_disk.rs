//! The state of the simulated disk: what programs see, what is durable, and what a crash makes of the difference.
//! It models changes and loss; handles, restarts and injected faults are in `sim.rs`. A clone is another disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Component, Path};
use std::sync::Arc;

use super::Stamp;
use super::sim_calls::Call;
use super::splitmix::SplitMix;

/// A torn write loses or keeps pieces of this many bytes.
const SECTOR: usize = 512;
const ROOT: u64 = 0;

pub type FileId = u64;

#[derive(Clone, Copy, Debug)]
pub enum Node {
    File(FileId),
    Dir(u64),
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Arc<[u8]> },
    Truncate(usize),
}

/// One file: the contents as read now, the contents that a crash cannot take, and the changes between the two.
#[derive(Clone, Debug, Default)]
pub struct FileState {
    contents: Arc<Vec<u8>>,
    durable: Arc<Vec<u8>>,
    pending: Vec<Change>,
    /// Times that it was changed.
    changes: i64,
}

impl FileState {
    pub fn contents(&self) -> &[u8] {
        &self.contents
    }

    fn change(&mut self, change: Change) {
        change.apply(Arc::make_mut(&mut self.contents));
        self.changes += 1;
        self.pending.push(change);
    }

    fn sync(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let durable = Arc::make_mut(&mut self.durable);
        self.pending.drain(..).for_each(|change| change.apply(durable));
    }

    fn crash(&mut self, random: &mut SplitMix, mood: Mood) {
        if !self.pending.is_empty() {
            let durable = Arc::make_mut(&mut self.durable);
            for change in self.pending.drain(..) {
                match (mood.fate(random), &change) {
                    (Fate::Lost, _) => {}
                    (Fate::Torn, Change::Write { offset, bytes }) => tear(durable, *offset, bytes, random),
                    _ => change.apply(durable),
                }
            }
        }
        self.changes += 1;
        self.contents = Arc::clone(&self.durable);
    }
}

impl Change {
    fn apply(&self, contents: &mut Vec<u8>) {
        match self {
            Change::Write { offset, bytes } => put(contents, *offset, bytes),
            Change::Truncate(len) => contents.resize(*len, 0),
        }
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

/// How a whole crash goes: the extremes are where most mistakes show, and mixtures seldom get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    AllLost,
    AllKept,
    Mixed,
}

enum Fate {
    Lost,
    Kept,
    Torn,
}

impl Mood {
    fn draw(random: &mut SplitMix) -> Mood {
        match random.below(8) {
            0 => Mood::AllLost,
            1 => Mood::AllKept,
            _ => Mood::Mixed,
        }
    }

    fn fate(self, random: &mut SplitMix) -> Fate {
        match (self, random.below(3)) {
            (Mood::AllLost, _) | (Mood::Mixed, 0) => Fate::Lost,
            (Mood::AllKept, _) | (Mood::Mixed, 1) => Fate::Kept,
            (Mood::Mixed, _) => Fate::Torn,
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
#[derive(Clone, Debug, Default)]
pub struct DirState {
    names: BTreeMap<String, Node>,
    durable: BTreeMap<String, Node>,
    pending: Vec<NameChange>,
    /// Times that a name was changed.
    changes: i64,
}

impl DirState {
    pub fn names(&self) -> &BTreeMap<String, Node> {
        &self.names
    }

    fn change(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.changes += 1;
        self.pending.push(change);
    }

    fn sync(&mut self) {
        for change in self.pending.drain(..) {
            change.apply(&mut self.durable);
        }
    }

    /// Names survive as a prefix of what was done to them (one journal), file contents each for itself.
    fn crash(&mut self, random: &mut SplitMix, mood: Mood) {
        let count = self.pending.len() as u64;
        let kept = match mood {
            Mood::AllLost => 0,
            Mood::AllKept => count,
            Mood::Mixed => random.below(count + 1),
        };
        for change in self.pending.drain(..).take(kept as usize) {
            change.apply(&mut self.durable);
        }
        self.pending.clear();
        self.changes += 1;
        self.names.clone_from(&self.durable);
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, Node>) {
        match self {
            NameChange::Put(name, node) => {
                names.insert(name.clone(), *node);
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
}

/// The whole disk.
#[derive(Clone, Debug)]
pub struct Disk {
    files: BTreeMap<FileId, FileState>,
    dirs: BTreeMap<u64, DirState>,
    next_id: u64,
}

impl Default for Disk {
    /// Just the root directory.
    fn default() -> Disk {
        Disk {
            files: BTreeMap::new(),
            dirs: BTreeMap::from([(ROOT, DirState::default())]),
            next_id: ROOT + 1,
        }
    }
}

impl Disk {
    pub fn file(&self, id: FileId) -> io::Result<&FileState> {
        self.files.get(&id).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub fn files(&self) -> impl Iterator<Item = FileId> {
        self.files.keys().copied()
    }

    pub fn dir(&self, path: &Path) -> io::Result<&DirState> {
        let id = self.dir_id(path)?;
        self.dirs.get(&id).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// What stands under this name; the directory above it must exist.
    pub fn find(&self, path: &Path) -> io::Result<Option<Node>> {
        let (dir, name) = self.place(path)?;
        Ok(self.dirs.get(&dir).and_then(|dir| dir.names.get(name)).copied())
    }

    pub fn stamp(&self, path: &Path) -> io::Result<Stamp> {
        let missing = || io::Error::from(io::ErrorKind::NotFound);
        Ok(match self.find(path)?.ok_or_else(missing)? {
            Node::File(id) => {
                let file = self.file(id)?;
                Stamp { id, changed_ns: file.changes, len: file.contents.len() as u64 }
            }
            Node::Dir(id) => {
                let dir = self.dirs.get(&id).ok_or_else(missing)?;
                Stamp { id, changed_ns: dir.changes, len: dir.names.len() as u64 }
            }
        })
    }

    /// Changes bits of what is there, durable or not, and no stamp.
    pub fn decay(&mut self, path: &Path, position: usize, bits: u8) -> io::Result<()> {
        let Some(Node::File(id)) = self.find(path)? else { return Err(io::ErrorKind::NotFound.into()) };
        let file = self.file_mut(id)?;
        for bytes in [&mut file.contents, &mut file.durable] {
            if let Some(byte) = Arc::make_mut(bytes).get_mut(position) {
                *byte ^= bits;
            }
        }
        Ok(())
    }

    /// The path of a file, if it has one.
    pub fn name_of(&self, file: FileId) -> Option<String> {
        self.name_below(ROOT, file)
    }

    fn name_below(&self, dir: u64, wanted: FileId) -> Option<String> {
        self.dirs.get(&dir)?.names.iter().find_map(|(name, node)| match node {
            Node::File(id) => (*id == wanted).then(|| format!("/{name}")),
            Node::Dir(id) => Some(format!("/{name}{}", self.name_below(*id, wanted)?)),
        })
    }

    fn dir_id(&self, path: &Path) -> io::Result<u64> {
        let mut id = ROOT;
        for name in names(path)? {
            let dir = self.dirs.get(&id).ok_or(io::ErrorKind::NotFound)?;
            id = match dir.names.get(name) {
                Some(Node::Dir(next)) => *next,
                Some(Node::File(_)) => return Err(io::ErrorKind::NotADirectory.into()),
                None => return Err(io::ErrorKind::NotFound.into()),
            };
        }
        Ok(id)
    }

    fn place<'a>(&self, path: &'a Path) -> io::Result<(u64, &'a str)> {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or(io::ErrorKind::InvalidInput)?;
        Ok((self.dir_id(path.parent().unwrap_or(Path::new("")))?, name))
    }

    fn rename_in(&mut self, dir: u64, change: NameChange) {
        if let Some(dir) = self.dirs.get_mut(&dir) {
            dir.change(change);
        }
    }

    fn file_mut(&mut self, id: FileId) -> io::Result<&mut FileState> {
        self.files.get_mut(&id).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Carries a call out, or changes nothing. Gives the id of a file that it created.
    pub fn apply(&mut self, call: &Call) -> io::Result<Option<FileId>> {
        match call {
            Call::Create(path) => return self.create(path, Node::File).map(Some),
            Call::CreateDir(path) => {
                self.create(path, Node::Dir)?;
            }
            Call::Write { file, offset, bytes } => {
                self.file_mut(*file)?.change(Change::Write { offset: *offset, bytes: Arc::clone(bytes) });
            }
            Call::Truncate { file, len } => self.file_mut(*file)?.change(Change::Truncate(*len)),
            Call::Sync(file) => self.file_mut(*file)?.sync(),
            // As Linux after a failed `fdatasync`: the pages count as clean, so no later sync writes them.
            Call::FailSync(file) => self.file_mut(*file)?.pending.clear(),
            Call::SyncDir(path) => {
                let id = self.dir_id(path)?;
                self.dirs.get_mut(&id).ok_or(io::ErrorKind::NotFound)?.sync();
            }
            Call::SyncAll => {
                self.files.values_mut().for_each(FileState::sync);
                self.dirs.values_mut().for_each(DirState::sync);
            }
            Call::Rename(from, to) => self.rename(from, to)?,
            Call::RemoveFile(path) => match self.find(path)? {
                Some(Node::File(_)) => self.remove(path)?,
                Some(Node::Dir(_)) => return Err(io::ErrorKind::IsADirectory.into()),
                None => return Err(io::ErrorKind::NotFound.into()),
            },
            Call::RemoveDir(path) => {
                if !self.dir(path)?.names.is_empty() {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
                self.remove(path)?;
            }
            Call::Crash(seed) => self.crash(*seed),
        }
        Ok(None)
    }

    fn create(&mut self, path: &Path, node: fn(u64) -> Node) -> io::Result<u64> {
        if self.find(path)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let (dir, name) = self.place(path)?;
        let id = self.next_id;
        self.next_id += 1;
        let node = node(id);
        match node {
            Node::File(_) => drop(self.files.insert(id, FileState::default())),
            Node::Dir(_) => drop(self.dirs.insert(id, DirState::default())),
        }
        self.rename_in(dir, NameChange::Put(name.to_owned(), node));
        Ok(id)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.find(from)?.ok_or(io::ErrorKind::NotFound)?;
        if let (Node::Dir(_), Some(_)) = (node, self.find(to)?) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let ((from_dir, from_name), (to_dir, to_name)) = (self.place(from)?, self.place(to)?);
        if from_dir == to_dir {
            self.rename_in(from_dir, NameChange::Rename(from_name.to_owned(), to_name.to_owned()));
        } else {
            self.rename_in(to_dir, NameChange::Put(to_name.to_owned(), node));
            self.rename_in(from_dir, NameChange::Remove(from_name.to_owned()));
        }
        Ok(())
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        let (dir, name) = self.place(path)?;
        self.rename_in(dir, NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn crash(&mut self, seed: u64) {
        let mut random = SplitMix::new(seed);
        let mood = Mood::draw(&mut random);
        self.dirs.values_mut().for_each(|dir| dir.crash(&mut random, mood));
        // What no name leads to any more is gone, and draws nothing.
        self.forget_unnamed();
        self.files.values_mut().for_each(|file| file.crash(&mut random, mood));
    }

    /// Drops what only an open handle could still reach.
    fn forget_unnamed(&mut self) {
        let mut named = BTreeSet::from([ROOT]);
        let mut open = vec![ROOT];
        while let Some(dir) = open.pop().and_then(|id| self.dirs.get(&id)) {
            for node in dir.names.values() {
                let (Node::File(id) | Node::Dir(id)) = *node;
                if named.insert(id) && matches!(node, Node::Dir(_)) {
                    open.push(id);
                }
            }
        }
        self.files.retain(|id, _| named.contains(id));
        self.dirs.retain(|id, _| named.contains(id));
    }

    /// A fingerprint of every name and byte as read now (FNV-1a).
    pub fn digest(&self) -> u64 {
        let mut hash = 0xcbf2_9ce4_8422_2325;
        self.digest_dir(ROOT, &mut hash);
        hash
    }

    fn digest_dir(&self, dir: u64, hash: &mut u64) {
        for (name, node) in self.dirs.get(&dir).iter().flat_map(|dir| &dir.names) {
            fold(hash, name.as_bytes());
            match node {
                Node::File(id) => {
                    let contents = self.files.get(id).map(FileState::contents).unwrap_or_default();
                    fold(hash, &(contents.len() as u64).to_be_bytes());
                    fold(hash, contents);
                }
                Node::Dir(id) => {
                    fold(hash, b"{");
                    self.digest_dir(*id, hash);
                    fold(hash, b"}");
                }
            }
        }
    }
}

fn fold(hash: &mut u64, bytes: &[u8]) {
    for byte in bytes {
        *hash = (*hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

/// The names that lead from the root to `path`.
pub fn names(path: &Path) -> io::Result<Vec<&str>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => names.push(name.to_str().ok_or(io::ErrorKind::InvalidInput)?),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    Ok(names)
}

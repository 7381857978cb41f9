//! The log directories at start and end: whose they are, how they were left, where recovery may begin, and the marks
//! that the next start reads. It opens no log.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;

use super::boot;
use super::shared::Node;
use super::summaries::{self, SUMMARIES_FILE, Summaries};
use crate::boundary::NodeOptions;
use crate::log::checkpoint::{self, PartitionOffset};
use crate::log::{DamagedPlace, LastStop, Opening, clean_shutdown};
use crate::partition::{ClosedPartition, Notices, PartitionOffsets};
use crate::storage::{Storage, is_full};
use crate::uuid::Uuid;

const META_PROPERTIES: &str = "meta.properties";

/// Why a node could not be opened, as a sentence.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("log directory {}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("log directory {} belongs to {what} {found} by its {META_PROPERTIES}, this broker is {expected}", path.display())]
    WrongOwner { path: PathBuf, what: &'static str, found: String, expected: String },
    #[error("{} is malformed", path.display())]
    Malformed { path: PathBuf },
    #[error(
        "{} is damaged, and nobody else knows where the logs begin for clients: put it right, or remove it and they \
         begin where their first segments do",
        path.display()
    )]
    Starts { path: PathBuf },
    #[error("default configuration: {0}")]
    Defaults(String),
    #[error("{0}")]
    Quorum(#[from] crate::quorum::QuorumError),
}

impl OpenError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> OpenError {
        let path = path.to_path_buf();
        move |source| OpenError::Io { path, source }
    }
}

/// One log directory, as the last stop left it.
#[derive(Debug)]
pub(super) struct LogDir {
    pub path: PathBuf,
    pub stop: LastStop,
    recovery_points: Offsets,
    log_starts: Offsets,
    clean_until: Offsets,
    /// How a clean stop left the partitions that have not been opened yet.
    left: Mutex<Summaries>,
    /// Files that could not be read, and could be done without.
    pub damaged: Vec<DamagedPlace>,
}

type Offsets = BTreeMap<(String, i32), i64>;

/// The offset that a checkpoint file is about.
pub(super) type Pick = fn(&PartitionOffsets) -> i64;

/// A checkpoint file and what stands in it.
pub(super) type Checkpoint = (&'static str, Pick);

const LOG_STARTS: Checkpoint = (checkpoint::LOG_START_OFFSET_FILE, |offsets| offsets.log_start);

pub(super) const CHECKPOINTS: [Checkpoint; 4] = [
    (checkpoint::RECOVERY_POINT_FILE, |offsets| offsets.recovery_point),
    LOG_STARTS,
    (checkpoint::REPLICATION_OFFSET_FILE, |offsets| offsets.high_watermark),
    (checkpoint::CLEANER_OFFSET_FILE, |offsets| offsets.clean_until),
];

/// Topic, partition and offsets of every partition, by log directory.
pub(super) type OffsetsByDir = BTreeMap<PathBuf, Vec<(String, i32, PartitionOffsets)>>;

impl LogDir {
    /// Creates the directory or checks whose it is. From here on it counts as not cleanly stopped.
    pub fn open(storage: &dyn Storage, options: &NodeOptions, index: usize) -> Result<LogDir, OpenError> {
        let path = options.log_dirs.get(index).cloned().unwrap_or_default();
        create_durably(storage, &path).map_err(OpenError::io(&path))?;
        // A process that died may have left names behind that a loss of power can still take back.
        storage.sync_dir(&path).map_err(OpenError::io(&path))?;
        claim(storage, options, &path, index)?;
        storage.watch(&path).map_err(OpenError::io(&path))?;
        let read = |file: &str| read_offsets(storage, &path.join(file));
        // Before the mark of a clean stop is taken away: whoever puts the file right starts as if nothing had been.
        let unknown = |path| OpenError::Starts { path };
        let log_starts = read(checkpoint::LOG_START_OFFSET_FILE)?.map_err(unknown)?;
        let left = summaries::take(storage, &path);
        let mut stop = last_stop(storage, &path, &options.boot_id).map_err(OpenError::io(&path))?;
        let mut damaged = Vec::new();
        let mut told = |path, reason: &str| {
            damaged.push(DamagedPlace { path, position: 0, offset: -1, reason: reason.to_owned() });
        };
        let left = match left {
            // Of a stop that did not come to its end.
            _ if stop != LastStop::Clean => Summaries::new(),
            Ok(left) => left.unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                told(path.join(SUMMARIES_FILE), "not what the clean stop wrote: every log is opened");
                Summaries::new()
            }
            Err(error) => return Err(OpenError::io(&path)(error)),
        };
        let recovery_points = read(checkpoint::RECOVERY_POINT_FILE)?.unwrap_or_else(|path| {
            // Nothing is known to be durable or complete.
            stop = LastStop::Machine;
            told(path, "not a checkpoint of version 0: every log of the directory is scanned");
            Offsets::new()
        });
        let clean_until = read(checkpoint::CLEANER_OFFSET_FILE)?.unwrap_or_else(|path| {
            told(path, "not a checkpoint of version 0: compaction begins anew");
            Offsets::new()
        });
        let left = Mutex::new(left);
        Ok(LogDir { stop, recovery_points, log_starts, clean_until, left, damaged, path })
    }

    /// How the clean stop left the partition in directory `name`, if it was before this start and nobody asked yet.
    pub fn take_left(&self, name: &str) -> Option<ClosedPartition> {
        self.left.lock().remove(name)
    }

    /// Whose the directory `name` is by what the clean stop left, if nothing in it was changed since.
    pub fn left_by(&self, storage: &dyn Storage, name: &str) -> Option<Uuid> {
        let left = self.left.lock();
        let closed = left.get(name)?;
        closed.log.is_of(storage, &self.path.join(name)).then_some(closed.topic_id)
    }

    /// Every partition is open that was there.
    pub fn forget_left(&self) {
        *self.left.lock() = Summaries::new();
    }

    /// Whether records of the partition in directory `name` are known to have been durable.
    pub fn was_durable(&self, name: &str) -> bool {
        let parsed = name.rsplit_once('-').and_then(|(topic, index)| Some((topic, index.parse().ok()?)));
        parsed.is_some_and(|(topic, index)| self.opening(topic, index, true).recovery_point > 0)
    }

    /// By the name of a partition's directory; 0 when unknown.
    pub fn log_start_of(&self, name: &str) -> i64 {
        let key =
            name.rsplit_once('-').and_then(|(topic, index)| Some((topic.to_owned(), index.parse().ok()?)));
        key.and_then(|key| self.log_starts.get(&key).copied()).unwrap_or(0)
    }

    /// How the log of a partition was left behind here. A log that is new was never left: what the checkpoints say
    /// of its name is about another.
    pub fn opening(&self, topic: &str, partition: i32, exists: bool) -> Opening {
        if !exists {
            return Opening::unclean(0);
        }
        let key = (topic.to_owned(), partition);
        let unknown = if self.stop == LastStop::Clean { i64::MAX } else { 0 };
        Opening {
            stop: self.stop,
            recovery_point: self.recovery_points.get(&key).copied().unwrap_or(unknown),
            start_offset: self.log_starts.get(&key).copied().unwrap_or(0),
            clean_until: self.clean_until.get(&key).copied().unwrap_or(0),
        }
    }
}

/// How the last run left the directory; takes the mark of a clean stop away.
fn last_stop(storage: &dyn Storage, path: &Path, boot_id: &str) -> io::Result<LastStop> {
    if clean_shutdown::take(storage, path)? {
        return Ok(LastStop::Clean);
    }
    Ok(if boot::is_same(storage, path, boot_id)? { LastStop::Process } else { LastStop::Machine })
}

/// Creates a directory and what is missing above it; each new one is synced into its parent. Until it is claimed it
/// counts as new: a start that died may have made it.
fn create_durably(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    let exists = storage.exists(path)?;
    if exists && storage.exists(&path.join(META_PROPERTIES))? {
        return Ok(());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    if let Some(parent) = parent.filter(|parent| parent.file_name().is_some()) {
        create_durably(storage, parent)?;
    }
    if !exists {
        storage.create_dir_all(path)?;
    }
    match storage.sync_dir(parent.unwrap_or(Path::new("."))) {
        // Somebody else's directory, and somebody else made this one in it.
        Err(error) if exists && error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        synced => synced,
    }
}

/// What a checkpoint says, or its path when it is damaged.
fn read_offsets(storage: &dyn Storage, path: &Path) -> Result<Result<Offsets, PathBuf>, OpenError> {
    match checkpoint::read_offsets(storage, path) {
        Ok(entries) => {
            let pair = |entry: PartitionOffset| ((entry.topic, entry.partition), entry.offset);
            Ok(Ok(entries.into_iter().map(pair).collect()))
        }
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(Err(path.to_path_buf())),
        Err(error) => Err(OpenError::io(path)(error)),
    }
}

/// Checks `meta.properties`, or writes it into a directory that has none.
fn claim(storage: &dyn Storage, options: &NodeOptions, dir: &Path, index: usize) -> Result<(), OpenError> {
    let path = dir.join(META_PROPERTIES);
    let contents = match storage.read_to_vec(&path) {
        Ok(contents) => contents,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let text = format!(
                "version=1\nnode.id={}\ncluster.id={}\ndirectory.id={}\n",
                options.node_id,
                options.cluster_id,
                directory_id(options, index)
            );
            return storage.write_atomic(&path, text.as_bytes()).map_err(OpenError::io(dir));
        }
        Err(error) => return Err(OpenError::io(dir)(error)),
    };
    let Ok(text) = std::str::from_utf8(&contents) else { return Err(OpenError::Malformed { path }) };
    let property = |name: &str| {
        let pair = |line: &str| {
            line.split_once('=').map(|(key, value)| (key.trim() == name, value.trim().to_owned()))
        };
        text.lines().filter_map(pair).find(|(found, _)| *found).map(|(_, value)| value)
    };
    for (what, expected) in
        [("cluster.id", options.cluster_id.clone()), ("node.id", options.node_id.to_string())]
    {
        // Version 0, of ZooKeeper's days, says broker.id.
        let old_name = || property("broker.id").filter(|_| what == "node.id");
        let Some(found) = property(what).or_else(old_name) else {
            return Err(OpenError::Malformed { path });
        };
        if found != expected {
            return Err(OpenError::WrongOwner { path: dir.to_path_buf(), what, found, expected });
        }
    }
    Ok(())
}

/// The id of a new log directory: the one given for the first, one that follows from it for the others.
fn directory_id(options: &NodeOptions, index: usize) -> String {
    match options.directory_id.parse::<Uuid>() {
        Ok(Uuid(mut bytes)) if index > 0 => {
            if let Some(last) = bytes.last_mut() {
                *last ^= index as u8;
            }
            Uuid(bytes).to_string()
        }
        _ => options.directory_id.clone(),
    }
}

impl Node {
    /// Writes what the next start needs after a crash. Until the first image nothing is known that is worth it.
    pub(super) fn write_checkpoints(&self, notices: &mut Notices) {
        let dirs = self.log_dirs.iter().map(|log_dir| log_dir.path.clone()).collect();
        self.write_checkpoint_files(dirs, &CHECKPOINTS, notices);
    }

    /// Makes the log starts in these log directories durable; returns those of which it could.
    pub(super) fn write_log_starts(
        &self,
        dirs: BTreeSet<PathBuf>,
        notices: &mut Notices,
    ) -> BTreeSet<PathBuf> {
        self.write_checkpoint_files(dirs, &[LOG_STARTS], notices)
    }

    /// Every log was opened: from here on a death of the process alone can be told from one of the machine.
    pub(super) fn note_boot(&self, notices: &mut Notices) {
        for log_dir in self.log_dirs.iter().filter(|log_dir| !self.has_failed(&log_dir.path)) {
            match boot::write(&*self.storage, &log_dir.path, &self.options.boot_id) {
                Ok(()) => {}
                Err(error) if is_full(&error) => self.lacks_room(&log_dir.path, &error.to_string()),
                Err(error) => self.fail_log_dir(&log_dir.path, &error.to_string(), notices),
            }
        }
    }

    /// A write or sync failed: the page cache may hold what the disk will never get, so nobody is to trust it.
    pub(super) fn forget_boot(&self, log_dir: &Path) {
        // Where not even this can be written, the start after this one meets the same disk.
        let _ = boot::forget(&*self.storage, log_dir);
    }

    fn write_checkpoint_files(
        &self,
        mut dirs: BTreeSet<PathBuf>,
        files: &[Checkpoint],
        notices: &mut Notices,
    ) -> BTreeSet<PathBuf> {
        if dirs.is_empty() || !self.images.lock().first_applied {
            return BTreeSet::new();
        }
        let _one_at_a_time = self.checkpointing.lock();
        let offsets = self.offsets_by_dir(PartitionOffsets::clone);
        dirs.retain(|log_dir| self.write_checkpoint(log_dir, files, &offsets, notices));
        dirs
    }

    pub(super) fn offsets_by_dir(
        &self,
        adjust: impl Fn(&PartitionOffsets) -> PartitionOffsets,
    ) -> OffsetsByDir {
        let mut by_dir = OffsetsByDir::new();
        for topic in self.topics.all() {
            for partition in topic.partitions.iter().flatten() {
                let dir = partition.dir();
                let Some(dir) = dir.parent() else { continue };
                let entry = (topic.name.to_string(), partition.index(), adjust(&partition.offsets()));
                by_dir.entry(dir.to_path_buf()).or_default().push(entry);
            }
        }
        by_dir
    }

    /// False when the directory failed, now or before, or has no room.
    pub(super) fn write_checkpoint(
        &self,
        log_dir: &Path,
        files: &[Checkpoint],
        offsets: &OffsetsByDir,
        notices: &mut Notices,
    ) -> bool {
        if self.has_failed(log_dir) {
            return false;
        }
        let entries = offsets.get(log_dir).map(Vec::as_slice).unwrap_or_default();
        for (file, pick) in files {
            let lines: Vec<PartitionOffset> = entries
                .iter()
                .map(|(topic, partition, offsets)| PartitionOffset {
                    topic: topic.clone(),
                    partition: *partition,
                    offset: pick(offsets),
                })
                .collect();
            match checkpoint::write_offsets(&*self.storage, &log_dir.join(file), &lines) {
                Ok(()) => {}
                // The file is as it was: the next checkpoint tries again.
                Err(error) if is_full(&error) => {
                    self.lacks_room(log_dir, &format!("{}: {error}", log_dir.join(file).display()));
                    return false;
                }
                Err(error) => {
                    self.fail_log_dir(log_dir, &error.to_string(), notices);
                    return false;
                }
            }
        }
        true
    }
}

//! Faults that a test plans for a simulated disk, and when they come due. What a fault does to a call is the disk's.

use std::collections::BTreeMap;
use std::io;

/// What `SimStorage::fail_next` can make fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SimOperation {
    Create,
    CreateDir,
    Open,
    Write,
    Read,
    Truncate,
    Reserve,
    Sync,
    SyncDir,
    SyncAll,
    Rename,
    Remove,
}

impl SimOperation {
    fn needs_room(self) -> bool {
        matches!(self, Self::Create | Self::Write | Self::Reserve)
    }
}

/// How an operation fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing happens but the error.
    Error(io::ErrorKind),
    /// A write leaves its first bytes behind, then `StorageFull`; anything else fails whole.
    Short(u64),
    /// A bug: the operation panics.
    Panic,
}

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> io::Error {
        match fault {
            Fault::Error(kind) => kind.into(),
            Fault::Short(_) => io::ErrorKind::StorageFull.into(),
            Fault::Panic => panic!("a simulated bug"),
        }
    }
}

/// What a full disk still takes of a write.
const BYTES_LEFT: u64 = 7;

#[derive(Debug, Default)]
pub struct Faults {
    /// `None`: this time nothing.
    planned: BTreeMap<SimOperation, Vec<Option<Fault>>>,
    /// No room: nothing is created, and every write ends early.
    full: bool,
}

impl Faults {
    pub fn plan(&mut self, operation: SimOperation, fault: Fault) {
        self.planned.entry(operation).or_default().push(Some(fault));
    }

    pub fn pass(&mut self, operation: SimOperation) {
        self.planned.entry(operation).or_default().push(None);
    }

    pub fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    pub fn forget(&mut self) {
        self.planned.clear();
    }

    /// What this operation, which happens now, is to suffer.
    pub fn take(&mut self, operation: SimOperation) -> Option<Fault> {
        match self.planned.get_mut(&operation).filter(|queue| !queue.is_empty()) {
            Some(queue) => queue.remove(0),
            None => (self.full && operation.needs_room()).then_some(Fault::Short(BYTES_LEFT)),
        }
    }
}

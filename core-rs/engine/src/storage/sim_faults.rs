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
    Sync,
    SyncDir,
    Rename,
    Remove,
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

#[derive(Debug, Default)]
pub struct Faults {
    planned: BTreeMap<SimOperation, Vec<Fault>>,
}

impl Faults {
    pub fn plan(&mut self, operation: SimOperation, fault: Fault) {
        self.planned.entry(operation).or_default().push(fault);
    }

    pub fn forget(&mut self) {
        self.planned.clear();
    }

    /// What this operation, which happens now, is to suffer.
    pub fn take(&mut self, operation: SimOperation) -> Option<Fault> {
        let queue = self.planned.get_mut(&operation)?;
        if queue.is_empty() { None } else { Some(queue.remove(0)) }
    }
}

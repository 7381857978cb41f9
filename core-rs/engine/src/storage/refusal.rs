//! What a failed attempt to write means for whoever tries: no room now, or a disk that cannot be trusted any more.

use std::io;

/// Whether the disk only lacks room (or a quota is used up), so that the same write may succeed later.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// Why work that writes and syncs did not come to its end.
#[derive(Debug)]
pub enum WriteError {
    /// There was no room. Nothing that was synced is in doubt, and the same work may run again.
    Full(io::Error),
    /// A write or a sync failed: never to be run again. A sync that fails for want of room is one of these, as what
    /// it should have written may be lost.
    Failed(io::Error),
}

impl WriteError {
    /// Of anything but a sync of bytes that nobody can write again.
    pub fn of(error: io::Error) -> WriteError {
        if is_full(&error) { WriteError::Full(error) } else { WriteError::Failed(error) }
    }

    pub fn into_io(self) -> io::Error {
        match self {
            WriteError::Full(error) | WriteError::Failed(error) => error,
        }
    }
}

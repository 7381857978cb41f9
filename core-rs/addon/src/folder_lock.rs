//! The `.lock` file of a log directory, as Kafka's: a second broker on the same folder is refused, in this process or
//! another. The lock goes with the file handle.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("the folder {0} is in use by another broker (its .lock file is held)")]
    Held(PathBuf),
    #[error("the folder {0} cannot be used: {1}")]
    Io(PathBuf, io::Error),
}

/// Creates the folder if need be and locks it until the handle is dropped.
pub fn lock(folder: &Path) -> Result<File, LockError> {
    let failed = |error| LockError::Io(folder.to_path_buf(), error);
    std::fs::create_dir_all(folder).map_err(failed)?;
    let path = folder.join(".lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LockError::Held(folder.to_path_buf())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

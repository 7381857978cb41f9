//! `.kafka_cleanshutdown` in a log directory's root: written last on a clean stop, taken away at the next start.

use std::io;
use std::path::Path;

use crate::storage::Storage;

pub const CLEAN_SHUTDOWN_FILE: &str = ".kafka_cleanshutdown";

/// Says that every log of `log_dir` was closed.
pub fn write(storage: &dyn Storage, log_dir: &Path, broker_epoch: i64) -> io::Result<()> {
    let text = format!("{{\"version\":0,\"brokerEpoch\":{broker_epoch}}}");
    storage.write_atomic(&log_dir.join(CLEAN_SHUTDOWN_FILE), text.as_bytes())
}

/// Whether the last stop was clean. Durably removes the file: from here on only the next clean stop says so again.
pub fn take(storage: &dyn Storage, log_dir: &Path) -> io::Result<bool> {
    let path = log_dir.join(CLEAN_SHUTDOWN_FILE);
    if !storage.exists(&path)? {
        return Ok(false);
    }
    storage.remove_file(&path)?;
    storage.sync_dir(log_dir)?;
    Ok(true)
}

//! The boot id beside `meta.properties`: which start of the machine the log directory was whole in. It tells a process
//! that died from a machine that did; what that is worth to a log is the log's own (`LastStop`).

use std::io;
use std::path::Path;

use crate::storage::Storage;

pub(super) const BOOT_ID_FILE: &str = "boot-id";

/// Whether everything written to this log directory since it was last whole is still in the page cache. Not when
/// either id is unknown.
pub(super) fn is_same(storage: &dyn Storage, log_dir: &Path, boot_id: &str) -> io::Result<bool> {
    Ok(!boot_id.is_empty() && read(storage, log_dir)?.as_deref() == Some(boot_id))
}

/// Durably says that every log of the directory was opened, and recovered where needed, since this start of the
/// machine. Said any earlier, a process that dies during recovery would leave what a loss of power had torn to be
/// trusted.
pub(super) fn write(storage: &dyn Storage, log_dir: &Path, boot_id: &str) -> io::Result<()> {
    if boot_id.is_empty() || is_same(storage, log_dir, boot_id)? {
        return Ok(());
    }
    storage.write_atomic(&log_dir.join(BOOT_ID_FILE), format!("{boot_id}\n").as_bytes())
}

/// The page cache of this directory cannot be trusted any more: the next start checks everything.
pub(super) fn forget(storage: &dyn Storage, log_dir: &Path) -> io::Result<()> {
    match storage.remove_file(&log_dir.join(BOOT_ID_FILE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => storage.sync_dir(log_dir),
    }
}

fn read(storage: &dyn Storage, log_dir: &Path) -> io::Result<Option<String>> {
    match storage.read_to_vec(&log_dir.join(BOOT_ID_FILE)) {
        Ok(contents) => Ok(String::from_utf8(contents).ok().map(|text| text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

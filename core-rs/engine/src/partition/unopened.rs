//! A partition whose log could not be opened: it answers that it is offline, keeps what the checkpoints say of it, and
//! can be deleted. It never touches the log's files otherwise.

use std::io;
use std::sync::Arc;

use parking_lot::{Condvar, Mutex, RwLock};

use super::{Partition, PartitionConfig, PartitionOffsets, PartitionSpec, State};
use crate::log::{LogError, Opening, Removal};
use crate::storage::Storage;

/// What is known of a log that is not open.
#[derive(Debug)]
pub(super) struct Unopened {
    storage: Arc<dyn Storage>,
    pub(super) offsets: PartitionOffsets,
    /// Bytes of its segments, as far as the disk tells.
    pub(super) size: u64,
}

impl Partition {
    /// The partition of `spec` without its log, offline for `reason`.
    pub fn unopened(
        storage: &Arc<dyn Storage>,
        spec: PartitionSpec,
        config: Arc<PartitionConfig>,
        opening: Opening,
        reason: &str,
    ) -> Arc<Partition> {
        let files = storage.list(&spec.dir).unwrap_or_default();
        let segments = files.iter().filter(|file| file.name.ends_with(".log"));
        // The next start finds in the checkpoints what this one found.
        let recovery_point = Some(opening.recovery_point).filter(|known| *known != i64::MAX).unwrap_or(0);
        let offsets = PartitionOffsets {
            log_start: opening.start_offset,
            high_watermark: recovery_point,
            log_end: recovery_point,
            recovery_point,
            clean_until: opening.clean_until,
        };
        let size = segments.map(|file| file.len).sum();
        let unopened = Unopened { storage: storage.clone(), offsets, size };
        let state = State {
            unopened: Some(unopened),
            offline: Some(reason.into()),
            ..State::new(None, offsets.log_end)
        };
        Arc::new(Partition {
            topic: spec.topic,
            topic_id: spec.topic_id,
            index: spec.index,
            dir: RwLock::new(spec.dir.into()),
            config: RwLock::new(config),
            state: Mutex::new(state),
            company_came: Condvar::new(),
        })
    }

    /// Whether it stands in for a log that could not be opened.
    pub fn is_unopened(&self) -> bool {
        self.with(|state| state.unopened.is_some())
    }
}

impl Unopened {
    /// Renames the directory, if there is one, for its removal.
    pub(super) fn delete(self, partition: &Partition, unique: &str) -> Result<Removal, LogError> {
        match Removal::rename(&self.storage, &partition.dir(), unique) {
            Err(LogError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Ok(Removal::new(self.storage, partition.dir().to_path_buf()))
            }
            renamed => renamed,
        }
    }
}

//! Starting a node on its log directories. Partitions are opened later, when the first image says which there are.

use std::str::FromStr;
use std::sync::Arc;

use super::authorizer::NodeAuthorizer;
use super::log_dirs::{LogDir, OpenError};
use super::shared::Node;
use crate::api::Settings;
use crate::boundary::NodeOptions;
use crate::partition::PartitionConfig;
use crate::quorum::{Quorum, SnapshotRetention};
use crate::storage::Storage;
use crate::time::Now;

impl Node {
    /// Takes over the log directories and the metadata quorum in the first of them. The shell has locked the folders.
    /// `seed` sets election timeouts and the ids of fetch sessions.
    pub fn open(
        options: NodeOptions,
        storage: Arc<dyn Storage>,
        seed: u64,
        now: Now,
    ) -> Result<Arc<Node>, OpenError> {
        let pairs = options.defaults.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let mut defaults = PartitionConfig::default().with(pairs).map_err(OpenError::Defaults)?;
        defaults.log.jitter_seed = seed;
        let mut log_dirs = Vec::with_capacity(options.log_dirs.len());
        for index in 0..options.log_dirs.len() {
            log_dirs.push(LogDir::open(&*storage, &options, index)?);
        }
        let metadata_dir = options.log_dirs.first().cloned().unwrap_or_default();
        let mut quorum = Quorum::open(storage.clone(), &metadata_dir, options.node_id, seed)?;
        let mut retention = SnapshotRetention::default();
        read_setting(&options, "metadata.max.retention.bytes", &mut retention.bytes)?;
        read_setting(&options, "metadata.max.retention.ms", &mut retention.ms)?;
        quorum.set_snapshot_retention(retention);
        let mut segment_bytes = quorum.segment_bytes();
        read_setting(&options, "metadata.log.segment.bytes", &mut segment_bytes)?;
        quorum.set_segment_bytes(segment_bytes);
        let mut settings = Settings { node_id: options.node_id, ..Settings::default() };
        read_setting(&options, "fetch.max.bytes", &mut settings.fetch_max_bytes)?;
        let slots = "max.incremental.fetch.session.cache.slots";
        read_setting(&options, slots, &mut settings.fetch_session_slots)?;
        let expiry = "producer.id.expiration.check.interval.ms";
        read_setting(&options, expiry, &mut settings.producer_expiry_interval_ms)?;
        let authorizer = NodeAuthorizer::open(&options).map_err(OpenError::Defaults)?;
        let own = (settings, authorizer, seed);
        let node = Node::assemble(options, own, defaults, storage, log_dirs, quorum, now);
        node.with_quorum(|_| ());
        for damage in node.log_dirs.iter().flat_map(|log_dir| &log_dir.damaged) {
            node.report_damage(damage);
        }
        Ok(Arc::new(node))
    }
}

/// A broker-wide number that the control plane sends among the topic defaults, if it does.
fn read_setting<T: FromStr>(options: &NodeOptions, key: &str, target: &mut T) -> Result<(), OpenError> {
    if let Some(text) = options.default_of(key) {
        let unreadable = |_| OpenError::Defaults(format!("{key} cannot be {text:?}"));
        *target = text.parse().map_err(unreadable)?;
    }
    Ok(())
}

//! What a topic's configuration means to its logs; values and defaults are Kafka's.

use std::path::Path;

pub use millrace_record::TimestampType;

use super::{CleaningPolicy, RetentionPolicy};
use crate::storage::splitmix::SplitMix;

/// The topic-level settings that a log, or the partition that owns it, acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment never grows past it.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment rolls when its first batch is older.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: up to this much is taken off `segment_ms`, so that segments do not all roll at once.
    pub segment_jitter_ms: i64,
    /// What the jitter is drawn from; of the node, not of the topic.
    pub jitter_seed: u64,
    /// `segment.index.bytes`: the largest index file.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: bytes of log between two index entries.
    pub index_interval_bytes: u32,
    /// `preallocate`: a segment's room on the disk is asked for with its first batch.
    pub preallocate: bool,
    /// `flush.messages`; `u64::MAX` = the operating system decides. Acted on by the partition.
    pub flush_messages: u64,
    /// `max.message.bytes`: the largest batch accepted. Acted on by the partition.
    pub max_message_bytes: u32,
    /// `message.timestamp.type`. Acted on by the partition.
    pub timestamp_type: TimestampType,
    /// `cleanup.policy` contains `compact`: offsets may be missing between batches and between segments.
    pub compact: bool,
    /// `cleanup.policy`, `retention.ms`, `retention.bytes`.
    pub retention: RetentionPolicy,
    /// `min.cleanable.dirty.ratio`, `delete.retention.ms`, `min.compaction.lag.ms`, `max.compaction.lag.ms`.
    pub cleaning: CleaningPolicy,
    /// `file.delete.delay.ms`: how long an expired file stays on disk. Acted on by the node.
    pub file_delete_delay_ms: i64,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 60 * 60 * 1000,
            segment_jitter_ms: 0,
            jitter_seed: 0,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            preallocate: false,
            flush_messages: u64::MAX,
            max_message_bytes: 1_048_588,
            timestamp_type: TimestampType::CreateTime,
            compact: false,
            retention: RetentionPolicy {
                deletes: true,
                retention_ms: 7 * 24 * 60 * 60 * 1000,
                retention_bytes: -1,
            },
            cleaning: CleaningPolicy::default(),
            file_delete_delay_ms: 60_000,
        }
    }
}

impl LogConfig {
    /// `segment.ms` less the jitter of the segment that begins at `base_offset` of the log in `dir`: the same for
    /// as long as the configuration is the same.
    pub(super) fn roll_after_ms(&self, dir: &Path, base_offset: i64) -> i64 {
        // As Kafka's maxSegmentMs: what must be compacted in time must be in a closed segment by then.
        let most = if self.compact { self.cleaning.max_lag_ms } else { i64::MAX };
        let segment_ms = self.segment_ms.min(most);
        let range = self.segment_jitter_ms.min(segment_ms).max(0) as u64;
        if range == 0 {
            return segment_ms;
        }
        let place = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, dir.as_os_str().as_encoded_bytes());
        let mut draw = SplitMix::new(self.jitter_seed ^ place ^ (base_offset as u64).rotate_left(32));
        segment_ms - draw.below(range) as i64
    }
}

//! What a topic's configuration means to its partitions, read from Kafka's keys and values. It never decides which
//! values a topic may have: the control plane's config table does.

use millrace_record::Codec;

use super::{Compression, PRODUCER_EXPIRATION_MS};
use crate::log::{LogConfig, TimestampType};

/// The settings that a partition and its log act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionConfig {
    pub log: LogConfig,
    /// `compression.type` with its level; `None` keeps the producer's.
    pub compression: Option<Compression>,
    /// `compression.gzip.level` and `compression.zstd.level`.
    pub levels: CompressionLevels,
    /// `min.insync.replicas`.
    pub min_insync_replicas: u32,
    /// `producer.id.expiration.ms`, which is the broker's alone.
    pub producer_expiration_ms: i64,
    /// `message.timestamp.before.max.ms`.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub timestamp_after_max_ms: i64,
}

/// Levels that come into force with their codec; `None` is the codec's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompressionLevels {
    gzip: Option<i32>,
    zstd: Option<i32>,
}

impl Default for PartitionConfig {
    fn default() -> PartitionConfig {
        PartitionConfig {
            log: LogConfig::default(),
            compression: None,
            levels: CompressionLevels::default(),
            min_insync_replicas: 1,
            producer_expiration_ms: PRODUCER_EXPIRATION_MS,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 60 * 60 * 1000,
        }
    }
}

impl PartitionConfig {
    /// This configuration with a topic's own values over it. Keys that the data plane does not act on are passed
    /// over; a value that cannot be read is an error that names its key.
    pub fn with<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<PartitionConfig, String> {
        let mut config = self.clone();
        for (key, value) in pairs {
            config.set(key, value.trim()).ok_or_else(|| format!("{key} cannot be {value:?}"))?;
        }
        if let Some(compression) = &mut config.compression {
            compression.level = match compression.codec {
                Codec::Gzip => config.levels.gzip,
                Codec::Zstd => config.levels.zstd,
                Codec::None | Codec::Snappy | Codec::Lz4 => None,
            };
        }
        Ok(config)
    }

    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "segment.bytes" => self.log.segment_bytes = value.parse().ok()?,
            "segment.ms" => self.log.segment_ms = value.parse().ok()?,
            "segment.jitter.ms" => self.log.segment_jitter_ms = value.parse().ok()?,
            "segment.index.bytes" => self.log.segment_index_bytes = value.parse().ok()?,
            "preallocate" => self.log.preallocate = value.parse().ok()?,
            "index.interval.bytes" => self.log.index_interval_bytes = value.parse().ok()?,
            "flush.messages" => {
                let messages: u64 = value.parse().ok()?;
                // Kafka's default is Long.MAX_VALUE: the operating system decides.
                self.log.flush_messages = if messages >= i64::MAX as u64 { u64::MAX } else { messages };
            }
            "max.message.bytes" => self.log.max_message_bytes = value.parse().ok()?,
            "message.timestamp.type" => {
                self.log.timestamp_type = match value {
                    "CreateTime" => TimestampType::CreateTime,
                    "LogAppendTime" => TimestampType::LogAppendTime,
                    _ => return None,
                }
            }
            "compression.type" => {
                self.compression = match value {
                    "producer" => None,
                    name => Some(Compression { codec: Codec::from_name(name)?, level: None }),
                }
            }
            // −1 is Kafka's word for the codec's own default.
            "compression.gzip.level" => {
                self.levels.gzip = Some(value.parse().ok()?).filter(|level| *level >= 0)
            }
            "compression.zstd.level" => self.levels.zstd = Some(value.parse().ok()?),
            "min.insync.replicas" => self.min_insync_replicas = value.parse().ok()?,
            "producer.id.expiration.ms" => self.producer_expiration_ms = value.parse().ok()?,
            "message.timestamp.before.max.ms" => self.timestamp_before_max_ms = value.parse().ok()?,
            "message.timestamp.after.max.ms" => self.timestamp_after_max_ms = value.parse().ok()?,
            "retention.ms" => self.log.retention.retention_ms = value.parse().ok()?,
            "retention.bytes" => self.log.retention.retention_bytes = value.parse().ok()?,
            "min.cleanable.dirty.ratio" => {
                let ratio: f64 = value.parse().ok()?;
                self.log.cleaning.min_dirty_millionths = (ratio.clamp(0.0, 1.0) * 1e6) as u32;
            }
            "delete.retention.ms" => self.log.cleaning.delete_retention_ms = value.parse().ok()?,
            "min.compaction.lag.ms" => self.log.cleaning.min_lag_ms = value.parse().ok()?,
            "max.compaction.lag.ms" => self.log.cleaning.max_lag_ms = value.parse().ok()?,
            "file.delete.delay.ms" => self.log.file_delete_delay_ms = value.parse().ok()?,
            "cleanup.policy" => {
                let names = |wanted| value.split(',').any(|policy| policy.trim() == wanted);
                self.log.compact = names("compact");
                self.log.retention.deletes = names("delete");
            }
            _ => {}
        }
        Some(())
    }

    /// Whether a record counts towards the high watermark only once it is synced.
    pub fn syncs_every_append(&self) -> bool {
        self.log.flush_messages <= 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_overrides_the_defaults_it_names() {
        let pairs = [("flush.messages", "1"), ("cleanup.policy", "delete, compact"), ("retention.ms", "5")];
        let config = PartitionConfig::default().with(pairs).unwrap();
        assert!(config.syncs_every_append() && config.log.compact);
        assert_eq!(config.log.segment_bytes, 1 << 30);
        let config = config.with([("flush.messages", "9223372036854775807")]).unwrap();
        assert_eq!(config.log.flush_messages, u64::MAX);
    }

    #[test]
    fn a_value_that_cannot_be_read_names_its_key() {
        let refused = PartitionConfig::default().with([("segment.bytes", "many")]);
        assert_eq!(refused, Err("segment.bytes cannot be \"many\"".to_owned()));
        assert!(PartitionConfig::default().with([("message.timestamp.type", "Noon")]).is_err());
    }
}

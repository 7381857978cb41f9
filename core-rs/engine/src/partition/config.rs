//! What a topic's configuration means to its partitions, read from Kafka's keys and values. It never decides which
//! values a topic may have: the control plane's config table does.

use crate::log::{LogConfig, TimestampType};

/// The settings that a partition and its log act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionConfig {
    pub log: LogConfig,
    /// `cleanup.policy` contains `compact`: records without a key are refused.
    pub compact: bool,
    /// `message.timestamp.before.max.ms`.
    pub timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`.
    pub timestamp_after_max_ms: i64,
}

impl Default for PartitionConfig {
    fn default() -> PartitionConfig {
        PartitionConfig {
            log: LogConfig::default(),
            compact: false,
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
        Ok(config)
    }

    fn set(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "segment.bytes" => self.log.segment_bytes = value.parse().ok()?,
            "segment.ms" => self.log.segment_ms = value.parse().ok()?,
            "segment.index.bytes" => self.log.segment_index_bytes = value.parse().ok()?,
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
            "message.timestamp.before.max.ms" => self.timestamp_before_max_ms = value.parse().ok()?,
            "message.timestamp.after.max.ms" => self.timestamp_after_max_ms = value.parse().ok()?,
            "cleanup.policy" => self.compact = value.split(',').any(|policy| policy.trim() == "compact"),
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
        assert!(config.syncs_every_append() && config.compact);
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

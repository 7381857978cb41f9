//! What a topic's configuration means to its logs; values and defaults are Kafka's.

pub use millrace_record::TimestampType;

/// The topic-level settings that a log, or the partition that owns it, acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment never grows past it.
    pub segment_bytes: u32,
    /// `segment.ms`: a segment rolls when its first batch is older.
    pub segment_ms: i64,
    /// `segment.index.bytes`: the largest index file.
    pub segment_index_bytes: u32,
    /// `index.interval.bytes`: bytes of log between two index entries.
    pub index_interval_bytes: u32,
    /// `flush.messages`; `u64::MAX` = the operating system decides. Acted on by the partition.
    pub flush_messages: u64,
    /// `max.message.bytes`: the largest batch accepted. Acted on by the partition.
    pub max_message_bytes: u32,
    /// `message.timestamp.type`. Acted on by the partition.
    pub timestamp_type: TimestampType,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig {
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 60 * 60 * 1000,
            segment_index_bytes: 10 << 20,
            index_interval_bytes: 4096,
            flush_messages: u64::MAX,
            max_message_bytes: 1_048_588,
            timestamp_type: TimestampType::CreateTime,
        }
    }
}

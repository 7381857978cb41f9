//! One connection that fetches partition 0 from one offset to another, one request in flight; offsets may be missing.

use std::time::Instant;

use serde::Deserialize;

use super::progress::Progress;
use crate::client::connection::Connection;
use crate::client::consumer::{Consumer, FetchSize};
use crate::options::parse;
use crate::output::Outcome;

/// `fetch.max.bytes` and `max.partition.fetch.bytes` of Kafka's consumer.
const SIZE: FetchSize = FetchSize { max_bytes: 50 << 20, partition_bytes: 1 << 20 };

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    bootstrap: String,
    topic: String,
    /// The first that is there.
    offset: i64,
    /// Where to stop: a log end offset.
    end_offset: i64,
    /// And after so many bytes of batches.
    bytes: u64,
}

/// Result: `seconds`, `records`, `bytes` of whole batches as sent, `requests`, and percentiles from a request's start to
/// the end of its reply.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    let connection = Connection::open(&options.bootstrap)?;
    let mut consumer = Consumer::new(connection, &options.topic, SIZE).with_gaps();
    let mut progress = Progress::new();
    let (mut offset, mut left) = (options.offset, options.bytes);
    while offset < options.end_offset && left > 0 {
        let sent = Instant::now();
        let fetched = consumer.fetch(offset)?;
        progress.answered(sent, fetched.records, fetched.bytes)?;
        if fetched.bytes == 0 {
            return Err(
                format!("nothing came at offset {offset}, before the end at {}", options.end_offset).into()
            );
        }
        offset = fetched.next;
        left = left.saturating_sub(fetched.bytes);
    }
    Ok(progress.figures()?)
}

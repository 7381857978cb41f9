//! Frames built once and sent many times with small changes: Produce v7 with its batch in it, Fetch v11 of one partition.
//! And what their replies say. No socket.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use millrace_record::builder::{BatchBuilder, BatchSpec};

use super::requests::{CORRELATION_AT, Request, expect_no_error, field, produce_head, produced};

/// As much as a fetch takes at once.
const FETCH_BYTES: i32 = 8 << 20;
/// How long a fetch waits for a record.
const MAX_WAIT_MS: i32 = 500;

/// A batch of so many records, each with a value of `value_bytes` and no key.
pub fn batch_of(records: u32, value_bytes: usize) -> io::Result<Vec<u8>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_millis() as i64);
    let value: Vec<u8> =
        (0..value_bytes as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut builder = BatchBuilder::new(BatchSpec::default());
    for _ in 0..records {
        builder.append(now, None, Some(&value), &[]).map_err(io::Error::other)?;
    }
    builder.finish().map_err(io::Error::other)
}

/// A Produce of always the same batch, under a new correlation id each time.
pub struct ProduceFrame {
    bytes: Vec<u8>,
    batch_at: usize,
    topic: String,
    correlation: i32,
}

impl ProduceFrame {
    pub fn new(topic: &str, partition: i32, batch: &[u8]) -> Self {
        let mut bytes = produce_head(0, topic, partition, batch.len());
        let batch_at = bytes.len();
        bytes.extend_from_slice(batch);
        Self { bytes, batch_at, topic: topic.to_string(), correlation: 0 }
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where in the frame the batch begins; it goes to the end.
    pub fn batch_at(&self) -> usize {
        self.batch_at
    }

    /// The whole frame under the next correlation id.
    pub fn next(&mut self) -> &[u8] {
        self.correlation = self.correlation.wrapping_add(1);
        self.bytes[CORRELATION_AT..CORRELATION_AT + 4].copy_from_slice(&self.correlation.to_be_bytes());
        &self.bytes
    }

    /// The base offset in the reply (from its correlation id on) to the request of this correlation id.
    /// Error: another request's reply, or the broker's code.
    pub fn acked(&self, reply: &[u8], correlation: i32) -> io::Result<i64> {
        let answered = i32::from_be_bytes(field(reply, 0)?);
        if answered != correlation {
            return Err(io::Error::other(format!(
                "a reply to request {answered} where {correlation} was due"
            )));
        }
        let (code, base_offset) = produced(reply, &self.topic)?;
        expect_no_error("Produce", code)?;
        Ok(base_offset)
    }

    /// The correlation id of the frame that `next` gave last.
    pub fn correlation(&self) -> i32 {
        self.correlation
    }

    /// Bytes of a reply to it, its size included.
    pub fn reply_bytes(&self) -> usize {
        4 + 4 + 4 + 2 + self.topic.len() + 4 + (4 + 2 + 8 + 8 + 8) + 4
    }
}

/// A long poll of partition 0 that returns as soon as there is one record: no session, at most 500 ms.
pub struct FetchFrame {
    bytes: Vec<u8>,
    topic: String,
}

impl FetchFrame {
    /// Behind the offset in the frame: log start, maximum bytes, forgotten topics, rack.
    const AFTER_OFFSET: usize = 8 + 4 + 4 + 2;

    pub fn new(topic: &str) -> Self {
        let request =
            Request::new(1, 11, 0).i32(-1).i32(MAX_WAIT_MS).i32(1).i32(FETCH_BYTES).i8(0).i32(0).i32(-1);
        let request = request.i32(1).string(topic).i32(1).i32(0).i32(-1).i64(0).i64(-1);
        let bytes = request.i32(FETCH_BYTES).i32(0).string("").frame(0);
        Self { bytes, topic: topic.to_string() }
    }

    pub fn from(&mut self, offset: i64) -> &[u8] {
        let at = self.bytes.len() - Self::AFTER_OFFSET - 8;
        self.bytes[at..at + 8].copy_from_slice(&offset.to_be_bytes());
        &self.bytes
    }

    /// The batches in a reply, given from its correlation id on. Error: the broker's code, for the request or the
    /// partition.
    pub fn records<'r>(&self, reply: &'r [u8]) -> io::Result<&'r [u8]> {
        // Correlation id, throttle time; error, session, topics, name, partitions, index.
        expect_no_error("Fetch", i16::from_be_bytes(field(reply, 4 + 4)?))?;
        let code_at = 4 + 4 + 2 + 4 + 4 + 2 + self.topic.len() + 4 + 4;
        expect_no_error("Fetch", i16::from_be_bytes(field(reply, code_at)?))?;
        // Error, high watermark, last stable offset, log start, aborted transactions, preferred replica, length.
        Ok(reply.get(code_at + 2 + 8 + 8 + 8 + 4 + 4 + 4..).unwrap_or_default())
    }
}

/// Base offset and number of offsets of each whole batch in `records`.
pub fn batches(mut records: &[u8]) -> impl Iterator<Item = (i64, i64)> {
    std::iter::from_fn(move || {
        let base = i64::from_be_bytes(field(records, 0).ok()?);
        let length = i32::from_be_bytes(field(records, 8).ok()?) as usize + 12;
        let delta = i32::from_be_bytes(field(records, 23).ok()?);
        records = records.get(length..)?;
        Some((base, i64::from(delta) + 1))
    })
}

/// The first whole reply in `bytes`, from its correlation id on, and how many bytes it takes with its size.
pub fn whole_reply(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let (size, rest) = bytes.split_first_chunk()?;
    let reply = rest.get(..u32::from_be_bytes(*size) as usize)?;
    Some((reply, reply.len() + 4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_produce_frame_changes_only_its_correlation_id() {
        let batch = batch_of(1, 100).unwrap();
        let mut frame = ProduceFrame::new("t", 3, &batch);
        let before = frame.bytes().to_vec();
        let after = frame.next().to_vec();
        assert_eq!(after[CORRELATION_AT..CORRELATION_AT + 4], [0, 0, 0, 1]);
        assert_eq!((&before[..8], &before[12..]), (&after[..8], &after[12..]));
        assert_eq!(after[frame.batch_at()..], batch);
        let mut reply = vec![0, 0, 0, 1, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 3, 0, 0];
        reply.extend(41i64.to_be_bytes());
        assert_eq!(frame.acked(&reply, frame.correlation()).unwrap(), 41);
        assert!(frame.acked(&reply, 2).is_err());
    }

    #[test]
    fn a_fetch_frame_changes_only_its_offset() {
        let mut frame = FetchFrame::new("topic");
        let (zero, some) = (frame.from(0).to_vec(), frame.from(0x0102_0304_0506_0708).to_vec());
        let changed: Vec<usize> = (0..zero.len()).filter(|at| zero[*at] != some[*at]).collect();
        assert_eq!(changed.len(), 8);
        assert_eq!(some[changed[0]..=changed[7]], [1, 2, 3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn batches_are_walked_to_the_last_whole_one() {
        let mut records = batch_of(50, 100).unwrap();
        let second = batch_of(1, 10).unwrap();
        records.extend(&second);
        records.extend(&second[..40]);
        assert_eq!(batches(&records).collect::<Vec<_>>(), [(0, 50), (0, 1)]);
    }

    #[test]
    fn a_reply_is_whole_or_not_there() {
        let bytes = [0, 0, 0, 2, 7, 8, 9];
        assert_eq!(whole_reply(&bytes), Some((&bytes[4..6], 6)));
        assert_eq!(whole_reply(&bytes[..5]), None);
    }
}

//! Fetches one partition over one connection, one request in flight, Fetch v11 without a session. Batch headers are
//! read as they pass, record bytes are dropped uncopied.

use std::io;

use super::connection::Connection;
use super::requests::{CORRELATION_AT, Request, expect_no_error, field};

const MAX_WAIT_MS: i32 = 500;
const HEADER: usize = 61;
/// Where a batch's header has the number of its records.
const RECORDS_AT: usize = 57;

/// How much a Fetch asks for.
#[derive(Clone, Copy)]
pub struct FetchSize {
    /// `fetch.max.bytes`
    pub max_bytes: i32,
    /// `max.partition.fetch.bytes`
    pub partition_bytes: i32,
}

/// The whole batches of one reply.
pub struct Fetched {
    pub bytes: u64,
    pub records: u64,
    /// The offset after them.
    pub next: i64,
}

/// Reads partition 0 of a topic.
pub struct Consumer {
    connection: Connection,
    topic: String,
    frame: Vec<u8>,
    offset_at: usize,
    gaps: bool,
}

impl Consumer {
    pub fn new(connection: Connection, topic: &str, size: FetchSize) -> Self {
        let request =
            Request::new(1, 11, 0).i32(-1).i32(MAX_WAIT_MS).i32(1).i32(size.max_bytes).i8(0).i32(0).i32(-1);
        let request = request.i32(1).string(topic).i32(1).i32(0).i32(-1);
        let offset_at = request.position();
        let frame = request.i64(0).i64(-1).i32(size.partition_bytes).i32(0).string("").frame(0);
        Self { connection, topic: topic.to_string(), frame, offset_at, gaps: false }
    }

    /// Offsets may be missing, as compaction leaves them; otherwise that is an error.
    pub fn with_gaps(mut self) -> Self {
        self.gaps = true;
        self
    }

    /// Reads from the start until `total` bytes of whole batches came; how many they were, and in how many requests.
    pub fn read(&mut self, total: u64) -> io::Result<(u64, u64)> {
        let (mut offset, mut received, mut requests) = (0, 0, 0);
        while received < total {
            let Fetched { bytes, next, .. } = self.fetch(offset)?;
            if bytes == 0 {
                let sentence =
                    format!("nothing came at offset {offset} of {}, {received} bytes in", self.topic);
                return Err(io::Error::other(sentence));
            }
            received += bytes;
            requests += 1;
            offset = next;
        }
        Ok((received, requests))
    }

    pub fn fetch(&mut self, offset: i64) -> io::Result<Fetched> {
        let correlation = self.connection.next();
        self.frame[CORRELATION_AT..CORRELATION_AT + 4].copy_from_slice(&correlation.to_be_bytes());
        self.frame[self.offset_at..self.offset_at + 8].copy_from_slice(&offset.to_be_bytes());
        self.connection.send(&self.frame)?;
        self.fetched(correlation, offset)
    }

    fn fetched(&mut self, correlation: i32, offset: i64) -> io::Result<Fetched> {
        // Size, correlation id, throttle time, error, session, topics, name, partitions, index; then the partition.
        let code_at = 4 + 4 + 4 + 2 + 4 + 4 + 2 + self.topic.len() + 4 + 4;
        // Error, high watermark, last stable offset, log start, aborted transactions, preferred replica.
        let records_at = code_at + 2 + 8 + 8 + 8 + 4 + 4;
        let mut head = vec![0; records_at + 4];
        self.connection.take(&mut head)?;
        if i32::from_be_bytes(field(&head, 4)?) != correlation {
            return Err(io::Error::other("Fetch: a reply to another request"));
        }
        expect_no_error("Fetch", i16::from_be_bytes(field(&head, 12)?))?;
        expect_no_error("Fetch", i16::from_be_bytes(field(&head, code_at)?))?;
        let mut left = i32::from_be_bytes(field(&head, records_at)?).max(0) as usize;
        let (mut whole, mut records, mut next) = (0, 0, offset);
        while left >= HEADER {
            let mut header = [0; HEADER];
            self.connection.take(&mut header)?;
            left -= HEADER;
            let base = i64::from_be_bytes(field(&header, 0)?);
            let rest = i32::from_be_bytes(field(&header, 8)?) as usize + 12 - HEADER;
            if base != next && !self.gaps {
                return Err(io::Error::other(format!("a batch at offset {base} came, expected {next}")));
            }
            if rest <= left {
                whole += (HEADER + rest) as u64;
                records += u64::from(u32::from_be_bytes(field(&header, RECORDS_AT)?));
                next = base + i64::from(i32::from_be_bytes(field(&header, 23)?)) + 1;
            }
            self.connection.discard(rest.min(left))?;
            left -= rest.min(left);
        }
        self.connection.discard(left)?;
        Ok(Fetched { bytes: whole, records, next })
    }
}

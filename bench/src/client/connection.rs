//! A lean client of one connection: CreateTopics v2, Produce v7, Fetch v11. It keeps a few requests in flight and
//! never looks at the record bytes that come back.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{SystemTime, UNIX_EPOCH};

use millrace_record::builder::{BatchBuilder, BatchSpec};

use super::requests::{Request, expect_no_error, field, produce_head, produced};
use crate::floor::sockets;

const IN_FLIGHT: usize = 5;
const FETCH_BYTES: i32 = 8 << 20;

pub struct Connection {
    stream: TcpStream,
    correlation: i32,
    scratch: Vec<u8>,
}

/// A batch of at most 1 MiB of 1 KiB records, and the number of records in it.
pub fn batch_of_one_mebibyte() -> (Vec<u8>, i64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_millis() as i64);
    let value: Vec<u8> = (0..1000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let mut builder = BatchBuilder::new(BatchSpec::default());
    while builder.uncompressed_len() + 1100 < 1_000_000 {
        builder.append(now, None, Some(&value), &[]).expect("a batch below 1 MiB");
    }
    let records = i64::from(builder.count());
    (builder.finish().expect("a batch below 1 MiB"), records)
}

/// One record of 100 bytes.
pub fn small_batch() -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_millis() as i64);
    let mut builder = BatchBuilder::new(BatchSpec::default());
    builder.append(now, None, Some(&[b'x'; 100]), &[]).expect("a small batch");
    builder.finish().expect("a small batch")
}

impl Connection {
    pub fn open(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, correlation: 0, scratch: vec![0; 1 << 20] })
    }

    fn next(&mut self) -> i32 {
        self.correlation += 1;
        self.correlation
    }

    /// A reply's body, at most `keep` bytes of it; the rest is read and dropped. With its full length.
    fn reply(&mut self, keep: usize) -> io::Result<(Vec<u8>, usize)> {
        let mut size = [0; 4];
        self.stream.read_exact(&mut size)?;
        let total = u32::from_be_bytes(size) as usize;
        let mut body = vec![0; total.min(keep)];
        self.stream.read_exact(&mut body)?;
        let mut left = total - body.len();
        while left > 0 {
            let piece = left.min(self.scratch.len());
            left -= self.stream.read(&mut self.scratch[..piece])?;
        }
        Ok((body, total))
    }

    /// A topic of so many partitions, one replica each, with these configs; returns once every partition answers.
    /// Error: the broker's code.
    pub fn create_topic(
        &mut self,
        topic: &str,
        partitions: i32,
        configs: &[(String, String)],
    ) -> io::Result<()> {
        let correlation = self.next();
        let request = Request::new(19, 2, correlation).i32(1).string(topic).i32(partitions).i16(1).i32(0);
        let request = request.array(configs, |request, (key, value)| request.string(key).string(value));
        self.stream.write_all(&request.i32(30_000).i8(0).frame(0))?;
        let (body, _) = self.reply(1 << 16)?;
        let code_at = 4 + 4 + 4 + 2 + topic.len();
        expect_no_error("CreateTopics", i16::from_be_bytes(field(&body, code_at)?))?;
        // Kafka answers before its partitions are there: ask for the offsets until there are all.
        let all: Vec<i32> = (0..partitions).collect();
        while self.end_offsets(topic, &all)?.iter().any(|(code, _)| *code != 0) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        Ok(())
    }

    /// Error code and end offset of each of the partitions, in their order (ListOffsets v1).
    pub fn end_offsets(&mut self, topic: &str, partitions: &[i32]) -> io::Result<Vec<(i16, i64)>> {
        const ENTRY: usize = 4 + 2 + 8 + 8;
        let correlation = self.next();
        let request = Request::new(2, 1, correlation).i32(-1).i32(1).string(topic);
        let request = request.array(partitions, |request, partition| request.i32(*partition).i64(-1));
        self.stream.write_all(&request.frame(0))?;
        let (body, _) = self.reply(64 + topic.len() + ENTRY * partitions.len())?;
        let mut ends = vec![(0, 0); partitions.len()];
        for at in (0..partitions.len()).map(|entry| 4 + 4 + 2 + topic.len() + 4 + entry * ENTRY) {
            let partition = i32::from_be_bytes(field(&body, at)?);
            let place = partitions.iter().position(|asked| *asked == partition).ok_or_else(|| {
                io::Error::other(format!(
                    "ListOffsets answered for partition {partition}, which nobody asked for"
                ))
            })?;
            ends[place] =
                (i16::from_be_bytes(field(&body, at + 4)?), i64::from_be_bytes(field(&body, at + 14)?));
        }
        Ok(ends)
    }

    /// Produces `batch` to partition 0 with acks=1 until `total` bytes are acked.
    pub fn produce(&mut self, topic: &str, batch: &[u8], records: i64, total: u64) -> io::Result<()> {
        let count = total.div_ceil(batch.len() as u64);
        let mut expected = VecDeque::with_capacity(IN_FLIGHT);
        for number in 0..count {
            if expected.len() == IN_FLIGHT {
                self.produced(topic, &mut expected)?;
            }
            self.send_produce(topic, batch)?;
            expected.push_back(number as i64 * records);
        }
        while !expected.is_empty() {
            self.produced(topic, &mut expected)?;
        }
        Ok(())
    }

    /// Produces `batch` to partition 0 with acks=1 and waits for its ack, which must name this offset.
    pub fn produce_one(&mut self, topic: &str, batch: &[u8], offset: i64) -> io::Result<()> {
        self.send_produce(topic, batch)?;
        self.produced(topic, &mut VecDeque::from([offset]))
    }

    fn send_produce(&mut self, topic: &str, batch: &[u8]) -> io::Result<()> {
        let correlation = self.next();
        self.stream.write_all(&produce_head(correlation, topic, 0, batch.len()))?;
        self.stream.write_all(batch)
    }

    fn produced(&mut self, topic: &str, expected: &mut VecDeque<i64>) -> io::Result<()> {
        let (body, _) = self.reply(1 << 12)?;
        let (code, base_offset) = produced(&body, topic)?;
        expect_no_error("Produce", code)?;
        match expected.pop_front() {
            Some(offset) if offset == base_offset => Ok(()),
            other => Err(io::Error::other(format!("acked at offset {base_offset}, expected {other:?}"))),
        }
    }

    /// Fetches partition 0 from its start until `total` bytes of batches came.
    pub fn fetch(&mut self, topic: &str, total: u64) -> io::Result<()> {
        let mut offset = 0i64;
        let mut received = 0u64;
        while received < total {
            let correlation = self.next();
            let request =
                Request::new(1, 11, correlation).i32(-1).i32(500).i32(1).i32(FETCH_BYTES).i8(0).i32(0);
            let request = request.i32(-1).i32(1).string(topic).i32(1).i32(0).i32(-1).i64(offset).i64(-1);
            self.stream.write_all(&request.i32(FETCH_BYTES).i32(0).string("").frame(0))?;
            let (bytes, next) = self.fetched(topic)?;
            if bytes == 0 {
                return Err(io::Error::other(format!(
                    "nothing came at offset {offset}, {received} bytes in"
                )));
            }
            received += bytes;
            offset = next;
        }
        Ok(())
    }

    /// Reads one fetch reply: whole batches in it, in bytes, and the offset after the last of them. Batch headers are
    /// walked as they pass, so that a reply never stands in memory whole.
    fn fetched(&mut self, topic: &str) -> io::Result<(u64, i64)> {
        // Size, correlation id, throttle time, error, session, topics, name, partitions, index; then the partition.
        let code_at = 4 + 4 + 4 + 2 + 4 + 4 + 2 + topic.len() + 4 + 4;
        // Error, high watermark, last stable offset, log start, aborted transactions, preferred replica.
        let records_at = code_at + 2 + 8 + 8 + 8 + 4 + 4;
        let mut head = vec![0; records_at + 4];
        self.stream.read_exact(&mut head)?;
        expect_no_error("Fetch", i16::from_be_bytes(field(&head, code_at)?))?;
        let length = i32::from_be_bytes(field(&head, records_at)?).max(0) as usize;
        let mut left = length;
        let mut whole = 0u64;
        let mut next = 0i64;
        while left >= 61 {
            let mut header = [0; 61];
            self.stream.read_exact(&mut header)?;
            left -= 61;
            let base = i64::from_be_bytes(field(&header, 0)?);
            let rest = i32::from_be_bytes(field(&header, 8)?) as usize + 12 - 61;
            if rest <= left {
                whole += 61 + rest as u64;
                next = base + i64::from(i32::from_be_bytes(field(&header, 23)?)) + 1;
            }
            self.discard(rest.min(left))?;
            left -= rest.min(left);
        }
        self.discard(left)?;
        Ok((whole, next))
    }

    fn discard(&mut self, mut bytes: usize) -> io::Result<()> {
        while bytes > 0 {
            let piece = bytes.min(self.scratch.len());
            let read = sockets::discard(&self.stream, &mut self.scratch[..piece])?;
            if read == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            bytes -= read;
        }
        Ok(())
    }
}

//! One connection that produces to all partitions of a topic in turn, as a producer does: each request has a batch for
//! each of a few partitions. It also fills topics for what is measured afterwards.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::client::batches::Shape;
use crate::client::paced::one_batch;
use crate::client::requests::{Request, expect_no_error, field};
use crate::client::tcp;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures, progress};

const IN_FLIGHT: usize = 5;
/// Partition, error, base offset, append time, log start of a Produce v7 reply.
const ENTRY: usize = 4 + 2 + 8 + 8 + 8;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    topic: String,
    partitions: usize,
    /// Batches in a request, each for another partition.
    #[serde(default = "one")]
    per_request: usize,
    #[serde(default)]
    batch: Shape,
    /// Of all batches together, at least.
    bytes: u64,
}

fn one() -> usize {
    1
}

/// One request, built once: only the partitions' numbers change.
pub(crate) struct Frame {
    bytes: Vec<u8>,
    /// Where each partition's number stands.
    places: Vec<usize>,
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Frame {
    pub(crate) fn new(topic: &str, batches: usize, batch: &[u8]) -> Self {
        let start =
            Request::new(0, 7, 0).i16(-1).i16(-1).i32(30_000).i32(1).string(topic).i32(batches as i32);
        let each = 4 + 4 + batch.len();
        let mut bytes = start.frame(batches * each);
        let places = (0..batches).map(|number| bytes.len() + number * each).collect();
        for _ in 0..batches {
            bytes.extend([0; 4]);
            bytes.extend((batch.len() as u32).to_be_bytes());
            bytes.extend(batch);
        }
        Self { bytes, places }
    }

    /// For as many partitions from `first` on, wrapping around.
    pub(crate) fn address(&mut self, first: usize, partitions: usize) {
        for (number, place) in self.places.iter().enumerate() {
            let partition = ((first + number) % partitions) as u32;
            self.bytes[*place..place + 4].copy_from_slice(&partition.to_be_bytes());
        }
    }
}

/// Result: `seconds`, `bytes`, `requests`, `records`. Checked: each partition's base offsets have no gap.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    if options.partitions == 0 || options.per_request == 0 || options.per_request > options.partitions {
        return Err("perRequest: not more batches in a request than there are partitions".into());
    }
    let batch = one_batch(&options.batch)?;
    let mut frame = Frame::new(&options.topic, options.per_request, &batch.bytes);
    let mut stream = tcp::connect(&options.bootstrap)?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let requests = options.bytes.div_ceil((options.per_request * batch.bytes.len()) as u64);
    let mut next = vec![None; options.partitions];
    let mut firsts = VecDeque::with_capacity(IN_FLIGHT);
    let mut first = 0;
    let started = Instant::now();
    let mut told = started;
    for number in 0..requests {
        if firsts.len() == IN_FLIGHT {
            acked(&mut stream, &options, batch.records, &mut firsts, &mut next)?;
        }
        frame.address(first, options.partitions);
        stream.write_all(&frame.bytes)?;
        firsts.push_back(first);
        first = (first + options.per_request) % options.partitions;
        if told.elapsed() > Duration::from_secs(1) {
            told = Instant::now();
            progress(&figures([("share", number as f64 / requests as f64)]));
        }
    }
    while !firsts.is_empty() {
        acked(&mut stream, &options, batch.records, &mut firsts, &mut next)?;
    }
    let bytes = requests * (options.per_request * batch.bytes.len()) as u64;
    Ok(figures([
        ("seconds", started.elapsed().as_secs_f64()),
        ("bytes", bytes as f64),
        ("requests", requests as f64),
        ("records", (requests * options.per_request as u64 * batch.records as u64) as f64),
    ]))
}

/// Reads the reply to the oldest request: every partition's code and base offset.
fn acked(
    stream: &mut TcpStream,
    options: &Options,
    records: i32,
    firsts: &mut VecDeque<usize>,
    next: &mut [Option<i64>],
) -> io::Result<()> {
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let mut reply = vec![0; u32::from_be_bytes(size) as usize];
    stream.read_exact(&mut reply)?;
    firsts.pop_front();
    let start = 4 + 4 + 2 + options.topic.len() + 4;
    for at in (0..options.per_request).map(|number| start + number * ENTRY) {
        let partition = i32::from_be_bytes(field(&reply, at)?) as usize;
        expect_no_error("Produce", i16::from_be_bytes(field(&reply, at + 4)?))?;
        let base = i64::from_be_bytes(field(&reply, at + 6)?);
        let expected =
            next.get_mut(partition).ok_or_else(|| io::Error::other("an unknown partition in a reply"))?;
        if expected.is_some_and(|expected| expected != base) {
            return Err(io::Error::other(format!(
                "partition {partition} acked at {base}, expected {expected:?}"
            )));
        }
        *expected = Some(base + i64::from(records));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_addressed_to_the_partitions_in_turn() {
        let mut frame = Frame::new("t", 3, &[7; 10]);
        frame.address(4, 5);
        assert_eq!(frame.bytes.len(), 4 + u32::from_be_bytes(field(&frame.bytes, 0).unwrap()) as usize);
        let numbers: Vec<u32> =
            frame.places.iter().map(|at| u32::from_be_bytes(field(&frame.bytes, *at).unwrap())).collect();
        assert_eq!(numbers, [4, 0, 1]);
        assert!(
            frame.places.iter().all(|at| field(&frame.bytes, at + 4).map(u32::from_be_bytes).unwrap() == 10)
        );
    }
}

//! Making and removing topics over the lean client: CreateTopics v2, CreatePartitions v1, DeleteTopics v1, ListOffsets v1.

use std::io;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::connection::Connection;
use super::requests::expect_no_error;

/// Ten thousand partitions take a broker their time.
const PATIENCE: Duration = Duration::from_secs(300);
const TIMEOUT_MS: i32 = PATIENCE.as_millis() as i32;
/// Kafka's controller refuses a request that makes more than 10,000 metadata records.
const PARTITIONS_PER_REQUEST: i32 = 5000;

impl Connection {
    /// Asks for a topic of so many partitions, one replica each, with these configs; a large one is made with some of
    /// them and grows. Error: the broker's code.
    pub fn create_topic(
        &mut self,
        topic: &str,
        partitions: i32,
        configs: &[(String, String)],
    ) -> io::Result<()> {
        let first = partitions.min(PARTITIONS_PER_REQUEST);
        let mut reply = self.ask(19, 2, |request| {
            let request = request.i32(1).string(topic).i32(first).i16(1).i32(0);
            let request = request.array(configs, |request, (key, value)| request.string(key).string(value));
            request.i32(TIMEOUT_MS).i8(0)
        })?;
        reply.take(4 + 4)?;
        reply.string()?;
        let (code, message) = (reply.i16()?, reply.string()?);
        expect_no_error(format_args!("CreateTopics of {topic}: {message}"), code)?;
        let mut count = first;
        while count < partitions {
            count = partitions.min(count + PARTITIONS_PER_REQUEST);
            self.create_partitions(topic, count)?;
        }
        Ok(())
    }

    /// Lets a topic grow to `count` partitions.
    fn create_partitions(&mut self, topic: &str, count: i32) -> io::Result<()> {
        let mut reply =
            self.ask(37, 1, |request| request.i32(1).string(topic).i32(count).i32(-1).i32(TIMEOUT_MS).i8(0))?;
        reply.take(4 + 4)?;
        reply.string()?;
        let (code, message) = (reply.i16()?, reply.string()?);
        expect_no_error(format_args!("CreatePartitions of {topic}: {message}"), code)
    }

    /// Asks for the end offsets of partitions 0 to `partitions` − 1 until there are all: Kafka answers CreateTopics
    /// before its partitions are there. Error: the code of one that is not there in time.
    pub fn await_partitions(&mut self, topic: &str, partitions: i32) -> io::Result<Vec<i64>> {
        let all: Vec<i32> = (0..partitions).collect();
        let until = Instant::now() + PATIENCE;
        loop {
            let ends = self.end_offsets(topic, &all)?;
            match ends.iter().position(|(code, _)| *code != 0) {
                None => return Ok(ends.into_iter().map(|(_, offset)| offset).collect()),
                Some(index) if Instant::now() > until => {
                    let code = ends[index].0;
                    expect_no_error(format_args!("{topic}-{index} after {} s", PATIENCE.as_secs()), code)?;
                }
                Some(_) => sleep(Duration::from_millis(1)),
            }
        }
    }

    /// Deletes a topic; its files go later, when the broker sees fit. Error: the broker's code.
    pub fn delete_topic(&mut self, topic: &str) -> io::Result<()> {
        let mut reply = self.ask(20, 1, |request| request.i32(1).string(topic).i32(TIMEOUT_MS))?;
        reply.take(4 + 4)?;
        reply.string()?;
        expect_no_error(format_args!("DeleteTopics of {topic}"), reply.i16()?)
    }

    /// Error code and end offset of each of the partitions, in their order.
    pub fn end_offsets(&mut self, topic: &str, partitions: &[i32]) -> io::Result<Vec<(i16, i64)>> {
        let mut reply = self.ask(2, 1, |request| {
            let request = request.i32(-1).i32(1).string(topic);
            request.array(partitions, |request, partition| request.i32(*partition).i64(-1))
        })?;
        reply.take(4)?;
        reply.string()?;
        let mut ends = vec![(0, 0); partitions.len()];
        for next in 0..reply.i32()? as usize {
            let partition = reply.i32()?;
            let in_order = (partitions.get(next) == Some(&partition)).then_some(next);
            let place = in_order.or_else(|| partitions.iter().position(|asked| *asked == partition));
            let place = place.ok_or_else(|| {
                let sentence =
                    format!("ListOffsets answered for partition {partition}, which nobody asked for");
                io::Error::other(sentence)
            })?;
            let code = reply.i16()?;
            reply.take(8)?;
            ends[place] = (code, reply.i64()?);
        }
        Ok(ends)
    }
}

//! Making and removing topics over the lean client: CreateTopics v2, DeleteTopics v1, ListOffsets v1.

use std::io;
use std::thread::sleep;
use std::time::Duration;

use super::connection::Connection;
use super::requests::expect_no_error;

const TIMEOUT_MS: i32 = 30_000;

impl Connection {
    /// A topic of so many partitions, one replica each, with these configs; returns once every partition answers.
    /// Error: the broker's code.
    pub fn create_topic(
        &mut self,
        topic: &str,
        partitions: i32,
        configs: &[(String, String)],
    ) -> io::Result<()> {
        let mut reply = self.ask(19, 2, |request| {
            let request = request.i32(1).string(topic).i32(partitions).i16(1).i32(0);
            let request = request.array(configs, |request, (key, value)| request.string(key).string(value));
            request.i32(TIMEOUT_MS).i8(0)
        })?;
        reply.take(4 + 4)?;
        reply.string()?;
        let (code, message) = (reply.i16()?, reply.string()?);
        expect_no_error(format_args!("CreateTopics of {topic}: {message}"), code)?;
        // Kafka answers before its partitions are there: ask for the offsets until there are all.
        let all: Vec<i32> = (0..partitions).collect();
        while self.end_offsets(topic, &all)?.iter().any(|(code, _)| *code != 0) {
            sleep(Duration::from_millis(1));
        }
        Ok(())
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
        for _ in 0..reply.i32()? {
            let partition = reply.i32()?;
            let place = partitions.iter().position(|asked| *asked == partition).ok_or_else(|| {
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

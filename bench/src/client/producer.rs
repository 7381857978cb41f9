//! Produces prebuilt batches over one connection, a few requests in flight, Produce v7. Nothing is built or summed in
//! the loop: a request is a frame that stands ready, and between two sends only its correlation id changes, and with a
//! producer id the sequence.

use std::collections::VecDeque;
use std::io;

use super::batches::{Batch, ProducerId, SequencePatch};
use super::connection::Connection;
use super::requests::{CORRELATION_AT, Request, expect_no_error};

const TIMEOUT_MS: i32 = 30_000;
/// Behind the header, whose client id is `bench`, and a null transactional id.
const ACKS_AT: usize = 4 + 2 + 2 + 4 + 2 + 5 + 2;

/// A Produce request with one batch for each of some partitions.
struct Frame {
    bytes: Vec<u8>,
    /// Where each partition's batch stands, by partition.
    batches: Vec<std::ops::Range<usize>>,
    patch: Option<SequencePatch>,
    records: i64,
}

impl Frame {
    fn new(topic: &str, acks: i16, partitions: i32, batch: &Batch, sequenced: bool) -> Self {
        let mut batches = Vec::new();
        let request = Request::new(0, 7, 0)
            .null_string()
            .i16(acks)
            .i32(TIMEOUT_MS)
            .i32(1)
            .string(topic)
            .i32(partitions);
        let request = (0..partitions).fold(request, |request, partition| {
            let request = request.i32(partition).bytes(&batch.bytes);
            batches.push(request.position() - batch.bytes.len()..request.position());
            request
        });
        let patch = sequenced.then(|| SequencePatch::new(&batch.bytes));
        Self { bytes: request.frame(0), batches, patch, records: i64::from(batch.records) }
    }
}

/// What is on its way: the reply must name these.
struct Sent {
    correlation: i32,
    offset: i64,
}

/// Partitions 0 to `partitions` − 1 of a fresh topic, each getting the same batches: all stand at the same offset.
pub struct Producer {
    connection: Connection,
    topic_length: usize,
    partitions: i32,
    frames: Vec<Frame>,
    turn: usize,
    next_offset: i64,
    next_sequence: i32,
    sent: VecDeque<Sent>,
}

impl Producer {
    /// `batches` are sent in turn, acks=1. `sequenced`: they have a producer id, and sequences count on from 0.
    pub fn new(
        connection: Connection,
        topic: &str,
        partitions: i32,
        batches: &[Batch],
        sequenced: bool,
    ) -> Self {
        Self {
            connection,
            topic_length: topic.len(),
            partitions,
            frames: batches.iter().map(|batch| Frame::new(topic, 1, partitions, batch, sequenced)).collect(),
            turn: 0,
            next_offset: 0,
            next_sequence: 0,
            sent: VecDeque::new(),
        }
    }

    /// Another `acks` than 1: −1 waits for all replicas.
    pub fn with_acks(mut self, acks: i16) -> Self {
        for frame in &mut self.frames {
            frame.bytes[ACKS_AT..ACKS_AT + 2].copy_from_slice(&acks.to_be_bytes());
        }
        self
    }

    /// The topic is not empty: its partitions end here.
    pub fn starting_at(mut self, offset: i64) -> Self {
        self.next_offset = offset;
        self
    }

    /// Requests without an ack so far.
    pub fn in_flight(&self) -> usize {
        self.sent.len()
    }

    /// Sends the next request.
    pub fn send(&mut self) -> io::Result<()> {
        let correlation = self.connection.next();
        let count = self.frames.len();
        let frame = &mut self.frames[self.turn % count];
        self.turn += 1;
        frame.bytes[CORRELATION_AT..CORRELATION_AT + 4].copy_from_slice(&correlation.to_be_bytes());
        if let Some(patch) = &frame.patch {
            for range in &frame.batches {
                patch.apply(&mut frame.bytes[range.clone()], self.next_sequence);
            }
            // Kafka's sequences wrap to 0 after 2³¹ − 1.
            self.next_sequence =
                ((i64::from(self.next_sequence) + frame.records) & i64::from(i32::MAX)) as i32;
        }
        self.connection.send(&frame.bytes)?;
        self.sent.push_back(Sent { correlation, offset: self.next_offset });
        self.next_offset += frame.records;
        Ok(())
    }

    /// Waits for the ack of the oldest request. Error: a code, or a base offset other than the one that is due.
    pub fn acked(&mut self) -> io::Result<()> {
        let Some(sent) = self.sent.pop_front() else { return Ok(()) };
        let mut reply = self.connection.answer(sent.correlation)?;
        reply.take(4 + 2 + self.topic_length)?;
        if reply.i32()? != self.partitions {
            return Err(io::Error::other("Produce: a reply for other partitions"));
        }
        for _ in 0..self.partitions {
            let partition = reply.i32()?;
            expect_no_error(format_args!("Produce to partition {partition}"), reply.i16()?)?;
            let offset = reply.i64()?;
            if offset != sent.offset {
                return Err(io::Error::other(format!("acked at offset {offset}, expected {}", sent.offset)));
            }
            reply.take(8 + 8)?;
        }
        Ok(())
    }
}

/// A new producer id without a transactional id: InitProducerId v1.
pub fn init_producer_id(connection: &mut Connection) -> io::Result<ProducerId> {
    loop {
        let mut reply = connection.ask(22, 1, |request| request.null_string().i32(TIMEOUT_MS))?;
        reply.take(4)?;
        match reply.i16()? {
            // COORDINATOR_LOAD_IN_PROGRESS: Kafka fetches its first block of ids from the controller.
            14 => std::thread::sleep(std::time::Duration::from_millis(5)),
            code => {
                expect_no_error("InitProducerId", code)?;
                return Ok(ProducerId { id: reply.i64()?, epoch: reply.i16()? });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use millrace_record::batch::BatchView;

    use super::super::batches::{Shape, build};
    use super::*;

    #[test]
    fn a_frame_holds_every_partitions_batch_where_it_says() {
        let shape = Shape { value_bytes: 100, batch_bytes: 1000, ..Shape::default() };
        let batches = build(&shape, Some(ProducerId { id: 1, epoch: 0 })).unwrap();
        let frame = Frame::new("topic", 1, 3, &batches[0], true);
        assert_eq!(frame.bytes[..4], (frame.bytes.len() as u32 - 4).to_be_bytes());
        assert_eq!(frame.bytes[ACKS_AT..ACKS_AT + 6], [0, 1, 0, 0, 0x75, 0x30]);
        assert_eq!(frame.batches.len(), 3);
        for (partition, range) in frame.batches.iter().enumerate() {
            assert_eq!(frame.bytes[range.start - 8..range.start - 4], (partition as i32).to_be_bytes());
            let batch = BatchView::parse(&frame.bytes[range.clone()]).unwrap();
            assert_eq!(batch.count, batches[0].records);
        }
    }
}

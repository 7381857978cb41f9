//! One producer at a fixed rate, whatever it waits for: requests leave when they are due, acked or not. It reports how
//! long each ack took.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use millrace_record::batch::HEADER_LEN;

use super::batches::{Batch, Shape, build};
use super::requests::{Request, expect_no_error, produced};
use super::tcp;

/// A record's own fields, at most, where it has no key and no headers.
const RECORD_OVERHEAD: usize = 16;
/// A timer that wakes later than this is counted as waiting; below, it is the machine's.
const TIMER_ERROR: Duration = Duration::from_millis(1);
/// No ack for so long is an error.
const PATIENCE: Duration = Duration::from_secs(60);

/// One batch of noise of this shape, of no producer.
pub fn one_batch(shape: &Shape) -> Result<Batch, String> {
    build(shape, None)?.pop().ok_or_else(|| "batch: there is none of this shape".to_string())
}

/// A batch of one record with a value of so many bytes.
pub fn one_record(value_bytes: usize) -> Shape {
    Shape { value_bytes, batch_bytes: HEADER_LEN + value_bytes + RECORD_OVERHEAD, ..Shape::default() }
}

/// Produce v7 with acks=all: this batch for partition 0 of the topic.
pub fn produce_frame(topic: &str, batch: &[u8]) -> Vec<u8> {
    let request = Request::new(0, 7, 0).i16(-1).i16(-1).i32(30_000).i32(1).string(topic);
    let mut frame = request.i32(1).i32(0).i32(batch.len() as i32).frame(batch.len());
    frame.extend(batch);
    frame
}

/// The base offset in a reply to `produce_frame`. Error: the broker's code.
pub fn acked_at(reply: &[u8], topic: &str) -> io::Result<i64> {
    let (code, offset) = produced(reply, topic)?;
    expect_no_error("Produce", code)?;
    Ok(offset)
}

pub struct Paced {
    topic: String,
    stream: TcpStream,
    frame: Vec<u8>,
    records: i64,
    batch_bytes: u64,
    next_offset: Option<i64>,
    acks: u64,
}

impl Paced {
    /// Acks of partition 0 of `topic`, where nobody else writes.
    pub fn open(address: &str, topic: &str, shape: &Shape) -> io::Result<Self> {
        let batch = one_batch(shape).map_err(io::Error::other)?;
        let stream = tcp::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let frame = produce_frame(topic, &batch.bytes);
        Ok(Self {
            topic: topic.to_string(),
            stream,
            frame,
            records: batch.records.into(),
            batch_bytes: batch.bytes.len() as u64,
            next_offset: None,
            acks: 0,
        })
    }

    /// Sends `rate` requests a second until `is_over`, and waits for what is under way. Waiting times in µs.
    pub fn run(&mut self, rate: f64, is_over: impl Fn() -> bool + Send) -> io::Result<Histogram<u64>> {
        let (sent, due) = mpsc::channel();
        let mut out = self.stream.try_clone()?;
        let frame = self.frame.clone();
        thread::scope(|scope| {
            let sender = scope.spawn(move || -> io::Result<()> {
                let started = Instant::now();
                for number in 0u64.. {
                    if is_over() {
                        break;
                    }
                    let at = started + Duration::from_secs_f64(number as f64 / rate);
                    thread::sleep(at.saturating_duration_since(Instant::now()));
                    let now = Instant::now();
                    // The receiver ends first only when it failed.
                    if sent.send(if now - at > TIMER_ERROR { at } else { now }).is_err() {
                        break;
                    }
                    out.write_all(&frame)?;
                }
                Ok(())
            });
            let waits = self.acks(due);
            if waits.is_err() {
                // Whoever sends must not wait for a broker that nobody listens to.
                let _ = self.stream.shutdown(std::net::Shutdown::Both);
            }
            let sent = sender.join().map_err(|_| io::Error::other("the sending thread panicked"))?;
            let waits = waits?;
            sent.map(|()| waits)
        })
    }

    fn acks(&mut self, due: mpsc::Receiver<Instant>) -> io::Result<Histogram<u64>> {
        let mut waits = Histogram::new(3).map_err(io::Error::other)?;
        for at in due {
            let mut size = [0; 4];
            self.stream.read_exact(&mut size)?;
            let mut reply = vec![0; u32::from_be_bytes(size) as usize];
            self.stream.read_exact(&mut reply)?;
            let offset = acked_at(&reply, &self.topic)?;
            if self.next_offset.is_some_and(|expected| expected != offset) {
                return Err(io::Error::other(format!(
                    "acked at offset {offset}, expected {:?}",
                    self.next_offset
                )));
            }
            self.next_offset = Some(offset + self.records);
            self.acks += 1;
            waits.record(at.elapsed().as_micros() as u64).map_err(io::Error::other)?;
        }
        Ok(waits)
    }

    /// Bytes of batches acked so far.
    pub fn acked_bytes(&self) -> u64 {
        self.acks * self.batch_bytes
    }
}

/// Whether so much time has passed since now.
pub fn over_after(seconds: f64) -> impl Fn() -> bool + Send {
    let started = Instant::now();
    move || started.elapsed().as_secs_f64() >= seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_one_record_has_one() {
        for bytes in [1, 100, 1024, 100_000] {
            assert_eq!(one_batch(&one_record(bytes)).unwrap().records, 1);
        }
    }
}

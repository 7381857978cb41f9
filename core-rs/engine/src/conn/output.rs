//! What a connection still has to send: parts of replies in request order. It never writes to a socket itself.

use std::collections::VecDeque;
use std::io::IoSlice;

use super::Timing;
use super::queue;
use crate::api::Part;
use crate::storage::FileRange;

#[derive(Debug)]
struct Queued {
    part: Part,
    /// Of the reply that ends with this part.
    ends: Option<Timing>,
}

/// Queued parts; the front one may be sent in part.
#[derive(Debug, Default)]
pub struct Output {
    /// Popped from by `queue`: no memory while it is empty, and room for one reply when there is one.
    parts: VecDeque<Queued>,
    /// Bytes of the front part that have left.
    sent: u64,
    /// Replies that have not left completely.
    replies: usize,
    /// When the first byte of the front reply left.
    begun: Option<u64>,
    memory: usize,
    pending: u64,
}

/// What is to be sent next.
#[derive(Debug)]
pub enum Front<'a> {
    /// Bytes in memory.
    Bytes(&'a [u8]),
    /// The rest of a stretch of a file: what has left already is cut off.
    File(FileRange),
}

impl Output {
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Bytes that are still to be sent, files included.
    pub fn pending_bytes(&self) -> u64 {
        self.pending
    }

    /// Bytes that the queue itself holds in memory.
    pub fn memory_bytes(&self) -> usize {
        self.memory
    }

    /// Replies that have not left completely.
    pub fn replies(&self) -> usize {
        self.replies
    }

    /// Queues one reply. Empty parts are dropped; a reply without bytes is none.
    pub fn push_reply(&mut self, parts: Vec<Part>, timing: Timing) {
        let before = self.parts.len();
        if before == 0 {
            self.parts.reserve_exact(parts.len());
        }
        for part in parts {
            let length = part_len(&part);
            if length == 0 {
                continue;
            }
            self.pending += length;
            if let Part::Bytes(bytes) = &part {
                self.memory += bytes.capacity();
            }
            self.parts.push_back(Queued { part, ends: None });
        }
        if self.parts.len() > before
            && let Some(queued) = self.parts.back_mut()
        {
            queued.ends = Some(timing);
            self.replies += 1;
        }
    }

    /// The next part, without what has left of it.
    pub fn front(&self) -> Option<Front<'_>> {
        Some(match &self.parts.front()?.part {
            Part::Bytes(bytes) => Front::Bytes(bytes.get(self.sent as usize..).unwrap_or_default()),
            Part::File(range) => Front::File(FileRange {
                file: range.file.clone(),
                offset: range.offset + self.sent,
                len: range.len.saturating_sub(self.sent),
                folder: range.folder.clone(),
            }),
        })
    }

    /// All that is left to send, if it is one part in memory.
    pub fn only_bytes(&self) -> Option<&[u8]> {
        self.lone_bytes().filter(|_| self.parts.len() == 1)
    }

    /// The front part, if it is in memory and the one behind it is not.
    pub fn lone_bytes(&self) -> Option<&[u8]> {
        let mut parts = self.parts.iter().map(|queued| &queued.part);
        match (parts.next(), parts.next()) {
            (Some(Part::Bytes(bytes)), None | Some(Part::File(_))) => bytes.get(self.sent as usize..),
            _ => None,
        }
    }

    /// The run of in-memory parts at the front, at most `max` of them, for one gathering write; and whether more
    /// follows behind them (`MSG_MORE`). Empty when a file is next.
    pub fn front_slices(&self, max: usize) -> (Vec<IoSlice<'_>>, bool) {
        let mut slices = Vec::with_capacity(self.parts.len().min(max));
        for queued in self.parts.iter().take(max) {
            let Part::Bytes(bytes) = &queued.part else { break };
            let skip = if slices.is_empty() { self.sent as usize } else { 0 };
            slices.push(IoSlice::new(bytes.get(skip..).unwrap_or_default()));
        }
        let more = slices.len() < self.parts.len();
        (slices, more)
    }

    /// Whether anything follows the front part.
    pub fn has_more_behind_front(&self) -> bool {
        self.parts.len() > 1
    }

    /// `count` bytes have left at `at` on the stopwatch, over as many parts as they span. Each reply whose last byte is
    /// among them is given to `left`, with the time at which its first byte was.
    pub fn consume(&mut self, count: u64, at: u64, mut left: impl FnMut(&Timing, u64)) {
        self.pending = self.pending.saturating_sub(count);
        self.sent += count;
        while let Some(front) = self.parts.front() {
            let length = part_len(&front.part);
            if self.sent == 0 {
                return;
            }
            let begun = *self.begun.get_or_insert(at);
            if self.sent < length {
                return;
            }
            self.sent -= length;
            if let Some(timing) = &front.ends {
                self.begun = None;
                self.replies -= 1;
                left(timing, begun);
            }
            if let Part::Bytes(bytes) = &front.part {
                self.memory -= bytes.capacity();
            }
            queue::pop(&mut self.parts);
        }
        self.sent = 0;
    }
}

fn part_len(part: &Part) -> u64 {
    match part {
        Part::Bytes(bytes) => bytes.len() as u64,
        Part::File(range) => range.len,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(text: &str) -> Part {
        Part::Bytes(text.as_bytes().to_vec())
    }

    fn front_text(output: &Output) -> String {
        match output.front() {
            Some(Front::Bytes(bytes)) => String::from_utf8(bytes.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bytes_leave_across_parts_and_replies_are_counted_until_their_last_byte() {
        let mut output = Output::default();
        output.push_reply(vec![bytes("abc"), bytes(""), bytes("de")], Timing::default());
        output.push_reply(vec![bytes("f")], Timing::default());
        assert_eq!((output.replies(), output.pending_bytes(), output.memory_bytes()), (2, 6, 6));
        output.consume(1, 0, |_, _| ());
        assert_eq!(front_text(&output), "bc");
        output.consume(3, 0, |_, _| ());
        assert_eq!((front_text(&output).as_str(), output.replies()), ("e", 2));
        output.consume(1, 0, |_, _| ());
        assert_eq!((front_text(&output).as_str(), output.replies()), ("f", 1));
        output.consume(1, 0, |_, _| ());
        assert!(output.is_empty());
        assert_eq!((output.replies(), output.pending_bytes(), output.memory_bytes()), (0, 0, 0));
    }

    #[test]
    fn a_gathering_write_takes_the_run_of_bytes_at_the_front() {
        let mut output = Output::default();
        output.push_reply(vec![bytes("abc"), bytes("de")], Timing::default());
        output.push_reply(vec![bytes("f")], Timing::default());
        output.consume(2, 0, |_, _| ());
        let (slices, more) = output.front_slices(2);
        assert_eq!(
            slices.iter().map(|slice| slice.to_vec()).collect::<Vec<_>>(),
            [b"c".to_vec(), b"de".to_vec()]
        );
        assert!(more);
        assert!(!output.front_slices(3).1);
    }

    #[test]
    fn bytes_are_alone_until_other_bytes_follow_them() {
        let file = Part::File(FileRange { len: 5, ..FileRange::empty() });
        let mut output = Output::default();
        output.push_reply(vec![bytes("abc"), file], Timing::default());
        output.consume(1, 0, |_, _| ());
        assert_eq!((output.lone_bytes(), output.only_bytes()), (Some(&b"bc"[..]), None));
        output.consume(2, 0, |_, _| ());
        assert_eq!(output.lone_bytes(), None, "a file");
        output.consume(5, 0, |_, _| ());
        output.push_reply(vec![bytes("d")], Timing::default());
        assert_eq!((output.lone_bytes(), output.only_bytes()), (Some(&b"d"[..]), Some(&b"d"[..])));
        output.push_reply(vec![bytes("e")], Timing::default());
        assert_eq!((output.lone_bytes(), output.only_bytes()), (None, None));
    }

    #[test]
    fn a_reply_without_bytes_is_no_reply() {
        let mut output = Output::default();
        output.push_reply(vec![bytes("")], Timing::default());
        assert!(output.is_empty());
        assert_eq!(output.replies(), 0);
    }
}

//! The bytes of one connection until they are whole frames. Whole frames are handled where they were received; only
//! what is left over is kept, and memory grows with the bytes received, never with a length that was declared.

use std::mem;

/// What a thread's read buffer may hold. Its length says how much of it was ever touched, and only that is memory.
pub const BUFFER_BYTES: usize = 2 << 20;
/// The most that one read may bring, so that a thread's shared buffer stays in the cache.
pub const READ_BYTES: usize = 256 << 10;
/// What is left over up to this size is copied aside and goes before the next read.
pub const STASH_BYTES: usize = 8 << 10;
/// Up to this size it is copied into a buffer of its own size, where reads go on; more takes over the buffer that it
/// stands in.
pub const COPY_BYTES: usize = 64 << 10;

/// The length of the size prefix.
const PREFIX: usize = 4;

/// A size prefix that this broker refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes")]
    NotPositive(i32),
    #[error("a frame of {length} bytes, {key} is {limit}")]
    TooLarge { length: i32, limit: i32, key: &'static str },
}

/// The largest frame that is accepted, and the config key that says so.
#[derive(Clone, Copy, Debug)]
pub struct FrameLimit {
    pub bytes: i32,
    pub key: &'static str,
}

#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    Stash(Vec<u8>),
    /// Boxed, as it is the largest and the rarest.
    Buffer(Box<Span>),
}

/// Bytes `start..end` of a buffer.
#[derive(Debug)]
struct Span {
    buffer: Vec<u8>,
    start: usize,
    end: usize,
}

/// What a connection has received and not yet handled.
#[derive(Debug, Default)]
pub struct Input {
    held: Held,
}

/// The received bytes while they are being handled; frames are taken off the front.
#[derive(Debug)]
pub struct Work {
    span: Span,
}

/// A thread's read buffer, none of it touched.
pub fn new_buffer() -> Vec<u8> {
    Vec::with_capacity(BUFFER_BYTES)
}

/// A buffer that a thread can use again; one that was made or grew for one frame is not kept.
fn reusable(buffer: Vec<u8>) -> Option<Vec<u8>> {
    (buffer.capacity() == BUFFER_BYTES).then_some(buffer)
}

/// The front of the received bytes.
#[derive(Debug)]
pub enum Next<'a> {
    /// A whole frame, without its size prefix.
    Frame(&'a mut [u8]),
    /// The next frame is not complete.
    Partial,
}

impl Input {
    /// Bytes that are held, be they part of a frame or frames that may not start yet.
    pub fn held_bytes(&self) -> usize {
        match &self.held {
            Held::Nothing => 0,
            Held::Stash(stash) => stash.len(),
            Held::Buffer(span) => span.end - span.start,
        }
    }

    /// The memory that the connection holds for them, with what earlier owners of a buffer have touched.
    pub fn held_memory(&self) -> usize {
        match &self.held {
            Held::Nothing => 0,
            Held::Stash(stash) => stash.capacity(),
            Held::Buffer(span) => span.buffer.len(),
        }
    }

    /// Makes room for the next read; [`held_memory`](Self::held_memory) may be more afterwards.
    pub fn make_room(&mut self, shared: &mut Vec<u8>) {
        let kept = match &mut self.held {
            Held::Buffer(span) => return span.make_room(),
            Held::Stash(stash) => stash.len(),
            Held::Nothing => 0,
        };
        if shared.len() < kept + READ_BYTES {
            shared.resize(kept + READ_BYTES, 0);
        }
    }

    /// Where the next read may put its bytes, once there is room. `shared` is the thread's buffer; what a connection
    /// keeps aside is copied to its front, so that frames are contiguous.
    pub fn read_target<'a>(&'a mut self, shared: &'a mut [u8]) -> &'a mut [u8] {
        let kept: &[u8] = match &mut self.held {
            Held::Buffer(span) => return span.read_target(),
            Held::Stash(stash) => stash,
            Held::Nothing => &[],
        };
        let Some((front, rest)) = shared.split_at_mut_checked(kept.len()) else { return &mut [] };
        front.copy_from_slice(kept);
        let limit = rest.len().min(READ_BYTES);
        rest.get_mut(..limit).unwrap_or_default()
    }

    /// Takes the bytes up for handling after a read put `count` of them into [`read_target`](Self::read_target).
    /// `shared` is taken when the bytes stand in it.
    pub fn received(&mut self, count: usize, shared: &mut Vec<u8>) -> Work {
        match mem::take(&mut self.held) {
            Held::Buffer(mut span) => {
                span.end = (span.end + count).min(span.buffer.len());
                Work { span: *span }
            }
            kept => {
                let kept = if let Held::Stash(stash) = kept { stash.len() } else { 0 };
                let buffer = mem::take(shared);
                let end = (kept + count).min(buffer.len());
                Work { span: Span { buffer, start: 0, end } }
            }
        }
    }

    /// Takes up again what was held back.
    pub fn resume(&mut self) -> Option<Work> {
        match mem::take(&mut self.held) {
            Held::Nothing => None,
            Held::Stash(stash) => {
                let end = stash.len();
                Some(Work { span: Span { buffer: stash, start: 0, end } })
            }
            Held::Buffer(span) => Some(Work { span: *span }),
        }
    }

    /// Keeps what is left of `work`; gives back the buffer that is free now, if it is one of the thread's.
    pub fn keep(&mut self, work: Work) -> Option<Vec<u8>> {
        let span = work.span;
        let left = span.end - span.start;
        let stays = match span.buffer.capacity() {
            BUFFER_BYTES => left > COPY_BYTES,
            // A buffer of its own, unless it is much too large by now.
            _ => left > STASH_BYTES && span.buffer.len() <= 4 * left,
        };
        if stays {
            self.held = Held::Buffer(Box::new(span));
            return None;
        }
        let rest = span.buffer.get(span.start..span.end).unwrap_or_default();
        self.held = match rest.len() {
            0 => Held::Nothing,
            1..=STASH_BYTES => Held::Stash(rest.to_vec()),
            _ => Held::Buffer(Box::new(Span { buffer: rest.to_vec(), start: 0, end: left })),
        };
        reusable(span.buffer)
    }

    /// Lets go of everything that was received.
    pub fn clear(&mut self) -> Option<Vec<u8>> {
        match mem::take(&mut self.held) {
            Held::Buffer(span) => reusable(span.buffer),
            _ => None,
        }
    }
}

impl Work {
    /// The frame at the front, if all of it is there. It stays at the front until [`advance`](Self::advance).
    pub fn next(&mut self, max: FrameLimit) -> Result<Next<'_>, FrameError> {
        let Some(length) = self.span.declared() else { return Ok(Next::Partial) };
        let frame_length = match usize::try_from(length) {
            Ok(0) | Err(_) => return Err(FrameError::NotPositive(length)),
            Ok(_) if length > max.bytes => {
                return Err(FrameError::TooLarge { length, limit: max.bytes, key: max.key });
            }
            Ok(frame_length) => frame_length,
        };
        let from = self.span.start + PREFIX;
        let bytes = self.span.buffer.get_mut(from..self.span.end).unwrap_or_default();
        Ok(match bytes.get_mut(..frame_length) {
            Some(frame) => Next::Frame(frame),
            None => Next::Partial,
        })
    }

    /// The whole frames at the front of which `joins` holds, at most `most` of them and what one read may bring. They
    /// stay where they are, as with [`next`](Self::next).
    pub fn run(&mut self, max: FrameLimit, most: usize, joins: impl Fn(&[u8]) -> bool) -> Vec<&mut [u8]> {
        let end = self.span.end.min(self.span.start + READ_BYTES);
        let mut rest = self.span.buffer.get_mut(self.span.start..end).unwrap_or_default();
        let mut frames = Vec::new();
        while frames.len() < most
            && let Some((prefix, after)) = rest.split_first_chunk_mut::<PREFIX>()
            && let Ok(length) = usize::try_from(i32::from_be_bytes(*prefix))
            && length > 0
            && length <= max.bytes as usize
            && let Some((frame, behind)) = after.split_at_mut_checked(length)
            && joins(frame)
        {
            frames.push(frame);
            rest = behind;
        }
        frames
    }

    /// Takes the frame at the front off; `length` is without the prefix.
    pub fn advance(&mut self, length: usize) {
        self.span.start = (self.span.start + PREFIX + length).min(self.span.end);
    }

    pub fn remaining(&self) -> usize {
        self.span.end - self.span.start
    }
}

impl Span {
    /// The size prefix at the front.
    fn declared(&self) -> Option<i32> {
        let bytes = self.buffer.get(self.start..self.end)?;
        bytes.first_chunk::<PREFIX>().map(|prefix| i32::from_be_bytes(*prefix))
    }

    /// The length of the frame at the front with its prefix.
    fn whole(&self) -> usize {
        let length = self.declared().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        PREFIX.saturating_add(length)
    }

    /// Room for the rest of the frame at the front: a thread's buffer is touched read by read, another doubles once it
    /// is full.
    fn make_room(&mut self) {
        let whole = self.whole();
        if self.start.saturating_add(whole) > self.buffer.capacity() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end < self.buffer.len() || self.end >= self.start + whole {
            return;
        }
        let size = if self.end < self.buffer.capacity() {
            (self.start + whole).min(self.buffer.capacity()).min(self.end + READ_BYTES)
        } else {
            whole.min(self.buffer.len().saturating_mul(2))
        };
        self.buffer.reserve_exact(size.saturating_sub(self.buffer.len()));
        self.buffer.resize(size, 0);
    }

    /// Never beyond the frame at the front: what follows it is read into the shared buffer and not moved.
    fn read_target(&mut self) -> &mut [u8] {
        let limit = (self.start + self.whole()).min(self.buffer.len()).min(self.end + READ_BYTES);
        self.buffer.get_mut(self.end..limit).unwrap_or_default()
    }
}

//! The bytes of one connection until they are whole frames. Whole frames are handled where they were received; only
//! what is left over is kept, and memory grows with the bytes received, never with a length that was declared.

use std::mem;

/// The size of a read buffer. Its pages are touched only as bytes arrive.
pub const BUFFER_BYTES: usize = 2 << 20;
/// The most that one read may bring, so that a thread's shared buffer stays in the cache.
pub const READ_BYTES: usize = 256 << 10;
/// What is left over up to this size is copied aside; more takes over the buffer that it stands in.
pub const STASH_BYTES: usize = 8 << 10;

/// The length of the size prefix.
const PREFIX: usize = 4;

/// A size prefix that this broker refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    #[error("a frame of {0} bytes")]
    NotPositive(i32),
    #[error("a frame of {length} bytes, socket.request.max.bytes is {limit}")]
    TooLarge { length: i32, limit: i32 },
}

#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    Stash(Vec<u8>),
    Buffer(Span),
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
    from: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Shared,
    Stash,
    Own,
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

    /// The memory of its own that the connection holds, touched or not.
    pub fn held_capacity(&self) -> usize {
        match &self.held {
            Held::Nothing => 0,
            Held::Stash(stash) => stash.capacity(),
            Held::Buffer(span) => span.buffer.capacity(),
        }
    }

    /// Where the next read may put its bytes. `shared` is the thread's buffer; what a connection keeps aside is
    /// copied to its front, so that frames are contiguous.
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
                Work { span, from: Source::Own }
            }
            kept => {
                let kept = if let Held::Stash(stash) = kept { stash.len() } else { 0 };
                let buffer = mem::take(shared);
                let end = (kept + count).min(buffer.len());
                Work { span: Span { buffer, start: 0, end }, from: Source::Shared }
            }
        }
    }

    /// Takes up again what was held back.
    pub fn resume(&mut self) -> Option<Work> {
        match mem::take(&mut self.held) {
            Held::Nothing => None,
            Held::Stash(stash) => {
                let end = stash.len();
                Some(Work { span: Span { buffer: stash, start: 0, end }, from: Source::Stash })
            }
            Held::Buffer(span) => Some(Work { span, from: Source::Own }),
        }
    }

    /// Keeps what is left of `work`; gives back the buffer that is free now, if it is one of the thread's.
    pub fn keep(&mut self, work: Work) -> Option<Vec<u8>> {
        let Work { mut span, from } = work;
        let left = span.end - span.start;
        if left > STASH_BYTES {
            self.held = Held::Buffer(span);
            return None;
        }
        if from == Source::Stash {
            if left > 0 {
                span.buffer.truncate(span.end);
                span.buffer.drain(..span.start);
                self.held = Held::Stash(span.buffer);
            }
            return None;
        }
        if let Some(rest) = span.buffer.get(span.start..span.end)
            && !rest.is_empty()
        {
            self.held = Held::Stash(rest.to_vec());
        }
        // A buffer that grew for one large frame is not kept.
        (span.buffer.len() == BUFFER_BYTES).then_some(span.buffer)
    }

    /// Lets go of everything that was received.
    pub fn clear(&mut self) -> Option<Vec<u8>> {
        match mem::take(&mut self.held) {
            Held::Buffer(span) if span.buffer.len() == BUFFER_BYTES => Some(span.buffer),
            _ => None,
        }
    }
}

impl Work {
    /// The frame at the front, if all of it is there. It stays at the front until [`advance`](Self::advance).
    pub fn next(&mut self, max_frame: i32) -> Result<Next<'_>, FrameError> {
        let Some(length) = self.span.declared() else { return Ok(Next::Partial) };
        let frame_length = match usize::try_from(length) {
            Ok(0) | Err(_) => return Err(FrameError::NotPositive(length)),
            Ok(_) if length > max_frame => return Err(FrameError::TooLarge { length, limit: max_frame }),
            Ok(frame_length) => frame_length,
        };
        let from = self.span.start + PREFIX;
        let bytes = self.span.buffer.get_mut(from..self.span.end).unwrap_or_default();
        Ok(match bytes.get_mut(..frame_length) {
            Some(frame) => Next::Frame(frame),
            None => Next::Partial,
        })
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

    /// Room for the rest of the frame at the front, as far as there is room; the buffer doubles once it is full.
    /// Never beyond the frame: what follows it is read into the shared buffer and not moved.
    fn read_target(&mut self) -> &mut [u8] {
        let length = self.declared().and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let whole = PREFIX.saturating_add(length);
        if self.start.saturating_add(whole) > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            if self.end == self.buffer.len() {
                let size = whole.min(self.buffer.len().saturating_mul(2));
                self.buffer.resize(size, 0);
            }
        }
        let limit = (self.start + whole).min(self.buffer.len()).min(self.end + READ_BYTES);
        self.buffer.get_mut(self.end..limit).unwrap_or_default()
    }
}

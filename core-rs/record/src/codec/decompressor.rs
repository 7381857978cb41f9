//! One streaming, output-capped reader over the codecs: what the record walk and the record reader pull from. It holds
//! one window of output, whatever the stream unpacks to, and gives it out where the codec wrote it.

use super::scratch::Scratch;
use super::{Codec, broken, gzip, lz4, snappy, zstandard};
use crate::error::BatchError;
use std::io::Read;

/// Output of a codec that does not say itself how much comes next.
pub(super) const WINDOW_LEN: usize = 64 << 10;

pub(super) enum Source<'a> {
    None(&'a [u8]),
    Gzip(Box<gzip::Reader<'a>>),
    Snappy(snappy::Reader<'a>),
    Lz4(lz4::Reader<'a>),
    Zstd(zstandard::Reader<'a>),
}

/// Unpacks its input window by window and refuses to give more than a cap.
pub struct Decompressor<'a> {
    source: Source<'a>,
    codec: Codec,
    cap: u64,
    produced: u64,
    pub(super) scratch: Scratch,
    start: usize,
    end: usize,
}

impl<'a> Decompressor<'a> {
    /// A reader over the compressed `input` that gives at most `cap` bytes. The cap does not apply to `None`,
    /// whose output is the input. Error: `Decompress` if the codec cannot start.
    pub fn new(codec: Codec, input: &'a [u8], cap: u64) -> Result<Self, BatchError> {
        let (source, cap) = match codec {
            Codec::None => (Source::None(input), u64::MAX),
            Codec::Gzip => (Source::Gzip(Box::new(gzip::reader(input))), cap),
            Codec::Snappy => (Source::Snappy(snappy::Reader::new(input)), cap),
            Codec::Lz4 => (Source::Lz4(lz4::Reader::new(input)), cap),
            Codec::Zstd => (Source::Zstd(zstandard::Reader::new(input)?), cap),
        };
        Ok(Self { source, codec, cap, produced: 0, scratch: Scratch::take(), start: 0, end: 0 })
    }

    /// The decompressed bytes at hand; unpacks more if there are none, and is empty only at the end.
    ///
    /// Errors: `Decompress`, and `DecompressedTooLarge` once the output would pass the cap.
    #[inline]
    pub fn window(&mut self) -> Result<&[u8], BatchError> {
        if self.start == self.end {
            self.fill()?;
        }
        Ok(self.scratch.bytes().get(self.start..self.end).unwrap_or_default())
    }

    /// Takes `count` bytes off the window; no more than it holds.
    #[inline]
    pub fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
    }

    /// Bytes unpacked so far, those still in the window included.
    pub fn produced(&self) -> u64 {
        self.produced
    }

    fn fill(&mut self) -> Result<(), BatchError> {
        (self.start, self.end) = (0, 0);
        let (codec, left) = (self.codec, self.cap - self.produced);
        let scratch = &mut self.scratch;
        let count = match &mut self.source {
            Source::None(input) => input.read(scratch.room(WINDOW_LEN)).map_err(|e| broken(codec, e))?,
            Source::Gzip(reader) => {
                reader.read(scratch.room(window_len(left))).map_err(|e| broken(codec, e))?
            }
            Source::Lz4(reader) => reader.next_block(scratch)?,
            Source::Zstd(reader) => reader.read(scratch, window_len(left))?,
            Source::Snappy(reader) => match reader.next_block(scratch, left)? {
                Some(count) => count,
                None => return Err(BatchError::DecompressedTooLarge { cap: self.cap }),
            },
        };
        if count as u64 > left {
            return Err(BatchError::DecompressedTooLarge { cap: self.cap });
        }
        self.produced += count as u64;
        self.end = count;
        Ok(())
    }

    /// The next byte, or `None` at the end.
    #[inline]
    pub(crate) fn byte(&mut self) -> Result<Option<u8>, BatchError> {
        let byte = self.window()?.first().copied();
        self.consume(1);
        Ok(byte)
    }

    /// Drops up to `count` bytes and says how many there were; fewer only at the end.
    pub(crate) fn skip(&mut self, count: usize) -> Result<usize, BatchError> {
        self.drain(count, |_| {})
    }

    /// Appends up to `count` bytes to `out`, which grows only by what is really there; says how many there were.
    pub(crate) fn copy(&mut self, count: usize, out: &mut Vec<u8>) -> Result<usize, BatchError> {
        self.drain(count, |chunk| out.extend_from_slice(chunk))
    }

    fn drain(&mut self, count: usize, mut each: impl FnMut(&[u8])) -> Result<usize, BatchError> {
        let mut done = 0;
        while done < count {
            let window = self.window()?;
            let chunk = window.get(..window.len().min(count - done)).unwrap_or_default();
            if chunk.is_empty() {
                break;
            }
            each(chunk);
            let len = chunk.len();
            self.consume(len);
            done += len;
        }
        Ok(done)
    }
}

/// One byte past what is left may be asked for: only that tells a full stream from an excess.
fn window_len(left: u64) -> usize {
    usize::try_from(left.saturating_add(1)).unwrap_or(usize::MAX).min(WINDOW_LEN)
}

//! A bounded window over a batch's decompressed records: what the record walk and the record reader pull from.
//! It holds one chunk of output, whatever the batch unpacks to.

use crate::codec::{Codec, Decompressor};
use crate::error::BatchError;

const WINDOW_LEN: usize = 16 * 1024;

/// Decompressed bytes, pulled chunk by chunk.
pub(crate) struct Stream<'a> {
    input: Decompressor<'a>,
    window: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<'a> Stream<'a> {
    pub(crate) fn new(codec: Codec, input: &'a [u8], cap: u64) -> Result<Self, BatchError> {
        let input = Decompressor::new(codec, input, cap)?;
        Ok(Self { input, window: vec![0; WINDOW_LEN].into_boxed_slice(), start: 0, end: 0 })
    }

    /// Bytes decompressed so far, those still in the window included.
    pub(crate) fn produced(&self) -> u64 {
        self.input.produced()
    }

    /// The bytes at hand; pulls more if there are none, and is empty only at the end.
    #[inline]
    pub(crate) fn window(&mut self) -> Result<&[u8], BatchError> {
        if self.start == self.end {
            self.start = 0;
            self.end = self.input.read(&mut self.window)?;
        }
        Ok(self.window.get(self.start..self.end).unwrap_or_default())
    }

    /// Takes `count` bytes off the window; no more than it holds.
    #[inline]
    pub(crate) fn consume(&mut self, count: usize) {
        self.start = self.start.saturating_add(count).min(self.end);
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

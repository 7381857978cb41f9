//! zstd frames, several in a row included. Frames of at most 1 MiB are unpacked at once, larger ones stream. The window
//! is bounded by the library's default, 128 MiB, which is also Java's; its pages are touched only as far as output is
//! really produced, hence not past the cap.

use super::scratch::{KEPT_LEN_MAX, Scratch};
use super::{Codec, broken};
use crate::error::BatchError;
use std::cell::Cell;
use std::io;
use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective};
use zstd::zstd_safe::{decompress_bound, find_frame_compressed_size, get_error_name};

/// The bit of a frame's descriptor that says that its window is its content.
const SINGLE_SEGMENT: u8 = 0x20;
/// A window descriptor: exponent above 10 in the upper five bits.
const WINDOW_128_MIB: u8 = (27 - 10) << 3;

/// The largest context worth keeping: one for the 2 MiB window of the default level.
const SPARE_LEN_MAX: usize = 4 << 20;

thread_local! {
    /// A context for the next reader of this thread: to make one takes longer than to unpack a small batch.
    static SPARE: Cell<Option<DCtx<'static>>> = const { Cell::new(None) };
}

pub(super) struct Reader<'a> {
    /// Taken out only by drop.
    context: Option<DCtx<'static>>,
    input: &'a [u8],
    in_frame: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Result<Self, BatchError> {
        let context = SPARE.take().or_else(DCtx::try_create);
        match context {
            Some(_) => Ok(Self { context, input, in_frame: false }),
            None => Err(broken(Codec::Zstd, "out of memory")),
        }
    }

    /// Unpacks into the front of `scratch`: a small frame whole, of a large one the next `window_len` bytes at most. Says
    /// how many there were; 0 only at the end.
    pub(super) fn read(&mut self, scratch: &mut Scratch, window_len: usize) -> Result<usize, BatchError> {
        let Some(context) = &mut self.context else { return Ok(0) };
        while self.in_frame || !self.input.is_empty() {
            let small = if self.in_frame { None } else { small_frame(self.input) };
            let produced = match small {
                Some((frame, rest, bound)) => {
                    self.input = rest;
                    let room = scratch.room(bound);
                    context.decompress(room, frame).map_err(|e| broken(Codec::Zstd, get_error_name(e)))?
                }
                None => {
                    let mut from = InBuffer::around(self.input);
                    let mut to = OutBuffer::around(scratch.room(window_len));
                    let step = context.decompress_stream(&mut to, &mut from);
                    let (consumed, produced) = (from.pos(), to.pos());
                    let wanted = step.map_err(|code| broken(Codec::Zstd, get_error_name(code)))?;
                    self.input = self.input.get(consumed..).unwrap_or_default();
                    self.in_frame = wanted != 0;
                    if consumed == 0 && produced == 0 && self.in_frame {
                        return Err(broken(Codec::Zstd, "frame cut short"));
                    }
                    produced
                }
            };
            if produced > 0 {
                return Ok(produced);
            }
        }
        Ok(0)
    }
}

/// The frame at the front of `input` if it can be unpacked at once, what follows, and the most that it can unpack to:
/// its declared length or 128 KiB for each block. Spares the library's own window, and copying out of it.
fn small_frame(input: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let (frame, rest) = input.split_at_checked(find_frame_compressed_size(input).ok()?)?;
    let bound = usize::try_from(decompress_bound(frame).ok()?).ok()?;
    (bound <= KEPT_LEN_MAX && window_fits(frame)).then_some((frame, rest, bound))
}

/// Whether the frame asks for no larger window than the library grants a stream, and with that every consumer.
fn window_fits(frame: &[u8]) -> bool {
    match frame {
        [_, _, _, _, descriptor, window, ..] => descriptor & SINGLE_SEGMENT != 0 || *window <= WINDOW_128_MIB,
        _ => false,
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        let Some(mut context) = self.context.take() else { return };
        if context.sizeof() <= SPARE_LEN_MAX && context.reset(ResetDirective::SessionOnly).is_ok() {
            // A thread on its way out has no place for it any more.
            let _ = SPARE.try_with(|spare| spare.set(Some(context)));
        }
    }
}

pub(super) fn compress(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let mut compressor = zstd::bulk::Compressor::new(level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL))?;
    out.extend_from_slice(&compressor.compress(input)?);
    Ok(())
}

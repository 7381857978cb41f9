//! zstd frames, several in a row included. The window is bounded by the library's default, 128 MiB, which is
//! also Java's; its pages are touched only as far as output is really produced, hence never past the cap.

use super::{Codec, broken};
use crate::error::BatchError;
use std::cell::Cell;
use std::io;
use zstd::zstd_safe::{DCtx, InBuffer, OutBuffer, ResetDirective, get_error_name};

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

    /// Fills the front of `out`; 0 only at the end.
    pub(super) fn read(&mut self, out: &mut [u8]) -> Result<usize, BatchError> {
        let Some(context) = &mut self.context else { return Ok(0) };
        while self.in_frame || !self.input.is_empty() {
            let (mut from, mut to) = (InBuffer::around(self.input), OutBuffer::around(&mut *out));
            let step = context.decompress_stream(&mut to, &mut from);
            let (consumed, produced) = (from.pos(), to.pos());
            let wanted = step.map_err(|code| broken(Codec::Zstd, get_error_name(code)))?;
            self.input = self.input.get(consumed..).unwrap_or_default();
            self.in_frame = wanted != 0;
            if produced > 0 {
                return Ok(produced);
            }
            if consumed == 0 && self.in_frame {
                return Err(broken(Codec::Zstd, "frame cut short"));
            }
        }
        Ok(0)
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

//! zstd frames, several in a row included. The window is bounded by the library's default, 128 MiB, which is
//! also Java's; its pages are touched only as far as output is really produced, hence never past the cap.

use std::io;

pub(super) type Reader<'a> = zstd::stream::read::Decoder<'static, &'a [u8]>;

pub(super) fn reader(input: &[u8]) -> io::Result<Reader<'_>> {
    zstd::stream::read::Decoder::with_buffer(input)
}

pub(super) fn compress(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let mut compressor = zstd::bulk::Compressor::new(level.unwrap_or(zstd::DEFAULT_COMPRESSION_LEVEL))?;
    out.extend_from_slice(&compressor.compress(input)?);
    Ok(())
}

//! gzip (RFC 1952), several members in a row included, as java.util.zip reads it.

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;
use std::io::{self, Write};

pub(super) type Reader<'a> = MultiGzDecoder<&'a [u8]>;

pub(super) fn reader(input: &[u8]) -> Reader<'_> {
    MultiGzDecoder::new(input)
}

pub(super) fn compress(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let level = match level {
        Some(level) => Compression::new(level.clamp(1, 9) as u32),
        None => Compression::default(),
    };
    let mut encoder = GzEncoder::new(out, level);
    encoder.write_all(input)?;
    encoder.finish().map(drop)
}

//! The five compression codecs behind one streaming, output-capped reader and one compressor. Decoders hold a
//! bounded window, never the whole output, and stop at the caller's cap: a bomb costs the cap and no more.

mod gzip;
mod lz4;
mod snappy;
mod xxh32;
mod zstandard;

use crate::error::BatchError;
use std::io::Read;

/// Compression of a batch's records; the discriminant is the id in the batch attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum Codec {
    #[default]
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}

impl Codec {
    pub const ALL: [Codec; 5] = [Codec::None, Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];

    /// The codec of an attributes id, 0 to 4.
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|codec| codec.id() == id)
    }

    pub fn id(self) -> u8 {
        self as u8
    }

    /// The name that `compression.type` uses.
    pub fn name(self) -> &'static str {
        match self {
            Codec::None => "none",
            Codec::Gzip => "gzip",
            Codec::Snappy => "snappy",
            Codec::Lz4 => "lz4",
            Codec::Zstd => "zstd",
        }
    }

    /// The codec of a `compression.type` value; "uncompressed" is the topic config's word for none.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "uncompressed" => Some(Codec::None),
            name => Self::ALL.into_iter().find(|codec| codec.name() == name),
        }
    }
}

impl std::fmt::Display for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

enum Source<'a> {
    None(&'a [u8]),
    Gzip(Box<gzip::Reader<'a>>),
    Snappy(snappy::Reader<'a>),
    Lz4(lz4::Reader<'a>),
    Zstd(zstandard::Reader<'a>),
}

/// Reads the decompressed bytes of `input` and refuses to give more than a cap.
pub struct Decompressor<'a> {
    source: Source<'a>,
    codec: Codec,
    cap: u64,
    produced: u64,
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
        Ok(Self { source, codec, cap, produced: 0 })
    }

    /// Fills the front of `out`; 0 only at the end of the stream or for an empty `out`.
    ///
    /// Errors: `Decompress`, and `DecompressedTooLarge` once the output would pass the cap.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, BatchError> {
        // One byte past the cap may be asked for: only that tells a full stream from an excess.
        let room = (self.cap - self.produced).saturating_add(1);
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(out.len());
        let out = out.get_mut(..room).unwrap_or_default();
        if out.is_empty() {
            return Ok(0);
        }
        let codec = self.codec;
        let left = self.cap - self.produced;
        let count = match &mut self.source {
            Source::None(input) => input.read(out).map_err(|e| broken(codec, e))?,
            Source::Gzip(reader) => reader.read(out).map_err(|e| broken(codec, e))?,
            Source::Lz4(reader) => reader.read(out)?,
            Source::Zstd(reader) => reader.read(out)?,
            Source::Snappy(reader) => match reader.read(out, left)? {
                Some(count) => count,
                None => return Err(BatchError::DecompressedTooLarge { cap: self.cap }),
            },
        };
        if count as u64 > left {
            return Err(BatchError::DecompressedTooLarge { cap: self.cap });
        }
        self.produced += count as u64;
        Ok(count)
    }

    /// Bytes given so far.
    pub fn produced(&self) -> u64 {
        self.produced
    }
}

/// Appends `input`, compressed, to `out`. `level` is the codec's own (gzip 1–9, zstd −131072–22, clamped; the
/// others have none); `None` is Kafka's default. Error: `Decompress` names the codec that failed.
pub fn compress(codec: Codec, level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> Result<(), BatchError> {
    match codec {
        Codec::None => {
            out.extend_from_slice(input);
            Ok(())
        }
        Codec::Gzip => gzip::compress(level, input, out).map_err(|e| broken(codec, e)),
        Codec::Snappy => snappy::compress(input, out),
        Codec::Lz4 => lz4::compress(input, out),
        Codec::Zstd => zstandard::compress(level, input, out).map_err(|e| broken(codec, e)),
    }
}

/// Copies as much of `from` as fits into the front of `to`, and says how much that was.
fn copy_front(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    if let (Some(to), Some(from)) = (to.get_mut(..count), from.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}

fn broken(codec: Codec, reason: impl std::fmt::Display) -> BatchError {
    BatchError::Decompress { codec, reason: reason.to_string() }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

//! The five compression codecs behind one streaming, output-capped reader and one compressor. Decoders hold a
//! bounded window or one block, never the whole output, and stop at the caller's cap: a bomb costs the cap and what
//! the block that passes it holds.

mod decompressor;
mod gzip;
mod lz4;
mod scratch;
mod snappy;
mod xxh32;
mod zstandard;

use crate::error::BatchError;

pub use decompressor::Decompressor;

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

fn broken(codec: Codec, reason: impl std::fmt::Display) -> BatchError {
    BatchError::Decompress { codec, reason: reason.to_string() }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

//! Snappy: one raw block (librdkafka, franz-go) or xerial's framing of many blocks (Java, KafkaJS). Written as
//! Java does: xerial framing with blocks of 32 KiB.

use super::scratch::Scratch;
use super::{Codec, broken};
use crate::error::BatchError;
use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

const XERIAL_MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
/// Magic, version and oldest compatible version (both 1, big-endian).
const XERIAL_HEADER: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
const XERIAL_BLOCK_LEN: usize = 32 * 1024;
/// No snappy element makes more than 64 bytes out of 3.
const MAX_RATIO: u64 = 22;

/// Decodes one block at a time.
pub(super) struct Reader<'a> {
    input: &'a [u8],
    framed: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, framed: input.starts_with(&XERIAL_MAGIC) }
    }

    /// Unpacks the next block that has bytes into the front of `scratch`, and says how many: 0 only at the end, `None`
    /// when it declares more than `left`.
    pub(super) fn next_block(
        &mut self,
        scratch: &mut Scratch,
        left: u64,
    ) -> Result<Option<usize>, BatchError> {
        while let Some(compressed) = self.next_compressed()? {
            let declared = decompress_len(compressed).map_err(|e| broken(Codec::Snappy, e))?;
            if declared as u64 > left {
                return Ok(None);
            }
            if declared as u64 > (compressed.len() as u64).saturating_mul(MAX_RATIO) {
                return Err(broken(Codec::Snappy, "declared length exceeds what the input can hold"));
            }
            let count = Decoder::new()
                .decompress(compressed, scratch.room(declared))
                .map_err(|e| broken(Codec::Snappy, e))?;
            if count > 0 {
                return Ok(Some(count));
            }
        }
        Ok(Some(0))
    }

    fn next_compressed(&mut self) -> Result<Option<&'a [u8]>, BatchError> {
        if !self.framed {
            let block = std::mem::take(&mut self.input);
            return Ok((!block.is_empty()).then_some(block));
        }
        // Streams may be joined, so a header may stand wherever a block may.
        while self.input.starts_with(&XERIAL_MAGIC) {
            let rest = self.input.get(XERIAL_HEADER.len()..);
            self.input = rest.ok_or_else(|| broken(Codec::Snappy, "header cut short"))?;
        }
        if self.input.is_empty() {
            return Ok(None);
        }
        let (length, rest) = self
            .input
            .split_first_chunk::<4>()
            .ok_or_else(|| broken(Codec::Snappy, "block length cut short"))?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (block, rest) =
            rest.split_at_checked(length).ok_or_else(|| broken(Codec::Snappy, "block cut short"))?;
        self.input = rest;
        Ok(Some(block))
    }
}

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), BatchError> {
    out.extend_from_slice(&XERIAL_HEADER);
    let mut encoder = Encoder::new();
    let mut block = vec![0; max_compress_len(XERIAL_BLOCK_LEN)];
    for chunk in input.chunks(XERIAL_BLOCK_LEN) {
        let length = encoder.compress(chunk, &mut block).map_err(|e| broken(Codec::Snappy, e))?;
        out.extend_from_slice(&(length as u32).to_be_bytes());
        out.extend_from_slice(block.get(..length).unwrap_or_default());
    }
    Ok(())
}

//! One LZ4 frame of independent blocks: what Java, librdkafka and franz-go write and all that Java reads. The
//! content checksum is skipped: the batch's CRC covers it. Read with the C library, written with lz4_flex: see
//! docs/decisions/0007-lz4-by-the-c-library.md.

use super::scratch::Scratch;
use super::xxh32::xxh32;
use super::{Codec, broken};
use crate::error::BatchError;
use lz4::block::decompress_to_buffer;
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use std::io::Write;

const MAGIC: u32 = 0x184D_2204;
const VERSION_MASK: u8 = 0xC0;
const VERSION_1: u8 = 0x40;
const INDEPENDENT: u8 = 0x20;
const BLOCK_CHECKSUM: u8 = 0x10;
const CONTENT_SIZE: u8 = 0x08;
const CONTENT_CHECKSUM: u8 = 0x04;
const RESERVED_OR_DICTIONARY: u8 = 0x03;
const UNCOMPRESSED: u32 = 0x8000_0000;
/// No LZ4 block makes more than 255 bytes out of one.
const MAX_RATIO: usize = 255;

/// The frame header's flags that matter after it.
#[derive(Clone, Copy)]
struct Frame {
    flags: u8,
    max_block_len: usize,
}

/// Decodes one block at a time.
pub(super) struct Reader<'a> {
    input: &'a [u8],
    frame: Option<Frame>,
    finished: bool,
}

fn take<const N: usize>(input: &mut &[u8]) -> Result<[u8; N], BatchError> {
    let (head, rest) = input.split_first_chunk::<N>().ok_or_else(|| broken(Codec::Lz4, "frame cut short"))?;
    *input = rest;
    Ok(*head)
}

fn read_frame_header(input: &mut &[u8]) -> Result<Frame, BatchError> {
    if u32::from_le_bytes(take(input)?) != MAGIC {
        return Err(broken(Codec::Lz4, "wrong magic"));
    }
    let descriptor = *input;
    let [flags, block_descriptor] = take(input)?;
    if flags & VERSION_MASK != VERSION_1 {
        return Err(broken(Codec::Lz4, "unknown frame version"));
    }
    if flags & RESERVED_OR_DICTIONARY != 0 {
        return Err(broken(Codec::Lz4, "reserved bit or dictionary"));
    }
    if flags & INDEPENDENT == 0 {
        return Err(broken(Codec::Lz4, "dependent blocks are not supported"));
    }
    let max_block_len = match block_descriptor {
        0x40 => 64 << 10,
        0x50 => 256 << 10,
        0x60 => 1 << 20,
        0x70 => 4 << 20,
        _ => return Err(broken(Codec::Lz4, "unknown block size")),
    };
    if flags & CONTENT_SIZE != 0 {
        take::<8>(input)?;
    }
    let descriptor_len = descriptor.len() - input.len();
    let sum = (xxh32(descriptor.get(..descriptor_len).unwrap_or_default()) >> 8) as u8;
    if take::<1>(input)? != [sum] {
        return Err(broken(Codec::Lz4, "wrong header checksum"));
    }
    Ok(Frame { flags, max_block_len })
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self { input, frame: None, finished: false }
    }

    /// Unpacks the next block that has bytes into the front of `scratch`, and says how many; 0 only at the frame's end.
    pub(super) fn next_block(&mut self, scratch: &mut Scratch) -> Result<usize, BatchError> {
        let frame = match self.frame {
            Some(frame) => frame,
            None => *self.frame.insert(read_frame_header(&mut self.input)?),
        };
        while !self.finished {
            let word = u32::from_le_bytes(take(&mut self.input)?);
            let length = (word & !UNCOMPRESSED) as usize;
            if length == 0 {
                self.end(frame)?;
                break;
            }
            let block = self.block(length, frame)?;
            let count = match word & UNCOMPRESSED {
                0 => decompress(
                    block,
                    scratch.room(frame.max_block_len.min(length.saturating_mul(MAX_RATIO))),
                )?,
                _ => {
                    scratch.room(length).copy_from_slice(block);
                    length
                }
            };
            if count > 0 {
                return Ok(count);
            }
        }
        Ok(0)
    }

    /// What stands behind the mark of the frame's end, which Java takes with and without the bit of a stored block.
    fn end(&mut self, frame: Frame) -> Result<(), BatchError> {
        self.finished = true;
        if frame.flags & CONTENT_CHECKSUM != 0 {
            take::<4>(&mut self.input)?;
        }
        match self.input.is_empty() {
            true => Ok(()),
            false => Err(broken(Codec::Lz4, "bytes after the frame")),
        }
    }

    fn block(&mut self, length: usize, frame: Frame) -> Result<&'a [u8], BatchError> {
        if length > frame.max_block_len {
            return Err(broken(Codec::Lz4, "block larger than the frame allows"));
        }
        let (block, rest) =
            self.input.split_at_checked(length).ok_or_else(|| broken(Codec::Lz4, "block cut short"))?;
        self.input = rest;
        if frame.flags & BLOCK_CHECKSUM != 0 && u32::from_le_bytes(take(&mut self.input)?) != xxh32(block) {
            return Err(broken(Codec::Lz4, "wrong block checksum"));
        }
        Ok(block)
    }
}

/// At most `room.len()` bytes, a block's at most 4 MiB.
fn decompress(block: &[u8], room: &mut [u8]) -> Result<usize, BatchError> {
    let most = i32::try_from(room.len()).map_err(|e| broken(Codec::Lz4, e))?;
    decompress_to_buffer(block, Some(most), room).map_err(|_| broken(Codec::Lz4, "corrupt block"))
}

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<(), BatchError> {
    let info = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    encoder.write_all(input).map_err(|e| broken(Codec::Lz4, e))?;
    encoder.finish().map(drop).map_err(|e| broken(Codec::Lz4, e))
}

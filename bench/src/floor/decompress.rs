//! Decompresses batches of text once, each into the same buffer, with the libraries that the broker uses: the least that
//! looking into compressed records costs. Nothing is parsed.

use lz4::block::decompress_to_buffer;
use millrace_record::batch::HEADER_LEN;
use serde::Deserialize;
use zstd::bulk::Decompressor;

use crate::client::batches::{Shape, build};
use crate::cpu::ThreadUsage;
use crate::options::{parse, pin};
use crate::output::Outcome;

/// Magic, flags, block size and a checksum: what stands before the first block of an LZ4 frame without a content size.
const LZ4_FRAME_HEADER: usize = 7;
const LZ4_UNCOMPRESSED: u32 = 0x8000_0000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    /// Of batches, before compression.
    bytes: u64,
    batch: Shape,
}

/// Makes records of a frame in the buffer that it has; their length.
type Decompress<'a> = Box<dyn FnMut(&[u8]) -> Result<usize, String> + 'a>;

/// Result: `cpuSecondsPerGiB`, `userSecondsPerGiB`, `systemSecondsPerGiB`, per GiB before compression.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    let batches = build(&options.batch, None)?;
    let mut buffer = vec![0; options.batch.batch_bytes];
    let mut decompress: Decompress = match options.batch.codec.as_str() {
        "lz4" => Box::new(|frame| lz4(frame, &mut buffer)),
        "zstd" => {
            let mut context = Decompressor::new()?;
            Box::new(move |frame| {
                context.decompress_to_buffer(frame, &mut buffer[..]).map_err(|e| e.to_string())
            })
        }
        other => return Err(format!("codec: the floor knows lz4 and zstd, not {other:?}").into()),
    };
    let started = ThreadUsage::now()?;
    let mut done = 0;
    for batch in batches.iter().cycle() {
        let made = HEADER_LEN + decompress(&batch.bytes[HEADER_LEN..])?;
        if made != batch.uncompressed {
            return Err(format!("a batch of {} bytes became {made}", batch.uncompressed).into());
        }
        done += made as u64;
        if done >= options.bytes {
            break;
        }
    }
    Ok(started.per_gib(done)?)
}

/// The blocks of one frame, each over the one before; how many bytes they made.
fn lz4(frame: &[u8], buffer: &mut [u8]) -> Result<usize, String> {
    let mut rest = frame.get(LZ4_FRAME_HEADER..).unwrap_or_default();
    let mut made = 0;
    let most = i32::try_from(buffer.len()).map_err(|error| error.to_string())?;
    while let Some((word, behind)) = rest.split_first_chunk() {
        let word = u32::from_le_bytes(*word);
        if word == 0 {
            break;
        }
        let length = (word & !LZ4_UNCOMPRESSED) as usize;
        let (block, behind) = behind.split_at_checked(length).ok_or("an LZ4 block is cut short")?;
        rest = behind;
        made += match word & LZ4_UNCOMPRESSED {
            0 => decompress_to_buffer(block, Some(most), buffer).map_err(|error| error.to_string())?,
            _ => block.len(),
        };
    }
    Ok(made)
}

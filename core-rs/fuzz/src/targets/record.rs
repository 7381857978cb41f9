//! Hostile record batches and compressed streams.

use millrace_record::codec::{Decompressor, compress};
use millrace_record::crc::crc32c;
use millrace_record::{BatchView, Codec, Origin, ValidateOptions, split_batches, validate};

const CAP: u64 = 1 << 20;
/// Where a batch keeps its CRC, and what that covers.
const CRC_AT: usize = 17;
const CRC_START: usize = 21;

/// A batch as it came and with its CRC made right: whatever validation lets pass can be read record by record.
pub fn batch(input: &[u8]) {
    one_batch(input);
    let mut honest = input.to_vec();
    let Ok(len) = BatchView::parse(input).map(|view| view.bytes().len()) else { return };
    honest.truncate(len);
    let crc = crc32c(&honest[CRC_START..]);
    honest[CRC_AT..CRC_START].copy_from_slice(&crc.to_be_bytes());
    one_batch(&honest);
}

fn one_batch(bytes: &[u8]) {
    for found in split_batches(bytes) {
        let Ok(view) = found else { break };
        for origin in [Origin::Client, Origin::Coordinator, Origin::Log] {
            let options = ValidateOptions { origin, max_decompressed: CAP };
            let Ok(summary) = validate(&view, &options) else { continue };
            assert!(summary.records_len <= CAP.max(bytes.len() as u64), "the cap holds");
            let mut records = view.records(CAP).expect("a validated batch can be read");
            let mut count = 0;
            while let Some(record) = records.next_record().expect("every record of a validated batch") {
                assert!(record.offset <= view.last_offset(), "no record lies behind its batch");
                count += 1;
            }
            assert_eq!(count, summary.count, "as many records as were counted");
        }
    }
}

/// The first byte names the codec: no stream gives more than the cap, and what is compressed comes back.
pub fn decompress(input: &[u8]) {
    let Some((&id, stream)) = input.split_first() else { return };
    let Some(codec) = Codec::from_id(id % 5) else { return };
    if codec != Codec::None {
        let _ = unpack(codec, stream);
    }
    let mut packed = Vec::new();
    compress(codec, None, stream, &mut packed).expect("any bytes can be compressed");
    if stream.len() as u64 <= CAP {
        assert_eq!(unpack(codec, &packed).as_deref(), Some(stream), "what went in comes out");
    }
}

fn unpack(codec: Codec, stream: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut reader = Decompressor::new(codec, stream, CAP).ok()?;
    loop {
        let window = reader.window().ok()?;
        if window.is_empty() {
            return Some(out);
        }
        let count = window.len();
        out.extend_from_slice(window);
        reader.consume(count);
        assert!(out.len() as u64 <= CAP.max(stream.len() as u64), "the cap holds");
    }
}

//! The batches that loads send: built once before anything is measured, sent many times. A batch's sequence is the only
//! thing that changes between two sends.

use std::time::{SystemTime, UNIX_EPOCH};

use millrace_record::batch::CRC_START;
use millrace_record::builder::{BatchBuilder, BatchSpec};
use millrace_record::codec::Codec;
use millrace_record::crc::crc32c;
use serde::Deserialize;

use super::text::Text;

const CRC_AT: usize = 17;
const BASE_SEQUENCE_AT: usize = 53;
/// No record of these loads takes more bytes beside its value: five varints and two single bytes.
const RECORD_OVERHEAD: usize = 16;
/// Different batches of text, so that no decoder learns one by heart.
const TEXTS: usize = 32;

/// What the batches of a load look like.
#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Shape {
    /// Bytes of a record's value; records have no key.
    pub value_bytes: usize,
    /// A batch is filled with records up to this many bytes, before compression.
    pub batch_bytes: usize,
    /// `compression.type`: `none`, `gzip`, `snappy`, `lz4`, `zstd`, each at Kafka's default level.
    pub codec: String,
    /// Values are text rather than noise.
    pub text: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Self { value_bytes: 1024, batch_bytes: 1_000_000, codec: "none".to_string(), text: false }
    }
}

/// A batch as a producer sends it.
pub struct Batch {
    pub bytes: Vec<u8>,
    pub records: i32,
    /// Length before compression.
    pub uncompressed: usize,
}

/// A producer's id and epoch, as InitProducerId gave them.
#[derive(Clone, Copy)]
pub struct ProducerId {
    pub id: i64,
    pub epoch: i16,
}

/// Batches of this shape: one of noise, or several of text. With a producer they start at sequence 0.
/// Error: a sentence that names the option.
pub fn build(shape: &Shape, producer: Option<ProducerId>) -> Result<Vec<Batch>, String> {
    let codec = Codec::from_name(&shape.codec)
        .ok_or_else(|| format!("codec: {:?} is none of none, gzip, snappy, lz4, zstd", shape.codec))?;
    let mut text = Text::new();
    let noise: Vec<u8> =
        (0..shape.value_bytes as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let count = if shape.text { TEXTS } else { 1 };
    (0..count)
        .map(|_| {
            fill(shape, codec, producer, || {
                if shape.text { text.value(shape.value_bytes) } else { noise.clone() }
            })
        })
        .collect()
}

fn fill(
    shape: &Shape,
    codec: Codec,
    producer: Option<ProducerId>,
    mut value: impl FnMut() -> Vec<u8>,
) -> Result<Batch, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_millis() as i64);
    let mut spec = BatchSpec { codec, ..BatchSpec::default() };
    if let Some(producer) = producer {
        (spec.producer_id, spec.producer_epoch, spec.base_sequence) = (producer.id, producer.epoch, 0);
    }
    let mut builder = BatchBuilder::new(spec);
    while builder.uncompressed_len() + shape.value_bytes + RECORD_OVERHEAD <= shape.batch_bytes {
        builder.append(now, None, Some(&value()), &[]).map_err(|error| format!("batchBytes: {error}"))?;
    }
    if builder.is_empty() {
        return Err(format!(
            "batchBytes: {} hold no record of {} bytes",
            shape.batch_bytes, shape.value_bytes
        ));
    }
    let (records, uncompressed) = (builder.count(), builder.uncompressed_len());
    let bytes = builder.finish().map_err(|error| error.to_string())?;
    Ok(Batch { bytes, records, uncompressed })
}

/// Gives a batch another base sequence without summing it again: for batches of one length, what a bit contributes to
/// the CRC depends on the bit's place alone.
pub struct SequencePatch {
    crc_of_zero: u32,
    bits: [u32; 32],
}

impl SequencePatch {
    /// For `batch`, which must have a producer.
    pub fn new(batch: &[u8]) -> Self {
        let mut copy = batch.to_vec();
        let mut sum = |sequence: u32| {
            copy[BASE_SEQUENCE_AT..BASE_SEQUENCE_AT + 4].copy_from_slice(&sequence.to_be_bytes());
            crc32c(&copy[CRC_START..])
        };
        let crc_of_zero = sum(0);
        Self { crc_of_zero, bits: std::array::from_fn(|bit| sum(1 << bit) ^ crc_of_zero) }
    }

    /// Writes the sequence and the CRC into `batch`, the one that this was made for.
    pub fn apply(&self, batch: &mut [u8], sequence: i32) {
        let mut crc = self.crc_of_zero;
        let mut left = sequence as u32;
        while left != 0 {
            crc ^= self.bits[left.trailing_zeros() as usize];
            left &= left - 1;
        }
        batch[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
        batch[BASE_SEQUENCE_AT..BASE_SEQUENCE_AT + 4].copy_from_slice(&sequence.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use millrace_record::batch::BatchView;

    use super::*;

    const PRODUCER: Option<ProducerId> = Some(ProducerId { id: 7, epoch: 0 });

    fn ratio(codec: &str) -> f64 {
        let shape =
            Shape { batch_bytes: 128 << 10, codec: codec.to_string(), text: true, ..Shape::default() };
        let batches = build(&shape, None).unwrap();
        let sum = |of: fn(&Batch) -> usize| batches.iter().map(of).sum::<usize>() as f64;
        sum(|batch| batch.uncompressed) / sum(|batch| batch.bytes.len())
    }

    #[test]
    fn a_batch_is_filled_up_to_its_size_and_no_further() {
        let batch = &build(&Shape::default(), None).unwrap()[0];
        assert_eq!(batch.uncompressed, batch.bytes.len());
        assert!((1_000_000 - 1100..=1_000_000).contains(&batch.bytes.len()), "{}", batch.bytes.len());
        assert_eq!(batch.records as usize, batch.bytes.len() / 1024 - 9);
    }

    #[test]
    fn text_compresses_as_text_does() {
        let (lz4, zstd) = (ratio("lz4"), ratio("zstd"));
        assert!((2.0..3.0).contains(&lz4) && (3.3..5.0).contains(&zstd), "lz4 {lz4}, zstd {zstd}");
    }

    #[test]
    fn a_patched_sequence_leaves_a_sound_batch() {
        let shape = Shape { value_bytes: 100, batch_bytes: 16_384, ..Shape::default() };
        let mut bytes = build(&shape, PRODUCER).unwrap().remove(0).bytes;
        let patch = SequencePatch::new(&bytes);
        for sequence in [0, 1, 152, 1_000_003, i32::MAX] {
            patch.apply(&mut bytes, sequence);
            let batch = BatchView::parse(&bytes).unwrap();
            assert_eq!(batch.base_sequence, sequence);
            batch.check_crc().unwrap();
        }
    }

    #[test]
    fn options_that_cannot_be_are_named() {
        let shape = Shape { batch_bytes: 500, ..Shape::default() };
        assert_eq!(build(&shape, None).err().unwrap(), "batchBytes: 500 hold no record of 1024 bytes");
        let shape = Shape { codec: "brotli".to_string(), ..Shape::default() };
        assert!(build(&shape, None).err().unwrap().starts_with("codec: \"brotli\""));
    }
}

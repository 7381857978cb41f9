use super::*;
use crate::batch::{CRC_START, HEADER_LEN, split_batches};
use crate::builder::{BatchBuilder, BatchSpec};
use crate::codec::compress;
use crate::crc::crc32c;
use crate::error::BatchErrorKind;
use crate::varint::{write_varint, write_varlong};
use proptest::prelude::*;

const OPTIONS: ValidateOptions = ValidateOptions { origin: Origin::Client, max_decompressed: 1 << 20 };

fn check(bytes: &[u8], origin: Origin) -> Result<BatchSummary, BatchError> {
    validate(&BatchView::parse(bytes)?, &ValidateOptions { origin, ..OPTIONS })
}

fn sample(spec: BatchSpec) -> Vec<u8> {
    let mut builder = BatchBuilder::new(spec);
    builder.append(1_000, Some(b"a"), Some(b"first"), &[(b"h", Some(b"1")), (b"n", None)]).unwrap();
    builder.append(3_000, Some(b"b"), None, &[]).unwrap();
    builder.append(3_000, Some(b"c"), Some(&[7; 70_000]), &[]).unwrap();
    builder.append(2_000, Some(b""), Some(b""), &[]).unwrap();
    builder.finish().unwrap()
}

fn reseal(batch: &mut [u8]) {
    let length = (batch.len() - 12) as i32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = crc32c(&batch[CRC_START..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
}

/// A batch whose header claims `count` records around bytes of the test's making.
fn with_records(codec: Codec, count: i32, records: &[u8]) -> Vec<u8> {
    let mut batch = sample(BatchSpec { codec, ..BatchSpec::default() });
    batch.truncate(HEADER_LEN);
    compress(codec, None, records, &mut batch).unwrap();
    batch[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    batch[57..61].copy_from_slice(&count.to_be_bytes());
    reseal(&mut batch);
    batch
}

fn record(offset_delta: i32, fields: &[u8]) -> Vec<u8> {
    let mut body = vec![0];
    write_varlong(&mut body, 0);
    write_varint(&mut body, offset_delta);
    body.extend_from_slice(fields);
    let mut out = Vec::new();
    write_varint(&mut out, body.len() as i32);
    out.extend(body);
    out
}

/// Null key, null value, no headers.
const NULLS: [u8; 3] = [1, 1, 0];

#[test]
fn a_good_batch_is_summed_up_for_every_codec() {
    for codec in Codec::ALL {
        let spec =
            BatchSpec { codec, producer_id: 9, producer_epoch: 1, base_sequence: 5, ..BatchSpec::default() };
        let bytes = sample(spec);
        let summary = check(&bytes, Origin::Client).unwrap();
        assert_eq!(summary.codec, codec);
        assert_eq!((summary.count, summary.last_offset_delta, summary.len), (4, 3, bytes.len()));
        assert_eq!((summary.max_timestamp, summary.offset_of_max_timestamp_delta), (3_000, 1));
        assert_eq!((summary.min_timestamp, summary.header_max_timestamp), (1_000, 3_000));
        assert_eq!((summary.producer_id, summary.producer_epoch, summary.base_sequence), (9, 1, 5));
        assert_eq!(summary.last_sequence(), 8);
        assert!(!summary.has_null_key && !summary.is_control && !summary.is_transactional);
        assert!(summary.records_len > 70_000);
    }
}

#[test]
fn the_true_maximum_timestamp_is_found_whatever_the_header_says() {
    let mut bytes = sample(BatchSpec::default());
    bytes[35..43].copy_from_slice(&99i64.to_be_bytes());
    reseal(&mut bytes);
    let summary = check(&bytes, Origin::Client).unwrap();
    assert_eq!((summary.max_timestamp, summary.header_max_timestamp), (3_000, 99));
}

#[test]
fn a_flipped_bit_anywhere_under_the_crc_is_seen() {
    let bytes = sample(BatchSpec { codec: Codec::Zstd, ..BatchSpec::default() });
    for at in CRC_START - 4..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 0x10;
        let error = check(&bad, Origin::Client).unwrap_err();
        assert!(matches!(error, BatchError::Crc { .. }), "byte {at}: {error}");
        assert_eq!(error.kind(), BatchErrorKind::CorruptMessage);
    }
}

#[test]
fn a_large_batch_is_summed_to_its_end() {
    let mut builder = BatchBuilder::new(BatchSpec::default());
    for index in 0..3000 {
        builder.append(index, Some(b"key"), Some(&[index as u8; 100]), &[]).unwrap();
    }
    builder.append(0, None, Some(&[1; 200_000]), &[]).unwrap();
    let bytes = builder.finish().unwrap();
    assert_eq!(check(&bytes, Origin::Client).unwrap().max_timestamp, 2999);

    let mut bad_at_once = bytes.clone();
    bad_at_once[HEADER_LEN] = 1;
    assert!(matches!(check(&bad_at_once, Origin::Client), Err(BatchError::Crc { .. })));
    reseal(&mut bad_at_once);
    let error = BatchError::Record { index: 0, fault: RecordFault::Size { size: -1 } };
    assert_eq!(check(&bad_at_once, Origin::Client), Err(error));
    for at in (CRC_START..bytes.len()).step_by(4001).chain([bytes.len() - 1]) {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        let error = check(&bad, Origin::Client);
        assert!(matches!(error, Err(BatchError::Crc { .. })), "byte {at}: {error:?}");
        if at >= HEADER_LEN {
            // Bad records of a wrong sum are corruption, of a right sum they are the producer's.
            bad.truncate(at);
            reseal(&mut bad);
            assert_eq!(check(&bad, Origin::Client).unwrap_err().kind(), BatchErrorKind::InvalidRecord);
        }
    }
}

#[test]
fn lying_counts_are_refused() {
    for codec in Codec::ALL {
        let one = record(0, &NULLS);
        for count in [i32::MIN, -1, 0] {
            let mut bytes = with_records(codec, 1, &one);
            bytes[57..61].copy_from_slice(&count.to_be_bytes());
            reseal(&mut bytes);
            assert_eq!(check(&bytes, Origin::Client), Err(BatchError::Count { count }));
        }
        let mut bytes = with_records(codec, 1, &one);
        bytes[57..61].copy_from_slice(&2i32.to_be_bytes());
        reseal(&mut bytes);
        let range = BatchError::OffsetRange { last_offset_delta: 0, count: 2 };
        assert_eq!(check(&bytes, Origin::Client), Err(range));
        for count in [2, 3, i32::MAX] {
            let missing = BatchError::Record { index: 1, fault: RecordFault::Missing };
            assert_eq!(check(&with_records(codec, count, &one), Origin::Client), Err(missing), "{codec}");
        }
        let two = [record(0, &NULLS), record(1, &NULLS)].concat();
        let trailing = BatchError::TrailingBytes { count: 1 };
        assert_eq!(check(&with_records(codec, 1, &two), Origin::Client), Err(trailing), "{codec}");
    }
}

#[test]
fn malformed_records_are_named_by_index_and_fault() {
    let cases: Vec<(Vec<u8>, RecordFault)> = vec![
        (record(1, &NULLS), RecordFault::OffsetDelta { delta: 1, expected: 0 }),
        (record(-1, &NULLS), RecordFault::OffsetDelta { delta: -1, expected: 0 }),
        (vec![1], RecordFault::Size { size: -1 }),
        (vec![10, 0, 0, 0, 0, 0], RecordFault::Size { size: 5 }),
        (record(0, &[1, 1, 0, 0]), RecordFault::Leftover { left: 1 }),
        (record(0, &[20, 1, 1, 1]), RecordFault::Field),
        (record(0, &[1, 20, 1, 1]), RecordFault::Field),
        (record(0, &[1, 1, 1]), RecordFault::HeaderCount { count: -1 }),
        (record(0, &[1, 1, 8, 0, 0]), RecordFault::HeaderCount { count: 4 }),
        (record(0, &[1, 1, 2, 1, 0]), RecordFault::HeaderKey),
        (record(0, &[1, 1, 2, 20, 0]), RecordFault::Field),
        (record(0, &[0xff, 0xff, 0xff, 0xff, 0xff, 1, 0, 0]), RecordFault::Varint),
        (record(0, &[1, 1, 0x80]), RecordFault::Field),
    ];
    for codec in Codec::ALL {
        for (bytes, fault) in &cases {
            let error = check(&with_records(codec, 1, bytes), Origin::Client).unwrap_err();
            assert_eq!(error, BatchError::Record { index: 0, fault: *fault }, "{codec}");
            assert_eq!(error.kind(), BatchErrorKind::InvalidRecord);
        }
    }
}

#[test]
fn a_record_that_declares_more_than_follows_is_an_overrun() {
    let mut bytes = Vec::new();
    write_varint(&mut bytes, 50_000);
    let mut body = vec![0, 0, 0, 1];
    write_varint(&mut body, 49_990);
    bytes.extend(body);
    bytes.extend([0; 30_000]);
    for codec in Codec::ALL {
        let error = check(&with_records(codec, 1, &bytes), Origin::Client).unwrap_err();
        assert_eq!(
            error,
            BatchError::Record { index: 0, fault: RecordFault::Overrun { size: 50_000 } },
            "{codec}"
        );
    }
}

#[test]
fn clients_may_not_do_what_coordinators_may() {
    let producer = BatchSpec { producer_id: 1, producer_epoch: 0, base_sequence: 0, ..BatchSpec::default() };
    let cases = [
        (BatchSpec { is_control: true, ..producer }, BatchError::ControlFromClient),
        (
            BatchSpec { base_sequence: -1, ..producer },
            BatchError::Producer { producer_id: 1, epoch: 0, sequence: -1 },
        ),
        (
            BatchSpec { producer_epoch: -1, ..producer },
            BatchError::Producer { producer_id: 1, epoch: -1, sequence: 0 },
        ),
        (
            BatchSpec { is_transactional: true, ..BatchSpec::default() },
            BatchError::TransactionalWithoutProducer,
        ),
        (BatchSpec { log_append_time: Some(1), ..producer }, BatchError::LogAppendTimeFromClient),
    ];
    for (spec, expected) in cases {
        let bytes = sample(spec);
        assert_eq!(check(&bytes, Origin::Client), Err(expected));
        check(&bytes, Origin::Coordinator).unwrap();
        check(&bytes, Origin::Log).unwrap();
    }
    let kafkajs = BatchSpec { producer_epoch: 0, base_sequence: 0, ..BatchSpec::default() };
    check(&sample(kafkajs), Origin::Client).unwrap();
}

#[test]
fn unknown_codecs_have_their_own_error() {
    for id in 5..8u8 {
        let mut bytes = sample(BatchSpec::default());
        bytes[22] |= id;
        reseal(&mut bytes);
        let error = check(&bytes, Origin::Client).unwrap_err();
        assert_eq!(error, BatchError::UnknownCodec { id });
        assert_eq!(error.kind(), BatchErrorKind::UnsupportedCompressionType);
    }
}

#[test]
fn logs_may_have_gaps_and_empty_batches_but_offsets_rise() {
    for codec in Codec::ALL {
        let mut builder = BatchBuilder::new(BatchSpec { codec, ..BatchSpec::default() });
        builder.append_at(2, 10, None, Some(b"x"), &[]).unwrap();
        builder.append_at(5, 20, Some(b"k"), Some(b"y"), &[]).unwrap();
        builder.keep_last_offset_delta(9);
        let bytes = builder.finish().unwrap();
        let summary = check(&bytes, Origin::Log).unwrap();
        assert_eq!((summary.count, summary.last_offset_delta, summary.offset_span()), (2, 9, 10));
        assert_eq!(summary.offset_of_max_timestamp_delta, 5);
        assert!(summary.has_null_key);
        assert!(check(&bytes, Origin::Client).is_err());

        let mut empty = BatchBuilder::new(BatchSpec { codec, ..BatchSpec::default() });
        empty.keep_last_offset_delta(3);
        let bytes = empty.finish().unwrap();
        assert_eq!(check(&bytes, Origin::Log).unwrap().count, 0);

        let falling = [record(1, &NULLS), record(1, &NULLS)].concat();
        let fault = RecordFault::OffsetDelta { delta: 1, expected: 2 };
        let error = check(&with_records(codec, 2, &falling), Origin::Log);
        assert_eq!(error, Err(BatchError::Record { index: 1, fault }));
        let beyond = RecordFault::OffsetDelta { delta: 4, expected: 0 };
        let error = check(&with_records(codec, 1, &record(4, &NULLS)), Origin::Log);
        assert_eq!(error, Err(BatchError::Record { index: 0, fault: beyond }));
    }
}

#[test]
fn the_cap_bounds_what_a_compressed_batch_unpacks_to() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let bytes = sample(BatchSpec { codec, ..BatchSpec::default() });
        let batch = BatchView::parse(&bytes).unwrap();
        let exact = check(&bytes, Origin::Client).unwrap().records_len;
        let capped = |max_decompressed| validate(&batch, &ValidateOptions { max_decompressed, ..OPTIONS });
        assert!(capped(exact).is_ok());
        let error = capped(exact - 1).unwrap_err();
        assert_eq!(error, BatchError::DecompressedTooLarge { cap: exact - 1 }, "{codec}");
        assert_eq!(error.kind(), BatchErrorKind::RecordTooLarge);
    }
}

#[test]
fn a_record_of_two_gigabytes_out_of_one_megabyte_stops_at_the_cap() {
    let mut head = Vec::new();
    write_varint(&mut head, 2_000_000_000);
    head.extend([0, 0, 0, 1]);
    write_varint(&mut head, 1_999_999_990);
    let zeros = vec![0; 1 << 20];
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Zstd] {
        let mut batch = with_records(codec, 1, &head);
        let mut block = Vec::new();
        compress(codec, None, &zeros, &mut block).unwrap();
        // Joined streams are one stream, so that the same block serves for all of the value.
        batch.extend(block.repeat((1 << 20) / block.len()));
        reseal(&mut batch);
        let refused = BatchError::DecompressedTooLarge { cap: OPTIONS.max_decompressed };
        assert_eq!(check(&batch, Origin::Client), Err(refused), "{codec}");
    }
}

fn any_codec() -> impl Strategy<Value = Codec> {
    proptest::sample::select(Codec::ALL.to_vec())
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for batch in split_batches(&bytes).flatten() {
            let _ = batch.records(1 << 20).map(|mut reader| reader.next_record().is_ok());
        }
        let _ = check(&bytes, Origin::Client);
    }

    /// Records of any bytes under a correct CRC: the walk and the codecs alone must hold.
    #[test]
    fn garbage_records_under_a_right_crc_never_panic(
        codec in any_codec(), compressed: bool, count in 1..9i32, log: bool,
        garbage in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let mut bytes = with_records(codec, count, if compressed { &garbage } else { &[] });
        if !compressed {
            bytes.truncate(HEADER_LEN);
            bytes.extend_from_slice(&garbage);
            reseal(&mut bytes);
        }
        let origin = if log { Origin::Log } else { Origin::Client };
        let validated = check(&bytes, origin);
        let mut reader = BatchView::parse(&bytes).unwrap().records(1 << 20);
        let mut read = 0;
        if let Ok(reader) = &mut reader {
            while let Ok(Some(_)) = reader.next_record() {
                read += 1;
            }
        }
        if let Ok(summary) = validated {
            prop_assert_eq!(read, summary.count);
        }
    }

    /// One mutation of a good batch with its CRC made right again.
    #[test]
    fn mutated_batches_never_panic(codec in any_codec(), at in 0..80_000usize, byte: u8, cut in 0..40usize) {
        let mut bytes = sample(BatchSpec { codec, ..BatchSpec::default() });
        let at = HEADER_LEN + at % (bytes.len() - HEADER_LEN);
        bytes[at] = byte;
        bytes.truncate(bytes.len().saturating_sub(cut).max(HEADER_LEN));
        reseal(&mut bytes);
        let _ = check(&bytes, Origin::Client);
        let _ = check(&bytes, Origin::Log);
    }

    /// What is changed without the CRC is always seen, unless it is offset, leader epoch, or nothing at all.
    #[test]
    fn a_wrong_crc_never_passes(codec in any_codec(), at in 17..80_000usize, flip in 1..=255u8) {
        let mut bytes = sample(BatchSpec { codec, ..BatchSpec::default() });
        let at = 17 + (at - 17) % (bytes.len() - 17);
        bytes[at] ^= flip;
        let seen = matches!(check(&bytes, Origin::Client), Err(BatchError::Crc { .. }));
        prop_assert!(seen);
    }
}

use super::*;
use crate::builder::{BatchBuilder, BatchSpec};
use crate::validate::{Origin, ValidateOptions, validate};
use proptest::prelude::*;

type Bytes = Option<Vec<u8>>;

#[derive(Debug, Clone, PartialEq)]
struct Owned {
    timestamp: i64,
    key: Bytes,
    value: Bytes,
    headers: Vec<(Vec<u8>, Bytes)>,
}

impl Owned {
    fn of(record: &RecordView<'_>) -> Self {
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        let headers = record.headers.map(|header| (header.key.to_vec(), owned(header.value))).collect();
        Self { timestamp: record.timestamp, key: owned(record.key), value: owned(record.value), headers }
    }
}

fn build(spec: BatchSpec, records: &[Owned]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(spec);
    for record in records {
        let headers: Vec<_> =
            record.headers.iter().map(|(key, value)| (&key[..], value.as_deref())).collect();
        builder.append(record.timestamp, record.key.as_deref(), record.value.as_deref(), &headers).unwrap();
    }
    builder.finish().unwrap()
}

fn read(bytes: &[u8], cap: u64) -> Result<Vec<(i64, Owned)>, BatchError> {
    let mut reader = BatchView::parse(bytes)?.records(cap)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push((record.offset, Owned::of(&record)));
    }
    assert_eq!(reader.next_record(), Ok(None));
    Ok(records)
}

fn bytes(len: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..len)
}

fn any_record() -> impl Strategy<Value = Owned> {
    let maybe = |len| proptest::option::of(bytes(len));
    let headers = proptest::collection::vec((bytes(9), maybe(9)), 0..4);
    (any::<i64>(), maybe(40), maybe(3000), headers).prop_map(|(timestamp, key, value, headers)| Owned {
        timestamp,
        key,
        value,
        headers,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_built_validates_and_reads_back(
        codec in proptest::sample::select(Codec::ALL.to_vec()),
        base_offset in 0..i64::MAX / 2,
        records in proptest::collection::vec(any_record(), 1..30),
    ) {
        let spec = BatchSpec { codec, base_offset, ..BatchSpec::default() };
        let batch = build(spec, &records);
        let options = ValidateOptions { origin: Origin::Client, max_decompressed: 1 << 20 };
        let summary = validate(&BatchView::parse(&batch).unwrap(), &options).unwrap();
        let newest = records.iter().map(|record| record.timestamp).max().unwrap();
        prop_assert_eq!(summary.count as usize, records.len());
        prop_assert_eq!(summary.max_timestamp, newest);
        prop_assert_eq!(records[summary.offset_of_max_timestamp_delta as usize].timestamp, newest);
        prop_assert_eq!(summary.has_null_key, records.iter().any(|record| record.key.is_none()));
        let expected: Vec<_> = records.into_iter().zip(base_offset..).map(|(r, o)| (o, r)).collect();
        prop_assert_eq!(read(&batch, 1 << 20).unwrap(), expected);
    }
}

#[test]
fn a_record_larger_than_the_window_is_read_whole() {
    let value: Vec<u8> = (0..300_000u32).map(|i| (i % 253) as u8).collect();
    let record = Owned { timestamp: 1, key: None, value: Some(value), headers: vec![] };
    for codec in Codec::ALL {
        let batch = build(BatchSpec { codec, ..BatchSpec::default() }, &[record.clone(), record.clone()]);
        let records = read(&batch, 1 << 20).unwrap();
        assert_eq!(records, [(0, record.clone()), (1, record.clone())], "{codec}");
    }
}

/// Every byte of a record's fields comes to lie first in a window once: snappy's end after 32 KiB, lz4's after 64.
#[test]
fn records_that_straddle_windows_validate_and_read_back() {
    let filler = |len| Owned { timestamp: 0, key: None, value: Some(vec![b'-'; len]), headers: vec![] };
    let record = Owned {
        timestamp: 1 << 40,
        key: Some(vec![b'k'; 70]),
        value: Some(vec![b'v'; 70]),
        headers: vec![(vec![b'h'; 3], Some(vec![b'x'; 70])), (vec![b'n'], None)],
    };
    for (codec, window) in [(Codec::Snappy, 32 << 10), (Codec::Lz4, 64 << 10)] {
        for before in 0..260 {
            let records = [filler(window - before), record.clone(), record.clone(), filler(9)];
            let batch = build(BatchSpec { codec, ..BatchSpec::default() }, &records);
            let options = ValidateOptions { origin: Origin::Client, max_decompressed: 1 << 20 };
            let summary = validate(&BatchView::parse(&batch).unwrap(), &options).unwrap();
            assert_eq!((summary.count, summary.max_timestamp), (4, 1 << 40), "{codec} {before}");
            let expected: Vec<_> = (0..).zip(records).collect();
            assert!(read(&batch, 1 << 20).unwrap() == expected, "{codec} {before}");
        }
    }
}

#[test]
fn reading_stops_for_good_at_the_cap_and_at_a_bad_record() {
    let record = Owned { timestamp: 1, key: None, value: Some(vec![3; 1000]), headers: vec![] };
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let batch = build(BatchSpec { codec, ..BatchSpec::default() }, &vec![record.clone(); 50]);
        assert_eq!(read(&batch, 30_000), Err(BatchError::DecompressedTooLarge { cap: 30_000 }), "{codec}");
    }
    let mut batch = build(BatchSpec::default(), &[record.clone(), record]);
    batch.pop();
    let length = (batch.len() - 12) as i32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    let view = BatchView::parse(&batch).unwrap();
    let mut records = view.borrowed_records().unwrap();
    assert!(records.next().unwrap().is_ok());
    let error = records.next().unwrap().unwrap_err();
    assert!(matches!(error, BatchError::Record { index: 1, fault: RecordFault::Overrun { .. } }));
    assert!(records.next().is_none());
}

#[test]
fn a_record_costs_what_is_there_not_what_it_declares() {
    let mut records = Vec::new();
    crate::varint::write_varint(&mut records, i32::MAX);
    records.extend([0; 64]);
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let mut stream = Vec::new();
        crate::codec::compress(codec, None, &records, &mut stream).unwrap();
        let mut batch = build(BatchSpec { codec, ..BatchSpec::default() }, &[]);
        batch[57..61].copy_from_slice(&1i32.to_be_bytes());
        batch.extend(stream);
        let length = (batch.len() - 12) as i32;
        batch[8..12].copy_from_slice(&length.to_be_bytes());
        let mut reader = BatchView::parse(&batch).unwrap().records(u64::MAX).unwrap();
        let fault = RecordFault::Overrun { size: i32::MAX };
        assert_eq!(reader.next_record(), Err(BatchError::Record { index: 0, fault }), "{codec}");
        let Source::Stream { record, .. } = &reader.source else { panic!("not a stream") };
        assert!(record.capacity() < 1024);
        assert_eq!(reader.next_record(), Ok(None));
    }
}

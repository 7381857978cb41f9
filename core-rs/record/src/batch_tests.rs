use super::*;
use crate::builder::{BatchBuilder, BatchSpec};
use crate::patch::{set_base_offset, set_max_timestamp, set_partition_leader_epoch};

fn batch(base_offset: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchSpec { base_offset, ..BatchSpec::default() });
    builder.append(1000, Some(b"k"), Some(b"v"), &[]).unwrap();
    builder.append(900, None, Some(b"w"), &[]).unwrap();
    builder.finish().unwrap()
}

#[test]
fn header_fields_stand_where_kafka_puts_them() {
    let header = BatchHeader {
        base_offset: 0x0102_0304_0506_0708,
        length: 0x1112_1314,
        partition_leader_epoch: 0x2122_2324,
        magic: 2,
        crc: 0x3132_3334,
        attributes: 0x4142,
        last_offset_delta: 0x5152_5354,
        base_timestamp: 0x6162_6364_6566_6768,
        max_timestamp: 0x7172_7374_7576_7778,
        producer_id: 0x0112_2334_4556_6778,
        producer_epoch: 0x0a0b,
        base_sequence: 0x1a1b_1c1d,
        count: 0x2a2b_2c2d,
    };
    let bytes = header.to_bytes();
    assert_eq!(bytes[8..12], [0x11, 0x12, 0x13, 0x14]);
    assert_eq!(bytes[16], 2);
    assert_eq!(bytes[17..21], [0x31, 0x32, 0x33, 0x34]);
    assert_eq!(bytes[21..23], [0x41, 0x42]);
    assert_eq!(bytes[35], 0x71);
    assert_eq!(bytes[43..51], [0x01, 0x12, 0x23, 0x34, 0x45, 0x56, 0x67, 0x78]);
    assert_eq!(bytes[57..61], [0x2a, 0x2b, 0x2c, 0x2d]);
    assert_eq!(BatchHeader::parse(&bytes), Ok(header));
}

#[test]
fn every_cut_of_a_batch_is_truncated() {
    let bytes = batch(0);
    for len in 0..bytes.len() {
        let cut = BatchView::parse(&bytes[..len]);
        assert!(
            matches!(cut, Err(BatchError::Truncated { needed, available }) if available == len && needed > len)
        );
    }
    assert_eq!(BatchView::parse(&bytes).unwrap().bytes(), bytes);
}

#[test]
fn other_magics_are_told_apart() {
    let mut bytes = batch(0);
    for (magic, expected) in [
        (0u8, BatchError::OldMagic { magic: 0 }),
        (1, BatchError::OldMagic { magic: 1 }),
        (3, BatchError::UnknownMagic { magic: 3 }),
        (9, BatchError::UnknownMagic { magic: 9 }),
        (0xff, BatchError::UnknownMagic { magic: -1 }),
    ] {
        bytes[16] = magic;
        assert_eq!(BatchView::parse(&bytes), Err(expected.clone()));
        assert_eq!(BatchHeader::parse(&bytes[..17]), Err(expected));
    }
}

#[test]
fn impossible_lengths_are_refused() {
    let mut bytes = batch(0);
    for length in [i32::MIN, -1, 0, 48] {
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        assert_eq!(BatchView::parse(&bytes), Err(BatchError::Length { length }));
    }
    bytes[8..12].copy_from_slice(&i32::MAX.to_be_bytes());
    let needed = i32::MAX as usize + 12;
    assert_eq!(BatchView::parse(&bytes), Err(BatchError::Truncated { needed, available: bytes.len() }));
}

#[test]
fn batches_are_split_at_their_borders_and_stop_at_the_first_bad_one() {
    let (first, second) = (batch(0), batch(2));
    let whole = [first.clone(), second.clone()].concat();
    let offsets: Vec<i64> = split_batches(&whole).map(|batch| batch.unwrap().base_offset).collect();
    assert_eq!(offsets, [0, 2]);

    let cut = &whole[..whole.len() - 1];
    let mut batches = split_batches(cut);
    assert!(batches.next().unwrap().is_ok());
    assert_eq!(batches.position(), first.len());
    let error = batches.next().unwrap();
    assert_eq!(error, Err(BatchError::Truncated { needed: second.len(), available: second.len() - 1 }));
    assert_eq!(batches.position(), first.len());
    assert!(batches.next().is_none());
    assert!(split_batches(&[]).next().is_none());
}

#[test]
fn offset_and_epoch_patches_leave_the_crc_alone() {
    let mut bytes = batch(0);
    set_base_offset(&mut bytes, 77).unwrap();
    set_partition_leader_epoch(&mut bytes, 5).unwrap();
    let view = BatchView::parse(&bytes).unwrap();
    assert_eq!((view.base_offset, view.partition_leader_epoch, view.last_offset()), (77, 5, 78));
    view.check_crc().unwrap();
    assert!(set_base_offset(&mut bytes[..7], 1).is_err());
    assert!(set_partition_leader_epoch(&mut bytes[..15], 1).is_err());
}

#[test]
fn stamping_log_append_time_renews_the_crc() {
    let mut bytes = batch(0);
    let tail = [9, 9, 9];
    bytes.extend_from_slice(&tail);
    set_max_timestamp(&mut bytes, TimestampType::LogAppendTime, 5555).unwrap();
    let view = BatchView::parse(&bytes).unwrap();
    assert_eq!((view.timestamp_type(), view.max_timestamp), (TimestampType::LogAppendTime, 5555));
    view.check_crc().unwrap();
    let stamps: Vec<i64> = view.borrowed_records().unwrap().map(|record| record.unwrap().timestamp).collect();
    assert_eq!(stamps, [5555, 5555]);
    assert!(bytes.ends_with(&tail));

    set_max_timestamp(&mut bytes, TimestampType::CreateTime, 1000).unwrap();
    assert_eq!(bytes[..bytes.len() - tail.len()], batch(0));
}

#[test]
fn stamping_drops_attributes_that_mean_nothing() {
    let mut bytes = batch(0);
    bytes[21] = 0x7f;
    set_max_timestamp(&mut bytes, TimestampType::LogAppendTime, 5555).unwrap();
    assert_eq!(BatchView::parse(&bytes).unwrap().attributes, attributes::LOG_APPEND_TIME);
}

#[test]
fn sequences_wrap_to_zero() {
    assert_eq!(increment_sequence(i32::MAX, 1), 0);
    assert_eq!(increment_sequence(i32::MAX - 1, 3), 1);
    assert_eq!(increment_sequence(0, i32::MAX), i32::MAX);
}

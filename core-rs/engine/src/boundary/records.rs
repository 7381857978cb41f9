//! Record arrays as they stand inside boundary frames: packed once, iterated without copying.
//! These are coordinator and metadata records only, never a client's.

use std::borrow::Cow;

use super::wire::{BoundaryError, Parsed, items, reader};
use crate::api::wire::{Reader, Writer};

/// An array of `{ offset i64, timestamp i64, key bytes?, value bytes? }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedRecords<'a> {
    count: usize,
    bytes: Cow<'a, [u8]>,
}

/// One record of a partition, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    pub offset: i64,
    pub timestamp: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
}

impl<'a> PackedRecords<'a> {
    pub fn push(&mut self, record: RecordView<'_>) {
        let bytes = self.bytes.to_mut();
        let mut writer = Writer::over(std::mem::take(bytes));
        writer.i64(record.offset);
        writer.i64(record.timestamp);
        writer.nullable_bytes(record.key);
        writer.nullable_bytes(record.value);
        *bytes = writer.into_bytes();
        self.count += 1;
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The size of the packed records, in bytes.
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = RecordView<'_>> {
        let mut reader = reader(&self.bytes);
        (0..self.count).map_while(move |_| read_record(&mut reader).ok())
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.array(self.count);
        out.raw(&self.bytes);
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Parsed<PackedRecords<'a>> {
        let count = reader.array(24, "records")?;
        let start = reader.position();
        for _ in 0..count {
            read_record(reader)?;
        }
        let bytes = reader.bytes_at(start..reader.position());
        Ok(PackedRecords { count, bytes: Cow::Borrowed(bytes) })
    }
}

fn read_record<'a>(reader: &mut Reader<'a>) -> Parsed<RecordView<'a>> {
    Ok(RecordView {
        offset: reader.i64("offset")?,
        timestamp: reader.i64("timestamp")?,
        key: reader.nullable_bytes("key")?,
        value: reader.nullable_bytes("value")?,
    })
}

/// An array of `{ value bytes }`: the records of one metadata batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedValues<'a> {
    values: Vec<Cow<'a, [u8]>>,
}

impl<'a> PackedValues<'a> {
    pub fn borrowed(values: &'a [Vec<u8>]) -> PackedValues<'a> {
        PackedValues { values: values.iter().map(|value| Cow::Borrowed(value.as_slice())).collect() }
    }

    pub fn to_vecs(&self) -> Vec<Vec<u8>> {
        self.values.iter().map(|value| value.to_vec()).collect()
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.array(self.values.len());
        for value in &self.values {
            out.bytes(value);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Parsed<PackedValues<'a>> {
        Ok(PackedValues {
            values: items(reader, 4, "values", |item| Ok(Cow::Borrowed(item.bytes("value")?)))?,
        })
    }
}

/// Key and value of a record; `None` for null.
pub type KeyAndValue<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// The body of the synchronous `append` call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendRequest<'a> {
    pub topic_id: super::TopicId,
    pub partition: i32,
    /// The epoch at which the caller loaded this partition; any other is refused.
    pub leader_epoch: i32,
    /// Wall clock, milliseconds: the timestamp of every record.
    pub timestamp: i64,
    /// Key and value of each record, in order.
    pub records: Vec<KeyAndValue<'a>>,
}

impl<'a> AppendRequest<'a> {
    pub fn parse(bytes: &'a [u8]) -> Result<AppendRequest<'a>, BoundaryError> {
        let mut reader = reader(bytes);
        let request = AppendRequest {
            topic_id: reader.uuid("topic id")?.0,
            partition: reader.i32("partition")?,
            leader_epoch: reader.i32("leader epoch")?,
            timestamp: reader.i64("timestamp")?,
            records: items(&mut reader, 8, "records", |item| {
                Ok((item.nullable_bytes("key")?, item.nullable_bytes("value")?))
            })?,
        };
        reader.finish()?;
        Ok(request)
    }

    pub fn write(&self, bytes: &mut Vec<u8>) {
        let mut out = Writer::over(std::mem::take(bytes));
        out.raw(&self.topic_id);
        out.i32(self.partition);
        out.i32(self.leader_epoch);
        out.i64(self.timestamp);
        out.array(self.records.len());
        for (key, value) in &self.records {
            out.nullable_bytes(*key);
            out.nullable_bytes(*value);
        }
        *bytes = out.into_bytes();
    }
}

/// The answer of `append`. Offsets are −1 when `error_code` is not 0; `end_offset` is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendReply {
    pub error_code: i16,
    pub base_offset: i64,
    pub end_offset: i64,
    pub high_watermark: i64,
}

impl AppendReply {
    /// Its length when it is packed.
    pub const BYTES: usize = 26;

    pub fn refused(error_code: i16) -> AppendReply {
        AppendReply { error_code, base_offset: -1, end_offset: -1, high_watermark: -1 }
    }

    pub fn to_bytes(&self) -> [u8; AppendReply::BYTES] {
        let mut bytes = [0; AppendReply::BYTES];
        bytes[..2].copy_from_slice(&self.error_code.to_be_bytes());
        bytes[2..10].copy_from_slice(&self.base_offset.to_be_bytes());
        bytes[10..18].copy_from_slice(&self.end_offset.to_be_bytes());
        bytes[18..].copy_from_slice(&self.high_watermark.to_be_bytes());
        bytes
    }
}

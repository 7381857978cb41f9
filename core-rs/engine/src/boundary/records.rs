//! Record arrays as they stand inside boundary frames: packed once, iterated without copying.
//! These are coordinator and metadata records only, never a client's.

use std::borrow::Cow;

use super::wire::{BoundaryError, Parsed, Reader, WriteExt};

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
        bytes.put_i64(record.offset);
        bytes.put_i64(record.timestamp);
        bytes.put_nullable_bytes(record.key);
        bytes.put_nullable_bytes(record.value);
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
        let mut reader = Reader::new(&self.bytes);
        (0..self.count).map_while(move |_| read_record(&mut reader).ok())
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_count(self.count);
        out.extend_from_slice(&self.bytes);
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Parsed<PackedRecords<'a>> {
        let count = reader.count(24)?;
        let all = reader.rest();
        for _ in 0..count {
            read_record(reader)?;
        }
        let used = all.len() - reader.remaining();
        Ok(PackedRecords { count, bytes: Cow::Borrowed(all.get(..used).unwrap_or_default()) })
    }
}

fn read_record<'a>(reader: &mut Reader<'a>) -> Parsed<RecordView<'a>> {
    Ok(RecordView {
        offset: reader.i64()?,
        timestamp: reader.i64()?,
        key: reader.nullable_bytes()?,
        value: reader.nullable_bytes()?,
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

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.put_count(self.values.len());
        for value in &self.values {
            out.put_bytes(value);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'a>) -> Parsed<PackedValues<'a>> {
        Ok(PackedValues { values: reader.items(4, |item| Ok(Cow::Borrowed(item.bytes()?)))? })
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
        let mut reader = Reader::new(bytes);
        let request = AppendRequest {
            topic_id: reader.uuid()?,
            partition: reader.i32()?,
            leader_epoch: reader.i32()?,
            timestamp: reader.i64()?,
            records: reader.items(8, |item| Ok((item.nullable_bytes()?, item.nullable_bytes()?)))?,
        };
        match reader.remaining() {
            0 => Ok(request),
            extra => Err(BoundaryError::new(format!("{extra} bytes too many in an append"))),
        }
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.topic_id);
        out.put_i32(self.partition);
        out.put_i32(self.leader_epoch);
        out.put_i64(self.timestamp);
        out.put_count(self.records.len());
        for (key, value) in &self.records {
            out.put_nullable_bytes(*key);
            out.put_nullable_bytes(*value);
        }
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
    pub fn refused(error_code: i16) -> AppendReply {
        AppendReply { error_code, base_offset: -1, end_offset: -1, high_watermark: -1 }
    }

    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(26);
        out.put_i16(self.error_code);
        out.put_i64(self.base_offset);
        out.put_i64(self.end_offset);
        out.put_i64(self.high_watermark);
        out
    }
}

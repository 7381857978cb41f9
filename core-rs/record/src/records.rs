//! Reading the records of a batch: borrowed straight from an uncompressed batch, or one at a time out of a
//! decompressing stream through a reused buffer. It trusts nothing, but checks only what it must to read.

use crate::batch::{BatchView, TimestampType};
use crate::codec::{Codec, Decompressor};
use crate::error::{BatchError, RecordFault};
use crate::varint::{read_varint, read_varlong};
use crate::walk::{body_len, next_body, next_size};

/// One record; key and value are `None` for null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordView<'r> {
    pub attributes: u8,
    pub offset: i64,
    /// ms; the batch's max timestamp for LogAppendTime.
    pub timestamp: i64,
    pub key: Option<&'r [u8]>,
    pub value: Option<&'r [u8]>,
    pub headers: Headers<'r>,
}

/// The headers of one record, in order; already checked, so that iteration cannot fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Headers<'r> {
    count: usize,
    bytes: &'r [u8],
}

/// One header; the key is UTF-8 by contract but not checked, the value may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'r> {
    pub key: &'r [u8],
    pub value: Option<&'r [u8]>,
}

impl<'r> Iterator for Headers<'r> {
    type Item = Header<'r>;

    fn next(&mut self) -> Option<Header<'r>> {
        self.count = self.count.checked_sub(1)?;
        let key = read_bytes(&mut self.bytes).ok()??;
        let value = read_bytes(&mut self.bytes).ok()?;
        Some(Header { key, value })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl ExactSizeIterator for Headers<'_> {}

/// What a record's deltas are relative to.
#[derive(Debug, Clone, Copy)]
struct Base {
    offset: i64,
    timestamp: i64,
    log_append_time: Option<i64>,
}

impl Base {
    fn of(batch: &BatchView<'_>) -> Self {
        let log_append_time =
            (batch.timestamp_type() == TimestampType::LogAppendTime).then_some(batch.max_timestamp);
        Self { offset: batch.base_offset, timestamp: batch.base_timestamp, log_append_time }
    }
}

/// A length and its bytes; `None` for null, which is any negative length.
fn read_bytes<'r>(body: &mut &'r [u8]) -> Result<Option<&'r [u8]>, RecordFault> {
    let Ok(length) = usize::try_from(read_varint(body)?) else { return Ok(None) };
    let (bytes, rest) = body.split_at_checked(length).ok_or(RecordFault::Field)?;
    *body = rest;
    Ok(Some(bytes))
}

fn read_record<'r>(mut body: &'r [u8], base: &Base) -> Result<RecordView<'r>, RecordFault> {
    let (&attributes, rest) = body.split_first().ok_or(RecordFault::Field)?;
    body = rest;
    let timestamp_delta = read_varlong(&mut body)?;
    let offset_delta = read_varint(&mut body)?;
    let key = read_bytes(&mut body)?;
    let value = read_bytes(&mut body)?;
    let declared = read_varint(&mut body)?;
    let count = match usize::try_from(declared) {
        Ok(count) if count <= body.len() => count,
        _ => return Err(RecordFault::HeaderCount { count: declared }),
    };
    let headers = Headers { count, bytes: body };
    for _ in 0..count {
        read_bytes(&mut body)?.ok_or(RecordFault::HeaderKey)?;
        read_bytes(&mut body)?;
    }
    if !body.is_empty() {
        return Err(RecordFault::Leftover { left: body.len() });
    }
    let timestamp = base.log_append_time.unwrap_or(base.timestamp.wrapping_add(timestamp_delta));
    let offset = base.offset.wrapping_add(i64::from(offset_delta));
    Ok(RecordView { attributes, offset, timestamp, key, value, headers })
}

/// The records of an uncompressed batch, borrowed from it. An error ends the iteration.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    bytes: &'a [u8],
    base: Base,
    count: i32,
    index: i32,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<RecordView<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = self.index;
        if index >= self.count {
            let trailing = !std::mem::take(&mut self.bytes).is_empty();
            return trailing.then_some(Err(BatchError::TrailingBytes { count: self.count }));
        }
        self.index += 1;
        let record = next_body(&mut self.bytes).and_then(|body| read_record(body, &self.base));
        Some(record.map_err(|fault| {
            self.index = self.count;
            self.bytes = &[];
            BatchError::Record { index, fault }
        }))
    }
}

/// The records of any batch, one at a time: each borrows the reader until the next is asked for. The memory it
/// holds is one window and the largest record so far.
pub struct RecordReader<'a> {
    source: Source<'a>,
    base: Base,
    count: i32,
    index: i32,
}

enum Source<'a> {
    Slice(Records<'a>),
    Stream { stream: Decompressor<'a>, record: Vec<u8> },
}

impl<'a> RecordReader<'a> {
    /// A reader over `batch` that refuses to unpack more than `max_decompressed` bytes.
    /// Errors: `UnknownCodec`, `Decompress`.
    pub fn new(batch: &BatchView<'a>, max_decompressed: u64) -> Result<Self, BatchError> {
        let base = Base::of(batch);
        let source = match batch.codec()? {
            // A batch that compaction emptied keeps its codec bits, with nothing to unpack.
            codec if codec == Codec::None || batch.records_bytes().is_empty() => {
                Source::Slice(Records { bytes: batch.records_bytes(), base, count: batch.count, index: 0 })
            }
            codec => {
                let stream = Decompressor::new(codec, batch.records_bytes(), max_decompressed)?;
                Source::Stream { stream, record: Vec::new() }
            }
        };
        Ok(Self { source, base, count: batch.count, index: 0 })
    }

    /// The next record, `None` after the last. Bytes after the last record are an error; after an error there
    /// is nothing more.
    pub fn next_record(&mut self) -> Result<Option<RecordView<'_>>, BatchError> {
        let (stream, record) = match &mut self.source {
            Source::Slice(records) => return records.next().transpose(),
            Source::Stream { stream, record } => (stream, record),
        };
        let index = self.index;
        if index > self.count {
            return Ok(None);
        }
        // Until the record is whole, the reader counts as finished: an error leaves it so.
        self.index = self.count.saturating_add(1);
        if index == self.count {
            return match stream.window()?.is_empty() {
                true => Ok(None),
                false => Err(BatchError::TrailingBytes { count: self.count }),
            };
        }
        let of_record = |fault| BatchError::Record { index, fault };
        let size = next_size(stream).map_err(|fault| fault.of_record(index))?;
        let len = body_len(size).map_err(of_record)?;
        record.clear();
        if stream.copy(len, record)? != len {
            return Err(of_record(RecordFault::Overrun { size }));
        }
        let record = read_record(record, &self.base).map_err(of_record)?;
        self.index = index + 1;
        Ok(Some(record))
    }
}

impl<'a> BatchView<'a> {
    /// The records, borrowed; `None` for a compressed batch.
    pub fn borrowed_records(&self) -> Option<Records<'a>> {
        (self.codec() == Ok(Codec::None)).then(|| Records {
            bytes: self.records_bytes(),
            base: Base::of(self),
            count: self.count,
            index: 0,
        })
    }

    /// The records of this batch, compressed or not; see `RecordReader::new`.
    pub fn records(&self, max_decompressed: u64) -> Result<RecordReader<'a>, BatchError> {
        RecordReader::new(self, max_decompressed)
    }
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;

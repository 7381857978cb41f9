//! The walk over one record's fields, the same for bytes in memory and for a decompressing stream: it follows
//! lengths, keeps what validation needs, and materialises nothing.

use crate::codec::Decompressor;
use crate::error::{BatchError, RecordFault};
use crate::varint::{VarintError, decode_u32, decode_u64, unzigzag32, unzigzag64};

/// Attributes, timestamp delta, offset delta, key, value and header count take at least a byte each.
const MIN_RECORD_LEN: i32 = 6;

/// What validation needs of one record.
pub(crate) struct RecordShape {
    pub(crate) timestamp_delta: i64,
    pub(crate) offset_delta: i32,
    pub(crate) null_key: bool,
}

/// A fault of the record, or of the stream it comes out of.
pub(crate) enum Fault {
    Record(RecordFault),
    Stream(BatchError),
}

impl From<RecordFault> for Fault {
    fn from(fault: RecordFault) -> Self {
        Fault::Record(fault)
    }
}

impl From<VarintError> for Fault {
    fn from(error: VarintError) -> Self {
        Fault::Record(RecordFault::from(error))
    }
}

impl From<VarintError> for RecordFault {
    fn from(error: VarintError) -> Self {
        match error {
            VarintError::Truncated => RecordFault::Field,
            VarintError::TooLong => RecordFault::Varint,
        }
    }
}

impl Fault {
    pub(crate) fn of_record(self, index: i32) -> BatchError {
        match self {
            Fault::Record(fault) => BatchError::Record { index, fault },
            Fault::Stream(error) => error,
        }
    }
}

/// One record's bytes after its length, read front to back.
trait Body {
    fn byte(&mut self) -> Result<u8, Fault>;
    fn skip(&mut self, count: usize) -> Result<(), Fault>;
    fn left(&self) -> usize;
}

impl Body for &[u8] {
    #[inline]
    fn byte(&mut self) -> Result<u8, Fault> {
        let (&byte, rest) = self.split_first().ok_or(RecordFault::Field)?;
        *self = rest;
        Ok(byte)
    }

    #[inline]
    fn skip(&mut self, count: usize) -> Result<(), Fault> {
        *self = self.get(count..).ok_or(RecordFault::Field)?;
        Ok(())
    }

    #[inline]
    fn left(&self) -> usize {
        self.len()
    }
}

/// `left` bytes of a stream.
struct Streamed<'s, 'a> {
    stream: &'s mut Decompressor<'a>,
    left: usize,
    size: i32,
}

impl Body for Streamed<'_, '_> {
    #[inline]
    fn byte(&mut self) -> Result<u8, Fault> {
        self.left = self.left.checked_sub(1).ok_or(RecordFault::Field)?;
        match self.stream.byte().map_err(Fault::Stream)? {
            Some(byte) => Ok(byte),
            None => Err(RecordFault::Overrun { size: self.size }.into()),
        }
    }

    fn skip(&mut self, count: usize) -> Result<(), Fault> {
        self.left = self.left.checked_sub(count).ok_or(RecordFault::Field)?;
        match self.stream.skip(count).map_err(Fault::Stream)? {
            skipped if skipped == count => Ok(()),
            _ => Err(RecordFault::Overrun { size: self.size }.into()),
        }
    }

    fn left(&self) -> usize {
        self.left
    }
}

#[inline]
fn varint<B: Body>(body: &mut B) -> Result<i32, Fault> {
    decode_u32(|| body.byte()).map(unzigzag32)
}

/// Skips a length and its bytes; false for null, which is any negative length.
#[inline]
fn skip_bytes<B: Body>(body: &mut B) -> Result<bool, Fault> {
    match usize::try_from(varint(body)?) {
        Ok(length) => body.skip(length).map(|()| true),
        Err(_) => Ok(false),
    }
}

#[inline]
fn walk_fields<B: Body>(body: &mut B) -> Result<RecordShape, Fault> {
    body.byte()?; // Record attributes: none is defined.
    let timestamp_delta = decode_u64(|| body.byte()).map(unzigzag64)?;
    let offset_delta = varint(body)?;
    let null_key = !skip_bytes(body)?;
    skip_bytes(body)?;
    let headers = varint(body)?;
    match usize::try_from(headers) {
        Ok(count) if count <= body.left() => {}
        _ => return Err(RecordFault::HeaderCount { count: headers }.into()),
    }
    for _ in 0..headers {
        if !skip_bytes(body)? {
            return Err(RecordFault::HeaderKey.into());
        }
        skip_bytes(body)?;
    }
    match body.left() {
        0 => Ok(RecordShape { timestamp_delta, offset_delta, null_key }),
        left => Err(RecordFault::Leftover { left }.into()),
    }
}

/// A record's length as a byte count.
pub(crate) fn body_len(size: i32) -> Result<usize, RecordFault> {
    match usize::try_from(size) {
        Ok(len) if size >= MIN_RECORD_LEN => Ok(len),
        _ => Err(RecordFault::Size { size }),
    }
}

/// The bytes of the record at the front of `records`, without its length; moves `records` past it.
#[inline]
pub(crate) fn next_body<'a>(records: &mut &'a [u8]) -> Result<&'a [u8], RecordFault> {
    if records.is_empty() {
        return Err(RecordFault::Missing);
    }
    let size = crate::varint::read_varint(records)?;
    let (body, rest) = records.split_at_checked(body_len(size)?).ok_or(RecordFault::Overrun { size })?;
    *records = rest;
    Ok(body)
}

/// Walks the record at the front of `records` and moves past it.
#[inline]
pub(crate) fn walk_slice(records: &mut &[u8]) -> Result<RecordShape, Fault> {
    walk_fields(&mut next_body(records)?)
}

/// The length of the stream's next record. Fault: `Missing` at the stream's end.
pub(crate) fn next_size(stream: &mut Decompressor<'_>) -> Result<i32, Fault> {
    if stream.window().map_err(Fault::Stream)?.is_empty() {
        return Err(RecordFault::Missing.into());
    }
    decode_u32(|| match stream.byte() {
        Ok(byte) => byte.ok_or_else(|| RecordFault::Field.into()),
        Err(error) => Err(Fault::Stream(error)),
    })
    .map(unzigzag32)
}

/// Walks the stream's next record.
pub(crate) fn walk_stream(stream: &mut Decompressor<'_>) -> Result<RecordShape, Fault> {
    // Most records lie in the window whole: those take the faster way over a slice.
    let window = stream.window().map_err(Fault::Stream)?;
    let mut rest = window;
    if let Ok(mut body) = next_body(&mut rest) {
        let taken = window.len() - rest.len();
        let shape = walk_fields(&mut body)?;
        stream.consume(taken);
        return Ok(shape);
    }
    let size = next_size(stream)?;
    let left = body_len(size)?;
    walk_fields(&mut Streamed { stream, left, size })
}

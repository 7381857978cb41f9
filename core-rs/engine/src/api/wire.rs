//! Kafka's primitive types over byte slices: a zero-copy reader that never trusts a length, and a writer into a
//! `Vec`. It knows no API; every length and count is checked against the bytes that are there before use.

use std::ops::Range;

use crate::uuid::Uuid;

/// Why a frame cannot be read. The connection that sent it is closed with this sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("{what} needs {needed} bytes at position {position}, {available} are left")]
    Short { what: &'static str, position: usize, needed: usize, available: usize },
    #[error("{what} has the impossible length {length} at position {position}")]
    Length { what: &'static str, position: usize, length: i64 },
    #[error("a varint at position {position} is longer than five bytes")]
    Varint { position: usize },
    #[error("{what} at position {position} is not UTF-8")]
    NotUtf8 { what: &'static str, position: usize },
    #[error("{what} at position {position} must not be null")]
    Null { what: &'static str, position: usize },
    #[error("tag {tag} at position {position} is not larger than the one before it")]
    TagOrder { tag: u32, position: usize },
    #[error("tag {tag} at position {position} was read as {read} bytes but declares {declared}")]
    TagSize { tag: u32, position: usize, declared: usize, read: usize },
    #[error("{left} bytes follow the end of the message")]
    Trailing { left: usize },
    #[error(
        "{what} at position {position} has {count} elements, more than a request to this broker can have a use for"
    )]
    TooMany { what: &'static str, position: usize, count: usize },
}

/// Reads a frame front to back. `flexible` chooses between the classic lengths (i16, i32) and the compact ones.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    flexible: bool,
    /// Elements that arrays may still have.
    elements: usize,
}

impl<'a> Reader<'a> {
    /// A reader over `bytes` from `position` on; positions it reports count from the start of `bytes`.
    pub fn new(bytes: &'a [u8], position: usize, flexible: bool) -> Reader<'a> {
        Reader { bytes, position: position.min(bytes.len()), flexible, elements: usize::MAX }
    }

    /// Refuses a message whose arrays have more elements than this, all of them together: an element in memory is
    /// much larger than the few bytes it can be sent as.
    pub fn with_elements(self, elements: usize) -> Reader<'a> {
        Reader { elements, ..self }
    }

    pub fn position(&self) -> usize {
        self.position
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }

    pub fn is_flexible(&self) -> bool {
        self.flexible
    }

    /// The bytes of a range that this reader gave out.
    pub fn bytes_at(&self, range: Range<usize>) -> &'a [u8] {
        self.bytes.get(range).unwrap_or_default()
    }

    /// Error: `Trailing` unless everything was read.
    pub fn finish(&self) -> Result<(), WireError> {
        match self.remaining() {
            0 => Ok(()),
            left => Err(WireError::Trailing { left }),
        }
    }

    pub fn take(&mut self, needed: usize, what: &'static str) -> Result<&'a [u8], WireError> {
        let range = self.take_range(needed, what)?;
        Ok(self.bytes_at(range))
    }

    fn take_range(&mut self, needed: usize, what: &'static str) -> Result<Range<usize>, WireError> {
        let available = self.remaining();
        if needed > available {
            return Err(WireError::Short { what, position: self.position, needed, available });
        }
        let start = self.position;
        self.position += needed;
        Ok(start..self.position)
    }

    fn fixed<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], WireError> {
        let short =
            WireError::Short { what, position: self.position, needed: N, available: self.remaining() };
        let (head, _) =
            self.bytes.get(self.position..).and_then(<[u8]>::split_first_chunk::<N>).ok_or(short)?;
        self.position += N;
        Ok(*head)
    }

    pub fn u8(&mut self, what: &'static str) -> Result<u8, WireError> {
        Ok(u8::from_be_bytes(self.fixed(what)?))
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, WireError> {
        Ok(u32::from_be_bytes(self.fixed(what)?))
    }

    pub fn i8(&mut self, what: &'static str) -> Result<i8, WireError> {
        Ok(i8::from_be_bytes(self.fixed(what)?))
    }

    pub fn i16(&mut self, what: &'static str) -> Result<i16, WireError> {
        Ok(i16::from_be_bytes(self.fixed(what)?))
    }

    pub fn i32(&mut self, what: &'static str) -> Result<i32, WireError> {
        Ok(i32::from_be_bytes(self.fixed(what)?))
    }

    pub fn i64(&mut self, what: &'static str) -> Result<i64, WireError> {
        Ok(i64::from_be_bytes(self.fixed(what)?))
    }

    pub fn uuid(&mut self, what: &'static str) -> Result<Uuid, WireError> {
        Ok(Uuid(self.fixed(what)?))
    }

    /// An unsigned varint of at most 32 bits.
    pub fn uvarint(&mut self, what: &'static str) -> Result<u32, WireError> {
        let start = self.position;
        let mut value: u32 = 0;
        for place in 0..5 {
            let [byte] = self.fixed::<1>(what)?;
            let digit = u32::from(byte & 0x7f);
            if place == 4 && byte > 0x0f {
                return Err(WireError::Varint { position: start });
            }
            value |= digit << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::Varint { position: start })
    }

    /// A length or count: `None` is null. Classic ones are an i16 or i32 with −1 for null, compact ones a varint
    /// of the length plus one with 0 for null.
    fn length(&mut self, wide: bool, what: &'static str) -> Result<Option<usize>, WireError> {
        let position = self.position;
        let length = if self.flexible {
            i64::from(self.uvarint(what)?) - 1
        } else if wide {
            i64::from(self.i32(what)?)
        } else {
            i64::from(self.i16(what)?)
        };
        match length {
            -1 => Ok(None),
            0.. => Ok(Some(length as usize)),
            _ => Err(WireError::Length { what, position, length }),
        }
    }

    /// A string whose bytes stay in the frame.
    pub fn nullable_string(&mut self, what: &'static str) -> Result<Option<&'a str>, WireError> {
        let Some(length) = self.length(false, what)? else { return Ok(None) };
        let position = self.position;
        let bytes = self.take(length, what)?;
        std::str::from_utf8(bytes).map(Some).map_err(|_| WireError::NotUtf8 { what, position })
    }

    /// As `nullable_string`; null is an error.
    pub fn string(&mut self, what: &'static str) -> Result<&'a str, WireError> {
        let position = self.position;
        self.nullable_string(what)?.ok_or(WireError::Null { what, position })
    }

    /// A field of bytes that stay in the frame.
    pub fn nullable_bytes(&mut self, what: &'static str) -> Result<Option<&'a [u8]>, WireError> {
        Ok(self.nullable_bytes_range(what)?.map(|range| self.bytes_at(range)))
    }

    /// As `nullable_bytes`; null is an error.
    pub fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], WireError> {
        let position = self.position;
        self.nullable_bytes(what)?.ok_or(WireError::Null { what, position })
    }

    /// A field of bytes or records, as its range in the frame, so that the caller can take it mutably later.
    pub fn nullable_bytes_range(&mut self, what: &'static str) -> Result<Option<Range<usize>>, WireError> {
        match self.length(true, what)? {
            Some(length) => self.take_range(length, what).map(Some),
            None => Ok(None),
        }
    }

    /// An array's count, refused when its elements of at least `min_element` bytes cannot all be in what is left:
    /// a caller may allocate for the count it gets. `None` is a null array.
    pub fn nullable_array(
        &mut self,
        min_element: usize,
        what: &'static str,
    ) -> Result<Option<usize>, WireError> {
        let Some(count) = self.length(true, what)? else { return Ok(None) };
        let needed = count.saturating_mul(min_element.max(1));
        let available = self.remaining();
        if needed > available {
            return Err(WireError::Short { what, position: self.position, needed, available });
        }
        let too_many = WireError::TooMany { what, position: self.position, count };
        self.elements = self.elements.checked_sub(count).ok_or(too_many)?;
        Ok(Some(count))
    }

    /// As `nullable_array`; null is an error.
    pub fn array(&mut self, min_element: usize, what: &'static str) -> Result<usize, WireError> {
        let position = self.position;
        self.nullable_array(min_element, what)?.ok_or(WireError::Null { what, position })
    }

    /// The tagged fields at the end of a flexible structure; nothing in a classic one. Each known tag is given to
    /// `known`, which returns whether it read it; unknown ones are skipped.
    pub fn tagged(
        &mut self,
        mut known: impl FnMut(u32, &mut Reader<'a>) -> Result<bool, WireError>,
    ) -> Result<(), WireError> {
        if !self.flexible {
            return Ok(());
        }
        let count = self.uvarint("tagged fields")?;
        let mut previous: Option<u32> = None;
        for _ in 0..count {
            let position = self.position;
            let tag = self.uvarint("tag")?;
            if previous.is_some_and(|before| tag <= before) {
                return Err(WireError::TagOrder { tag, position });
            }
            previous = Some(tag);
            let declared = self.uvarint("tag size")? as usize;
            let range = self.take_range(declared, "tagged field")?;
            let mut inside = Reader {
                bytes: self.bytes.get(..range.end).unwrap_or_default(),
                position: range.start,
                flexible: true,
                elements: self.elements,
            };
            if known(tag, &mut inside)? && inside.remaining() > 0 {
                let read = inside.position - range.start;
                return Err(WireError::TagSize { tag, position, declared, read });
            }
        }
        Ok(())
    }

    /// Skips the tagged fields of a flexible structure.
    pub fn skip_tagged(&mut self) -> Result<(), WireError> {
        self.tagged(|_, _| Ok(false))
    }
}

/// Writes one message into a `Vec`, classic or flexible.
#[derive(Debug)]
pub struct Writer {
    bytes: Vec<u8>,
    flexible: bool,
}

impl Writer {
    pub fn new(flexible: bool, capacity: usize) -> Writer {
        Writer { bytes: Vec::with_capacity(capacity), flexible }
    }

    /// A response that starts with room for its size prefix, the correlation id and, in flexible versions, the
    /// header's empty tagged fields. End it with `patch_size`.
    pub fn response(correlation_id: i32, flexible: bool, capacity: usize) -> Writer {
        let mut writer = Writer::new(flexible, capacity + 9);
        writer.i32(0);
        writer.i32(correlation_id);
        writer.no_tags();
        writer
    }

    /// A classic writer that goes on where `bytes` ends.
    pub fn over(bytes: Vec<u8>) -> Writer {
        Writer { bytes, flexible: false }
    }

    pub fn is_flexible(&self) -> bool {
        self.flexible
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Takes out what was written so far and goes on with an empty buffer.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    pub fn i8(&mut self, value: i8) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub fn i16(&mut self, value: i16) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub fn i32(&mut self, value: i32) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.bytes.extend_from_slice(&value.to_be_bytes());
    }

    pub fn uuid(&mut self, value: Uuid) {
        self.bytes.extend_from_slice(value.as_bytes());
    }

    pub fn uvarint(&mut self, mut value: u32) {
        while value > 0x7f {
            self.bytes.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Lengths above what the form can say do not occur: names and messages are short, records bounded by i32.
    fn length(&mut self, length: Option<usize>, wide: bool) {
        if self.flexible {
            self.uvarint(length.map_or(0, |length| u32::try_from(length + 1).unwrap_or(u32::MAX)));
        } else if wide {
            self.i32(length.map_or(-1, |length| i32::try_from(length).unwrap_or(i32::MAX)));
        } else {
            self.i16(length.map_or(-1, |length| i16::try_from(length).unwrap_or(i16::MAX)));
        }
    }

    pub fn nullable_string(&mut self, value: Option<&str>) {
        // A classic string cannot say more than 32767 bytes: cut, on a character's border.
        let value = value.map(|text| {
            let mut end = text.len().min(i16::MAX as usize);
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            text.get(..end).unwrap_or_default()
        });
        self.length(value.map(str::len), false);
        self.bytes.extend_from_slice(value.unwrap_or_default().as_bytes());
    }

    pub fn string(&mut self, value: &str) {
        self.nullable_string(Some(value));
    }

    /// A byte that is 0 or 1.
    pub fn boolean(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    pub fn nullable_bytes(&mut self, value: Option<&[u8]>) {
        self.length(value.map(<[u8]>::len), true);
        self.bytes.extend_from_slice(value.unwrap_or_default());
    }

    pub fn bytes(&mut self, value: &[u8]) {
        self.nullable_bytes(Some(value));
    }

    /// An array's count; its elements follow.
    pub fn array(&mut self, count: usize) {
        self.length(Some(count), true);
    }

    pub fn null_array(&mut self) {
        self.length(None, true);
    }

    /// The length of a field of bytes or records that follows, here or from a file.
    pub fn bytes_length(&mut self, length: usize) {
        self.length(Some(length), true);
    }

    /// Bytes as they are, without a length.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Ends a structure that has no tagged fields to tell.
    pub fn no_tags(&mut self) {
        if self.flexible {
            self.bytes.push(0);
        }
    }
}

/// Sets the 4-byte size prefix at the start of a response whose first part is `first`, followed by `rest` more bytes.
pub fn patch_size(first: &mut [u8], rest: u64) {
    let size = (first.len() as u64).saturating_sub(4).saturating_add(rest);
    let size = i32::try_from(size).unwrap_or(i32::MAX);
    if let Some(prefix) = first.first_chunk_mut::<4>() {
        *prefix = size.to_be_bytes();
    }
}

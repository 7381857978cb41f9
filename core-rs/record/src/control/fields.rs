//! The few field types of flexible Kafka messages that control records use, read with bounds and written.

use super::Uuid;
use crate::error::BatchError;
use crate::varint::{read_unsigned_varint, write_unsigned_varint};

const SHORT: BatchError = BatchError::Control { what: "value cut short" };

/// A value, read front to back.
pub(super) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], BatchError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(super) fn i16(&mut self) -> Result<i16, BatchError> {
        self.take().map(i16::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Result<u16, BatchError> {
        self.take().map(u16::from_be_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, BatchError> {
        self.take().map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, BatchError> {
        self.take().map(i64::from_be_bytes)
    }

    pub(super) fn uuid(&mut self) -> Result<Uuid, BatchError> {
        self.take()
    }

    fn unsigned(&mut self) -> Result<usize, BatchError> {
        let value = read_unsigned_varint(&mut self.0).map_err(|_| SHORT)?;
        usize::try_from(value).map_err(|_| SHORT)
    }

    fn skip(&mut self, count: usize) -> Result<&'a [u8], BatchError> {
        let (skipped, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(skipped)
    }

    /// A compact string that is not null.
    pub(super) fn string(&mut self) -> Result<String, BatchError> {
        let len = self.unsigned()?.checked_sub(1).ok_or(BatchError::Control { what: "null string" })?;
        let text = std::str::from_utf8(self.skip(len)?);
        text.map(str::to_owned).map_err(|_| BatchError::Control { what: "string is not UTF-8" })
    }

    /// A compact array that is not null. Its length buys no memory: every element must be there.
    pub(super) fn array<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, BatchError>,
    ) -> Result<Vec<T>, BatchError> {
        let count = self.unsigned()?.checked_sub(1).ok_or(BatchError::Control { what: "null array" })?;
        if count > self.0.len() {
            return Err(SHORT);
        }
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(elements)
    }

    /// The tagged fields at a structure's end, all unknown and passed over.
    pub(super) fn tags(&mut self) -> Result<(), BatchError> {
        for _ in 0..self.unsigned()? {
            self.unsigned()?;
            let len = self.unsigned()?;
            self.skip(len)?;
        }
        Ok(())
    }
}

/// No tagged fields.
pub(super) fn put_tags(out: &mut Vec<u8>) {
    out.push(0);
}

/// A compact string. Error: `BuildOverflow` past Kafka's 32,767 bytes.
pub(super) fn put_string(out: &mut Vec<u8>, text: &str) -> Result<(), BatchError> {
    if text.len() > i16::MAX as usize {
        return Err(BatchError::BuildOverflow { what: "string" });
    }
    write_unsigned_varint(out, text.len() as u32 + 1);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// A compact array.
pub(super) fn put_array<T>(
    out: &mut Vec<u8>,
    elements: &[T],
    mut element: impl FnMut(&mut Vec<u8>, &T) -> Result<(), BatchError>,
) -> Result<(), BatchError> {
    let count = u32::try_from(elements.len()).ok().and_then(|count| count.checked_add(1));
    write_unsigned_varint(out, count.ok_or(BatchError::BuildOverflow { what: "array" })?);
    elements.iter().try_for_each(|each| element(out, each))
}

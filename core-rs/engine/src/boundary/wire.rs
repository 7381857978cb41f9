//! The frames of the packed boundary and why a batch is refused; the primitives inside are Kafka's classic ones, read
//! and written as everywhere. It knows no event and no command.

use crate::api::wire::{Reader, WireError, Writer};

/// Why a packed batch was refused. It is a programmer error of the other side, never a fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed boundary batch: {reason}")]
pub struct BoundaryError {
    pub reason: String,
}

impl BoundaryError {
    pub(crate) fn new(reason: impl Into<String>) -> BoundaryError {
        BoundaryError { reason: reason.into() }
    }
}

impl From<WireError> for BoundaryError {
    fn from(error: WireError) -> BoundaryError {
        BoundaryError::new(error.to_string())
    }
}

pub(crate) type Parsed<T> = Result<T, BoundaryError>;

pub(crate) fn reader(bytes: &[u8]) -> Reader<'_> {
    Reader::new(bytes, 0, false)
}

pub(crate) fn boolean(body: &mut Reader<'_>, what: &'static str) -> Parsed<bool> {
    match body.u8(what)? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(BoundaryError::new(format!("{what} is {other}, which is no bool"))),
    }
}

/// An array whose items take at least `item_min` bytes each.
pub(crate) fn items<'a, T>(
    body: &mut Reader<'a>,
    item_min: usize,
    what: &'static str,
    mut item: impl FnMut(&mut Reader<'a>) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    let count = body.array(item_min, what)?;
    let mut items = Vec::with_capacity(count);
    for _ in 0..count {
        items.push(item(body)?);
    }
    Ok(items)
}

/// Appends one frame: length and type around what `body` writes.
pub(crate) fn frame(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Writer)) {
    let start = out.len();
    let mut writer = Writer::over(std::mem::take(out));
    writer.raw(&[0, 0, 0, 0, kind]);
    body(&mut writer);
    *out = writer.into_bytes();
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(prefix) = out.get_mut(start..start + 4) {
        prefix.copy_from_slice(&length.to_be_bytes());
    }
}

/// Splits a batch into its frames and hands type and body of each to `read`; every body must be used up.
pub(crate) fn frames<'a, T>(
    batch: &'a [u8],
    mut read: impl FnMut(u8, &mut Reader<'a>) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    let mut rest = reader(batch);
    let mut items = Vec::new();
    while rest.remaining() > 0 {
        let length = rest.u32("frame length")? as usize;
        let mut body = reader(rest.take(length, "frame")?);
        let kind = body.u8("frame type")?;
        items.push(read(kind, &mut body)?);
        body.finish()?;
    }
    Ok(items)
}

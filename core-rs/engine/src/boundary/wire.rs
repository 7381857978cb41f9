//! Kafka's non-flexible primitives, big-endian, for the packed boundary: one reader that refuses whatever does not
//! fit and one writer. It never allocates by a declared length.

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

pub(crate) type Parsed<T> = Result<T, BoundaryError>;

/// Reads from the front of `rest`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn take(&mut self, count: usize) -> Parsed<&'a [u8]> {
        let Some((head, tail)) = self.rest.split_at_checked(count) else {
            return Err(BoundaryError::new(format!("{count} bytes wanted, {} left", self.rest.len())));
        };
        self.rest = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let Some((head, tail)) = self.rest.split_first_chunk::<N>() else {
            return Err(BoundaryError::new(format!("{N} bytes wanted, {} left", self.rest.len())));
        };
        self.rest = tail;
        Ok(*head)
    }

    pub fn u8(&mut self) -> Parsed<u8> {
        self.array::<1>().map(u8::from_be_bytes)
    }

    pub fn u32(&mut self) -> Parsed<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn i16(&mut self) -> Parsed<i16> {
        self.array().map(i16::from_be_bytes)
    }

    pub fn i32(&mut self) -> Parsed<i32> {
        self.array().map(i32::from_be_bytes)
    }

    pub fn i64(&mut self) -> Parsed<i64> {
        self.array().map(i64::from_be_bytes)
    }

    pub fn uuid(&mut self) -> Parsed<[u8; 16]> {
        self.array()
    }

    pub fn boolean(&mut self) -> Parsed<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(BoundaryError::new(format!("{other} is no bool"))),
        }
    }

    pub fn string(&mut self) -> Parsed<&'a str> {
        let length = self.i16()?;
        let Ok(length) = usize::try_from(length) else {
            return Err(BoundaryError::new(format!("a string of length {length}")));
        };
        std::str::from_utf8(self.take(length)?).map_err(|_| BoundaryError::new("a string that is not UTF-8"))
    }

    pub fn bytes(&mut self) -> Parsed<&'a [u8]> {
        self.nullable_bytes()?.ok_or_else(|| BoundaryError::new("null where bytes are needed"))
    }

    pub fn nullable_bytes(&mut self) -> Parsed<Option<&'a [u8]>> {
        let length = self.i32()?;
        if length == -1 {
            return Ok(None);
        }
        let Ok(length) = usize::try_from(length) else {
            return Err(BoundaryError::new(format!("bytes of length {length}")));
        };
        self.take(length).map(Some)
    }

    /// The count of an array whose items take at least `item_min` bytes each.
    pub fn count(&mut self, item_min: usize) -> Parsed<usize> {
        let count = self.i32()?;
        let fits = usize::try_from(count).ok().filter(|&n| n.saturating_mul(item_min) <= self.rest.len());
        fits.ok_or_else(|| {
            BoundaryError::new(format!("an array of {count} items in {} bytes", self.rest.len()))
        })
    }

    pub fn items<T>(
        &mut self,
        item_min: usize,
        mut item: impl FnMut(&mut Reader<'a>) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        let count = self.count(item_min)?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }
}

/// Appends one frame: length and type around what `body` writes.
pub(crate) fn frame(out: &mut Vec<u8>, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0, 0, 0, 0, kind]);
    body(out);
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
    let mut reader = Reader::new(batch);
    let mut items = Vec::new();
    while !reader.is_empty() {
        let length = reader.u32()? as usize;
        let mut body = Reader::new(reader.take(length)?);
        let kind = body.u8()?;
        items.push(read(kind, &mut body)?);
        if !body.is_empty() {
            return Err(BoundaryError::new(format!(
                "{} bytes too many in a frame of type {kind}",
                body.remaining()
            )));
        }
    }
    Ok(items)
}

pub(crate) trait WriteExt {
    fn put_i16(&mut self, value: i16);
    fn put_i32(&mut self, value: i32);
    fn put_i64(&mut self, value: i64);
    fn put_bool(&mut self, value: bool);
    fn put_string(&mut self, value: &str);
    fn put_bytes(&mut self, value: &[u8]);
    fn put_nullable_bytes(&mut self, value: Option<&[u8]>);
    fn put_count(&mut self, count: usize);
}

impl WriteExt for Vec<u8> {
    fn put_i16(&mut self, value: i16) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_i32(&mut self, value: i32) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_i64(&mut self, value: i64) {
        self.extend_from_slice(&value.to_be_bytes());
    }

    fn put_bool(&mut self, value: bool) {
        self.push(u8::from(value));
    }

    /// A string that is too long for its i16 length is cut at a character: only messages can be that long.
    fn put_string(&mut self, value: &str) {
        let mut end = value.len().min(i16::MAX as usize);
        while !value.is_char_boundary(end) {
            end -= 1;
        }
        self.put_i16(end as i16);
        self.extend_from_slice(value.as_bytes().get(..end).unwrap_or_default());
    }

    fn put_bytes(&mut self, value: &[u8]) {
        self.put_count(value.len());
        self.extend_from_slice(value);
    }

    fn put_nullable_bytes(&mut self, value: Option<&[u8]>) {
        match value {
            Some(bytes) => self.put_bytes(bytes),
            None => self.put_i32(-1),
        }
    }

    fn put_count(&mut self, count: usize) {
        self.put_i32(i32::try_from(count).unwrap_or(i32::MAX));
    }
}

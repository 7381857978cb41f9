//! What the control plane's requests and replies have that those of the data plane lack: flexible versions, and fields
//! read one by one. It knows no socket.

use std::io;

use super::requests::Request;

impl Request {
    /// Header version 2, for flexible versions.
    pub fn flexible(api_key: i16, api_version: i16, correlation: i32) -> Self {
        Self::new(api_key, api_version, correlation).no_tags()
    }
    pub fn null_string(self) -> Self {
        self.i16(-1)
    }
    pub fn bytes(self, value: &[u8]) -> Self {
        self.i32(value.len() as i32).raw(value)
    }
    /// The length of a flexible version's array or string: one more than there are.
    pub fn compact_length(self, length: usize) -> Self {
        let (mut this, mut left) = (self, length + 1);
        while left >= 0x80 {
            this = this.raw(&[left as u8 | 0x80]);
            left >>= 7;
        }
        this.raw(&[left as u8])
    }
    pub fn compact_string(self, value: &str) -> Self {
        self.compact_length(value.len()).raw(value.as_bytes())
    }
    pub fn no_tags(self) -> Self {
        self.raw(&[0])
    }
}

/// What is left to read of a reply. Error of all reads: the reply is too short.
pub struct Reply<'a>(&'a [u8]);

impl<'a> Reply<'a> {
    /// `reply` begins at the correlation id.
    pub fn new(reply: &'a [u8]) -> Self {
        Self(reply)
    }
    pub fn take(&mut self, length: usize) -> io::Result<&'a [u8]> {
        let (taken, rest) =
            self.0.split_at_checked(length).ok_or_else(|| io::Error::other("a reply is too short"))?;
        self.0 = rest;
        Ok(taken)
    }
    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        self.take(N)?.try_into().map_err(io::Error::other)
    }
    pub fn i16(&mut self) -> io::Result<i16> {
        Ok(i16::from_be_bytes(self.array()?))
    }
    pub fn i32(&mut self) -> io::Result<i32> {
        Ok(i32::from_be_bytes(self.array()?))
    }
    pub fn i64(&mut self) -> io::Result<i64> {
        Ok(i64::from_be_bytes(self.array()?))
    }
    pub fn string(&mut self) -> io::Result<&'a str> {
        let length = usize::try_from(self.i16()?).unwrap_or(0);
        std::str::from_utf8(self.take(length)?).map_err(io::Error::other)
    }
    fn varint(&mut self) -> io::Result<u32> {
        let mut value = 0;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(io::Error::other("a varint of a reply does not end"))
    }
    /// The length of a flexible version's array or string; null counts as none.
    pub fn compact_length(&mut self) -> io::Result<usize> {
        Ok(self.varint()?.saturating_sub(1) as usize)
    }
    pub fn skip_compact_string(&mut self) -> io::Result<()> {
        let length = self.compact_length()?;
        self.take(length).map(drop)
    }
    pub fn skip_tags(&mut self) -> io::Result<()> {
        for _ in 0..self.varint()? {
            self.varint()?;
            let size = self.varint()? as usize;
            self.take(size)?;
        }
        Ok(())
    }
}

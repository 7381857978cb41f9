//! Frames of the few requests that the loads send, and reading the replies' fields. No socket.

use std::fmt::Display;
use std::io;

/// A request in the making, header version 1, its size filled in by `frame`.
pub struct Request(Vec<u8>);

impl Request {
    pub fn new(api_key: i16, api_version: i16, correlation: i32) -> Self {
        Self(vec![0; 4]).i16(api_key).i16(api_version).i32(correlation).string("bench")
    }
    pub fn i8(mut self, value: i8) -> Self {
        self.0.push(value as u8);
        self
    }
    pub fn i16(mut self, value: i16) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }
    pub fn i32(mut self, value: i32) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }
    pub fn i64(mut self, value: i64) -> Self {
        self.0.extend(value.to_be_bytes());
        self
    }
    pub fn string(self, value: &str) -> Self {
        self.i16(value.len() as i16).raw(value.as_bytes())
    }
    /// Bytes as they are, without a length.
    pub fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }
    /// As many elements as `of` has, each written by `write`.
    pub fn array<T>(self, of: &[T], write: impl Fn(Self, &T) -> Self) -> Self {
        let this = self.i32(of.len() as i32);
        of.iter().fold(this, write)
    }
    /// Bytes so far: where the next field will stand in the frame.
    pub fn position(&self) -> usize {
        self.0.len()
    }
    /// The frame with its size, counting `following` bytes that are sent right after it.
    pub fn frame(mut self, following: usize) -> Vec<u8> {
        let size = (self.0.len() - 4 + following) as u32;
        self.0[..4].copy_from_slice(&size.to_be_bytes());
        self.0
    }
}

/// Where a frame keeps its correlation id, so that a prebuilt one can be sent again under another.
pub const CORRELATION_AT: usize = 8;

/// Produce v7 with acks=1 for one batch of `batch_length` bytes: everything before the batch.
pub fn produce_head(correlation: i32, topic: &str, partition: i32, batch_length: usize) -> Vec<u8> {
    let request = Request::new(0, 7, correlation).i16(-1).i16(1).i32(30_000);
    let request = request.i32(1).string(topic).i32(1).i32(partition).i32(batch_length as i32);
    request.frame(batch_length)
}

/// Error code and base offset of the one partition in a reply to `produce_head`, which starts at its correlation id.
pub fn produced(reply: &[u8], topic: &str) -> io::Result<(i16, i64)> {
    let partition_at = 4 + 4 + 2 + topic.len() + 4;
    let code = i16::from_be_bytes(field(reply, partition_at + 4)?);
    Ok((code, i64::from_be_bytes(field(reply, partition_at + 6)?)))
}

/// The `N` bytes at `at`. Error: the reply is too short.
pub fn field<const N: usize>(reply: &[u8], at: usize) -> io::Result<[u8; N]> {
    reply
        .get(at..at + N)
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| io::Error::other(format!("a reply of {} bytes is too short", reply.len())))
}

/// Error: any code but 0, named with the API.
pub fn expect_no_error(what: impl Display, code: i16) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::other(format!("{what}: error code {code}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_produce_frame_counts_the_batch_that_follows() {
        let head = produce_head(7, "t", 3, 100);
        assert_eq!(u32::from_be_bytes(field(&head, 0).unwrap()) as usize, head.len() - 4 + 100);
        assert_eq!(i32::from_be_bytes(field(&head, CORRELATION_AT).unwrap()), 7);
        assert_eq!(head[head.len() - 8..], [0, 0, 0, 3, 0, 0, 0, 100]);
    }

    #[test]
    fn a_produce_reply_gives_code_and_base_offset() {
        let mut reply = vec![0; 4];
        reply.extend([0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 3, 0, 6]);
        reply.extend(41i64.to_be_bytes());
        assert_eq!(produced(&reply, "t").unwrap(), (6, 41));
        assert!(produced(&reply[..20], "t").is_err());
    }
}

//! One blocking connection of the lean client: sends frames, takes replies. What a frame means is not known here.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use super::control_frames::Reply;
use super::requests::Request;
use super::tcp;

const BUFFER: usize = 64 * 1024;

pub struct Connection {
    stream: TcpStream,
    correlation: i32,
    /// Replies that came and were not taken yet: `buffer[start..end]`.
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    scratch: Vec<u8>,
}

impl Connection {
    pub fn open(address: &str) -> io::Result<Self> {
        let stream = tcp::connect(address)?;
        Ok(Self { stream, correlation: 0, buffer: vec![0; BUFFER], start: 0, end: 0, scratch: Vec::new() })
    }

    /// The correlation id of the next request.
    pub fn next(&mut self) -> i32 {
        self.correlation = self.correlation.wrapping_add(1);
        self.correlation
    }

    pub fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        self.stream.write_all(frame)
    }

    /// The next reply after its size. Several that came together are read together.
    pub fn reply(&mut self) -> io::Result<&[u8]> {
        self.gather(4)?;
        let size = self.buffer[self.start..self.start + 4]
            .iter()
            .fold(0, |size, byte| size << 8 | usize::from(*byte));
        self.gather(4 + size)?;
        let body = self.start + 4;
        self.start = body + size;
        Ok(&self.buffer[body..self.start])
    }

    /// Makes sure that `count` bytes lie at `start`.
    fn gather(&mut self, count: usize) -> io::Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.start + count > self.buffer.len() {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            self.buffer.resize(self.buffer.len().max(count), 0);
        }
        while self.end - self.start < count {
            match self.stream.read(&mut self.buffer[self.end..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => self.end += read,
            }
        }
        Ok(())
    }

    /// One request, and its reply from behind the correlation id on.
    pub fn ask(
        &mut self,
        api_key: i16,
        api_version: i16,
        body: impl FnOnce(Request) -> Request,
    ) -> io::Result<Reply<'_>> {
        let correlation = self.next();
        self.send(&body(Request::new(api_key, api_version, correlation)).frame(0))?;
        self.answer(correlation)
    }

    /// The next reply from behind its correlation id on. Error: an answer to another request.
    pub fn answer(&mut self, correlation: i32) -> io::Result<Reply<'_>> {
        let mut reply = Reply::new(self.reply()?);
        match reply.i32()? {
            id if id == correlation => Ok(reply),
            id => Err(io::Error::other(format!("a reply to request {id}, expected {correlation}"))),
        }
    }

    /// Takes exactly these bytes of a reply that is read in pieces: nothing of it may have been gathered.
    pub fn take(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        debug_assert!(self.start == self.end, "a reply was gathered already");
        self.stream.read_exact(bytes)
    }

    /// Drops bytes of a reply that is read in pieces, without copying them.
    pub fn discard(&mut self, mut bytes: usize) -> io::Result<()> {
        self.scratch.resize(1 << 20, 0);
        while bytes > 0 {
            let piece = bytes.min(self.scratch.len());
            match tcp::discard(&self.stream, &mut self.scratch[..piece])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => bytes -= read,
            }
        }
        Ok(())
    }
}

//! A connection that never waits: what the socket does not take is kept, replies are handed over once they are whole.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use super::frames::whole_reply;
use super::tcp;

const READ_BYTES: usize = 256 << 10;

pub struct Wire {
    stream: TcpStream,
    /// What the socket did not take yet: `unsent[taken..]`.
    unsent: Vec<u8>,
    taken: usize,
    /// Received and not yet handed over: the first `filled` bytes.
    buffer: Vec<u8>,
    filled: usize,
}

impl Wire {
    pub fn open(address: &str) -> io::Result<Self> {
        let stream = tcp::connect(address)?;
        stream.set_nonblocking(true)?;
        Ok(Self { stream, unsent: Vec::new(), taken: 0, buffer: vec![0; READ_BYTES], filled: 0 })
    }

    /// Sends a frame, or as much as the socket takes, after what it did not take before.
    pub fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(frame);
            return self.flush();
        }
        let taken = write(&mut self.stream, frame)?;
        self.unsent.extend_from_slice(&frame[taken..]);
        Ok(())
    }

    /// Sends what the socket did not take.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.unsent.is_empty() {
            return Ok(());
        }
        self.taken += write(&mut self.stream, &self.unsent[self.taken..])?;
        // A long backlog is not moved for every piece of it that leaves.
        if self.taken > self.unsent.len() / 2 {
            self.unsent.drain(..self.taken);
            self.taken = 0;
        }
        Ok(())
    }

    /// Whether something waits for the socket.
    pub fn is_behind(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Reads once and hands over each whole reply, from its correlation id on. Nothing came: nothing happens.
    /// Error: the broker closed the connection, or what `each` found.
    pub fn receive(&mut self, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        match self.stream.read(&mut self.buffer[self.filled..]) {
            Ok(0) => return Err(io::Error::other("the broker closed a connection")),
            Ok(read) => self.filled += read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
        let mut used = 0;
        while let Some((reply, length)) = whole_reply(&self.buffer[used..self.filled]) {
            each(reply)?;
            used += length;
        }
        self.buffer.copy_within(used..self.filled, 0);
        self.filled -= used;
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        Ok(())
    }
}

/// What the socket takes now.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match stream.write(bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

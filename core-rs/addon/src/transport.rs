//! Bytes between a socket and a connection's state: recv into a given buffer, send of what is queued. Record bytes
//! leave the page cache by sendfile and are never read into this process. TLS will stand beside this.

use std::io::{self, ErrorKind};

use millrace_engine::conn::{Front, Output};
use mio::net::TcpStream;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};

/// How much one sendfile call moves: large enough to amortise the call, small enough that other connections of the
/// thread get their turn.
const SENDFILE_BYTES: u64 = 1 << 20;
const IOVECS: usize = 32;

/// What one attempt to move bytes came to.
pub enum Moved {
    Bytes(usize),
    /// The socket is not ready; epoll will say when.
    Blocked,
    /// The peer closed its side, or the connection broke.
    Closed,
}

fn outcome(result: io::Result<usize>) -> Moved {
    match result {
        Ok(0) => Moved::Closed,
        Ok(bytes) => Moved::Bytes(bytes),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Moved::Blocked,
        Err(error) if error.kind() == ErrorKind::Interrupted => Moved::Bytes(0),
        Err(_) => Moved::Closed,
    }
}

pub fn receive(socket: &TcpStream, buffer: &mut [u8]) -> Moved {
    outcome(rustix::net::recv(socket, buffer, RecvFlags::DONTWAIT).map(|(read, _)| read).map_err(Into::into))
}

/// Sends from the front of `output`, which must not be empty. Consecutive parts in memory go in one call; MSG_MORE
/// joins a header to the stretch of file behind it, so that both share segments.
pub fn send(socket: &TcpStream, output: &Output) -> Moved {
    if let Some(Front::File(range)) = output.front() {
        let Some(file) = range.file.fd() else { return Moved::Closed };
        let mut offset = range.offset;
        let bytes = range.len.min(SENDFILE_BYTES) as usize;
        // Nothing sent although bytes were promised: the file is shorter than its range, the reply cannot be kept.
        return outcome(rustix::fs::sendfile(socket, file, Some(&mut offset), bytes).map_err(Into::into));
    }
    let (slices, more) = output.front_slices(IOVECS);
    let mut flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    if more {
        flags |= SendFlags::MORE;
    }
    let sent = rustix::net::sendmsg(socket, &slices, &mut SendAncillaryBuffer::default(), flags);
    outcome(sent.map_err(Into::into))
}

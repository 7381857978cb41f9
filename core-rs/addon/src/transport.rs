//! Bytes between a socket and a connection's state: recv into a given buffer, send of what is queued. Record bytes
//! leave the page cache by sendfile and are never read into this process. TLS will stand beside this.

use std::io::{self, ErrorKind};

use millrace_engine::conn::{Front, Output};
use mio::net::TcpStream;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};

/// How much one sendfile call moves: large enough to amortise it.
pub const SENDFILE_BYTES: usize = 1 << 20;
const IOVECS: usize = 32;

/// What one attempt to move bytes came to.
pub enum Moved {
    Bytes(usize),
    /// The socket is not ready; epoll will say when.
    Blocked,
    /// The peer closed its side, or the connection broke.
    Closed,
    /// The file that is next could not be read: the disk is to blame, not the peer.
    Unreadable(io::Error),
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

/// Whether this error of sendfile comes from reading the file: what Linux's block devices and file systems answer for a
/// bad medium, a bad checksum or a device that is gone. None of it is an error of a TCP socket.
fn blames_disk(error: Errno) -> bool {
    matches!(
        error,
        Errno::IO
            | Errno::NODATA
            | Errno::BADMSG
            | Errno::UCLEAN
            | Errno::REMOTEIO
            | Errno::NXIO
            | Errno::STALE
    )
}

pub fn receive(socket: &TcpStream, buffer: &mut [u8]) -> Moved {
    outcome(rustix::net::recv(socket, buffer, RecvFlags::DONTWAIT).map(|(read, _)| read).map_err(Into::into))
}

/// Sends from the front of `output`, which must not be empty; of a file `most` bytes. Consecutive parts in memory go in
/// one call; MSG_MORE joins a header to the stretch of file behind it, so that both share segments.
pub fn send(socket: &TcpStream, output: &Output, most: usize) -> Moved {
    if let Some(Front::File(range)) = output.front() {
        let Some(file) = range.file.fd() else { return Moved::Closed };
        let mut offset = range.offset;
        let bytes = usize::try_from(range.len).unwrap_or(most).min(most);
        // Nothing sent although bytes were promised: the file is shorter than its range, the reply cannot be kept.
        return match rustix::fs::sendfile(socket, file, Some(&mut offset), bytes) {
            Err(error) if blames_disk(error) => Moved::Unreadable(error.into()),
            sent => outcome(sent.map_err(Into::into)),
        };
    }
    let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
    let with_more = |more: bool| if more { flags | SendFlags::MORE } else { flags };
    // One reply of one part, or of one before a file, is the common case, and the plain call is the cheaper one.
    if let Some(bytes) = output.lone_bytes() {
        let flags = with_more(output.has_more_behind_front());
        return outcome(rustix::net::send(socket, bytes, flags).map_err(Into::into));
    }
    let (slices, more) = output.front_slices(IOVECS);
    let sent = rustix::net::sendmsg(socket, &slices, &mut SendAncillaryBuffer::default(), with_more(more));
    outcome(sent.map_err(Into::into))
}

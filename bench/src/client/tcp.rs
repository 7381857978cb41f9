//! How clients of loads and floors connect: without Nagle, and on one machine so that their sending is at their
//! own cost. And receiving without copying.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};

use rustix::net::RecvFlags;
use rustix::net::sockopt::{set_socket_send_buffer_size, set_tcp_congestion};

/// Less than a broker's receive buffer in the suite (1 MiB), so that what is sent always has room there.
const SEND_BUFFER: usize = 384 << 10;

/// A blocking connection. Over loopback, its choice of how to send decides what a broker pays:
///
/// - Where more is queued than the receiver has room for, each of its acks sends the next piece, on the receiver's core
///   and at its cost, unless the sender happens to be in a call just then: 1 GiB cost a broker 0.43 CPU-s with 1,500
///   softirqs or 0.62 with 14,000, at random. A small buffer leaves all sending to the client's core.
/// - Where the machine's default is BBR, a client that was idle or held up would have its next requests paced by what it
///   sent before: a wait of the client's own making. Reno is always there and never paces.
pub fn connect(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    if stream.peer_addr()?.ip().is_loopback() {
        set_socket_send_buffer_size(&stream, SEND_BUFFER)?;
        // Where it is refused, the machine's default has to do.
        let _ = set_tcp_congestion(&stream, "reno");
    }
    Ok(stream)
}

/// Takes bytes off a socket without copying them: the reader's memory traffic is not what is measured.
pub fn discard(socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, buffer, RecvFlags::TRUNC).map(|(_, length)| length)?)
}

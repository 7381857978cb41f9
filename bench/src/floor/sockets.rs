//! Loopback sockets of a floor, and receiving without copying.

use std::io;
use std::net::{TcpListener, TcpStream};

use rustix::net::RecvFlags;

/// Takes bytes off a socket without copying them: the reader's memory traffic is not what is measured.
pub fn discard(socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, buffer, RecvFlags::TRUNC).map(|(_, length)| length)?)
}

/// A connected pair: client, server.
pub fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    Ok((client, server))
}

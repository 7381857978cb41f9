//! Loopback sockets of a floor.

use std::io;
use std::net::{TcpListener, TcpStream};

use crate::client::tcp;

/// A connected pair: client, server.
pub fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = tcp::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    server.set_nodelay(true)?;
    Ok((client, server))
}

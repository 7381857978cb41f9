//! How the loads that measure waiting connect: without Nagle, and without a congestion control that paces.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};

use rustix::net::sockopt::set_tcp_congestion;

/// A blocking connection. Where the machine's default is BBR, a client that was idle or held up would have its next
/// requests paced by what it sent before: a wait of the client's own making. Reno is always there and never paces.
pub fn connect(address: impl ToSocketAddrs) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    // Where it is refused, the machine's default has to do.
    let _ = set_tcp_congestion(&stream, "reno");
    Ok(stream)
}

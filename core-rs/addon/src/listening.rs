//! Opening a listening socket. Which listeners there are is the control plane's decision.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use mio::net::TcpListener;
use socket2::{Domain, Protocol, Socket, Type};

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 1024;

/// Binds and listens; port 0 takes a free one. With the address that it got.
pub fn bind(host: &str, port: i32) -> io::Result<(TcpListener, SocketAddr)> {
    let port = u16::try_from(port).map_err(|_| io::Error::other(format!("{port} is no port")))?;
    // An empty host is every address, as in Kafka's `PLAINTEXT://:9092`.
    let host = if host.is_empty() { "0.0.0.0" } else { host };
    let address = (host, port)
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::other(format!("the host {host} has no address")))?;
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into());
    let address = listener.local_addr()?;
    Ok((listener, address))
}

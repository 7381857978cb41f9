//! Opening listening sockets and setting up what they accept. Which listeners there are is the control plane's decision.

use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 1024;
/// A peer that is gone without a word is found out within four and a half minutes, be it idle or waited for.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(120);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMES: u32 = 5;
/// Descriptors that connections never take, a fixed number and a part of all: logs must be able to open their files.
/// Where 20,000 are allowed, that leaves a little more than 15,000 connections.
const KEPT_ALWAYS: u64 = 64;
const KEPT_PART: u64 = 5;

/// Binds and listens; port 0 takes a free one. With the address that it got.
pub fn bind(host: &str, port: i32) -> io::Result<(TcpListener, SocketAddr)> {
    let port = u16::try_from(port).map_err(|_| io::Error::other(format!("{port} is no port")))?;
    if !host.is_empty() {
        return bind_to(address_of(host, port)?);
    }
    // An empty host is every address, as in Kafka's `PLAINTEXT://:9092`: those of IPv6 too where there is IPv6.
    bind_to((Ipv6Addr::UNSPECIFIED, port).into()).or_else(|error| match Errno::from_io_error(&error) {
        Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL) => bind_to((Ipv4Addr::UNSPECIFIED, port).into()),
        _ => Err(error),
    })
}

/// Of several addresses one of IPv4, as Java prefers it: `localhost` is 127.0.0.1.
fn address_of(host: &str, port: u16) -> io::Result<SocketAddr> {
    let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    let preferred = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first());
    preferred.copied().ok_or_else(|| io::Error::other(format!("the host {host} has no address")))
}

fn bind_to(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.ip() == Ipv6Addr::UNSPECIFIED {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    let listener = TcpListener::from_std(socket.into());
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// What every accepted connection gets.
pub fn set_up(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let keepalive = TcpKeepalive::new()
        .with_time(KEEPALIVE_AFTER)
        .with_interval(KEEPALIVE_EVERY)
        .with_retries(KEEPALIVE_TIMES);
    let _ = SockRef::from(stream).set_tcp_keepalive(&keepalive);
}

/// How many descriptors connections may take.
pub fn descriptors_for_connections() -> u32 {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    u32::try_from(limit.saturating_sub(KEPT_ALWAYS + limit / KEPT_PART)).unwrap_or(u32::MAX)
}

/// A descriptor that is kept so that a connection can still be taken, and refused, when there is none left: it would
/// wait in the kernel's queue otherwise, and its client with it.
pub struct Spare(Option<File>);

impl Spare {
    pub fn new() -> Spare {
        Spare(File::open("/dev/null").ok())
    }

    /// Takes the next connection and closes it. False when there was none, or no descriptor even so.
    pub fn turn_away(&mut self, listener: &TcpListener) -> bool {
        drop(self.0.take());
        let turned_away = listener.accept().is_ok();
        *self = Spare::new();
        turned_away
    }
}

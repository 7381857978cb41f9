//! Many connections on one epoll: frames go out as they are given, replies come back whole and in order. It never
//! looks into either.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::requests::Request;
use super::tcp;
use crate::output::Figures;

/// So many connections are opened before one is asked something: the broker's queue of connections is short.
const OPENED_AT_ONCE: usize = 32;
const READ_BYTES: usize = 256 << 10;

struct Peer {
    stream: TcpStream,
    /// The beginning of a reply whose end has not come.
    partial: Vec<u8>,
    /// What the socket did not take.
    unsent: Vec<u8>,
    /// When what is not answered was sent.
    sent_at: VecDeque<Instant>,
}

pub struct Swarm {
    poll: Poll,
    events: Events,
    peers: Vec<Peer>,
    buffer: Vec<u8>,
    in_flight: usize,
}

impl Swarm {
    /// `count` connections, all of them accepted.
    pub fn open(bootstrap: &str, count: usize) -> io::Result<Self> {
        let address = resolve(bootstrap)?;
        let mut swarm = Self {
            poll: Poll::new()?,
            events: Events::with_capacity(1024),
            peers: Vec::with_capacity(count),
            buffer: vec![0; READ_BYTES],
            in_flight: 0,
        };
        for number in 0..count {
            let stream = tcp::connect(address)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            let interest = Interest::READABLE | Interest::WRITABLE;
            swarm.poll.registry().register(&mut stream, Token(number), interest)?;
            swarm.peers.push(Peer {
                stream,
                partial: Vec::new(),
                unsent: Vec::new(),
                sent_at: VecDeque::new(),
            });
            if number % OPENED_AT_ONCE == OPENED_AT_ONCE - 1 || number == count - 1 {
                swarm.send(number, &api_versions(0))?;
                swarm.settle(|_, _, _| Ok(()))?;
            }
        }
        Ok(swarm)
    }

    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// Requests without a reply.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Requests of one connection without a reply.
    pub fn in_flight_on(&self, number: usize) -> usize {
        self.peers[number].sent_at.len()
    }

    pub fn send(&mut self, number: usize, frame: &[u8]) -> io::Result<()> {
        let peer = &mut self.peers[number];
        peer.sent_at.push_back(Instant::now());
        self.in_flight += 1;
        if !peer.unsent.is_empty() {
            peer.unsent.extend_from_slice(frame);
            return Ok(());
        }
        let taken = write_some(&mut peer.stream, frame)?;
        peer.unsent.extend_from_slice(&frame[taken..]);
        Ok(())
    }

    /// Waits for what comes, at most `timeout`, and hands over each reply from its correlation id on, with its
    /// connection's number and how long it took. Error: a connection that ended, or what `on_reply` found.
    pub fn turn(
        &mut self,
        timeout: Option<Duration>,
        mut on_reply: impl FnMut(usize, &[u8], Duration) -> io::Result<()>,
    ) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let number = event.token().0;
            let peer = &mut self.peers[number];
            if event.is_writable() && !peer.unsent.is_empty() {
                let taken = write_some(&mut peer.stream, &peer.unsent)?;
                peer.unsent.drain(..taken);
            }
            if !event.is_readable() {
                continue;
            }
            loop {
                let count = match peer.stream.read(&mut self.buffer) {
                    Ok(0) => return Err(io::Error::other(format!("connection {number} was closed"))),
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                    Err(error) => return Err(error),
                };
                let sent_at = &mut peer.sent_at;
                let before = sent_at.len();
                let mut each = |reply: &[u8]| match sent_at.pop_front() {
                    Some(at) => on_reply(number, reply, at.elapsed()),
                    None => Err(io::Error::other("a reply that nobody asked for")),
                };
                if peer.partial.is_empty() {
                    let used = replies(&self.buffer[..count], &mut each)?;
                    peer.partial.extend_from_slice(&self.buffer[used..count]);
                } else {
                    peer.partial.extend_from_slice(&self.buffer[..count]);
                    let used = replies(&peer.partial, &mut each)?;
                    peer.partial.drain(..used);
                }
                self.in_flight -= before - peer.sent_at.len();
                if count < self.buffer.len() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Turns until every request has its reply.
    pub fn settle(
        &mut self,
        mut on_reply: impl FnMut(usize, &[u8], Duration) -> io::Result<()>,
    ) -> io::Result<()> {
        let started = Instant::now();
        while self.in_flight > 0 {
            self.turn(Some(Duration::from_secs(1)), &mut on_reply)?;
            if started.elapsed() > Duration::from_secs(120) {
                return Err(io::Error::other(format!(
                    "{} requests have no reply after 120 s",
                    self.in_flight
                )));
            }
        }
        Ok(())
    }

    /// Closes all connections but the first `count`.
    pub fn keep(&mut self, count: usize) {
        self.peers.truncate(count);
    }
}

/// Hands over the whole replies in `bytes`; how many bytes they were.
fn replies(bytes: &[u8], each: &mut impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<usize> {
    let mut used = 0;
    while let Some((size, rest)) = bytes[used..].split_first_chunk() {
        let Some(reply) = rest.get(..u32::from_be_bytes(*size) as usize) else { break };
        each(reply)?;
        used += 4 + reply.len();
    }
    Ok(used)
}

/// What the socket takes now.
fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match stream.write(bytes) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
        other => other,
    }
}

/// The first address of `host:port`.
pub fn resolve(bootstrap: &str) -> io::Result<SocketAddr> {
    let mut addresses = bootstrap.to_socket_addrs()?;
    addresses.next().ok_or_else(|| io::Error::other(format!("{bootstrap}: no address")))
}

/// ApiVersions v3, as every client begins.
pub fn api_versions(correlation: i32) -> Vec<u8> {
    Request::flexible(18, 3, correlation).compact_string("bench").compact_string("1").no_tags().frame(0)
}

/// How many of a fixed rate's requests are due since it began.
pub fn due(started: Instant, per_second: f64) -> u64 {
    (started.elapsed().as_secs_f64() * per_second) as u64
}

/// Adds the percentiles of `times` (µs): `p50Us`, `p99Us`, `p999Us`, `maxUs`.
pub fn add_percentiles(to: &mut Figures, times: &Histogram<u64>) {
    for (name, quantile) in [("p50Us", 0.5), ("p99Us", 0.99), ("p999Us", 0.999), ("maxUs", 1.0)] {
        to.insert(name.to_string(), times.value_at_quantile(quantile).into());
    }
}

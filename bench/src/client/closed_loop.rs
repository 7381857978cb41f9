//! Connections with one request in flight each: as soon as one has its reply, it sends again. One thread, one epoll.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::frames::{ProduceFrame, whole_reply};
use super::swarm::api_versions;
use super::tcp;
use crate::percentiles::Latencies;

/// So many connections are opened before one is asked something: the broker's queue of connections is short.
const OPENED_AT_ONCE: usize = 32;
const READ_BYTES: usize = 64 << 10;
/// No reply for so long is an error.
const PATIENCE: Duration = Duration::from_secs(30);

struct Peer {
    stream: TcpStream,
    frame: ProduceFrame,
    /// The beginning of a reply whose end has not come.
    partial: Vec<u8>,
    sent_at: Instant,
}

pub struct ClosedLoop {
    poll: Poll,
    peers: Vec<Peer>,
}

impl ClosedLoop {
    /// A connection to `address` for each of the frames, all of them accepted: to see that, some are asked for
    /// ApiVersions where there is a broker and not a floor.
    pub fn open(address: &str, frames: Vec<ProduceFrame>, is_broker: bool) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut peers = Vec::with_capacity(frames.len());
        for frame in frames {
            let stream = tcp::connect(address)?;
            if is_broker && peers.len() % OPENED_AT_ONCE == OPENED_AT_ONCE - 1 {
                greet(&stream)?;
            }
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(peers.len()), Interest::READABLE)?;
            peers.push(Peer { stream, frame, partial: Vec::new(), sent_at: Instant::now() });
        }
        Ok(Self { poll, peers })
    }

    /// Requests for `length`, then the replies that are outstanding; how long each took. `on_ack` gets the connection's
    /// number and the base offset. Error: a refusal, a closed connection, no reply for 30 s, or what `on_ack` found.
    pub fn run(
        &mut self,
        length: Duration,
        mut on_ack: impl FnMut(usize, i64) -> io::Result<()>,
    ) -> io::Result<Latencies> {
        let mut latencies = Latencies::new();
        let mut buffer = vec![0; READ_BYTES];
        let mut events = Events::with_capacity(1024);
        let until = Instant::now() + length;
        let mut in_flight = self.peers.len();
        for peer in &mut self.peers {
            peer.send(Instant::now())?;
        }
        while in_flight > 0 {
            match self.poll.poll(&mut events, Some(PATIENCE)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            }
            if events.is_empty() {
                return Err(io::Error::other(format!(
                    "{in_flight} requests have no reply after {PATIENCE:?}"
                )));
            }
            for event in &events {
                let number = event.token().0;
                let peer = &mut self.peers[number];
                let Some(base_offset) = peer.receive(&mut buffer)? else { continue };
                let now = Instant::now();
                on_ack(number, base_offset)?;
                latencies.record((now - peer.sent_at).as_nanos() as u64, 1);
                if now < until {
                    peer.send(now)?;
                } else {
                    in_flight -= 1;
                }
            }
        }
        Ok(latencies)
    }
}

/// Asks for ApiVersions and waits for the answer.
fn greet(mut stream: &std::net::TcpStream) -> io::Result<()> {
    stream.write_all(&api_versions(0))?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    stream.read_exact(&mut vec![0; u32::from_be_bytes(size) as usize])
}

impl Peer {
    fn send(&mut self, now: Instant) -> io::Result<()> {
        self.sent_at = now;
        // With nothing else in flight the socket's buffer is empty: it takes a small frame whole.
        self.stream.write_all(self.frame.next())
    }

    /// The base offset of the ack, once it is whole.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<i64>> {
        let read = match self.stream.read(buffer) {
            Ok(0) => return Err(io::Error::other("the broker closed a connection")),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error),
        };
        let bytes = if self.partial.is_empty() {
            &buffer[..read]
        } else {
            self.partial.extend_from_slice(&buffer[..read]);
            &self.partial
        };
        match whole_reply(bytes) {
            Some((reply, _)) => {
                let base_offset = self.frame.acked(reply, self.frame.correlation())?;
                self.partial.clear();
                Ok(Some(base_offset))
            }
            None => {
                self.partial = bytes.to_vec();
                Ok(None)
            }
        }
    }
}

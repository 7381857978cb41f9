//! Clients that connect at a fixed rate, ask for ApiVersions v3 and leave, whatever comes back when.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::Deserialize;
use socket2::{Domain, Socket, Type};

use crate::client::control_frames::Reply;
use crate::client::requests::expect_no_error;
use crate::client::swarm::{add_percentiles, api_versions, due, resolve};
use crate::cpu::ProcessUsage;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

/// Addresses of the loopback that connections leave from in turn: the ports of one would run out.
const ADDRESSES: u64 = 32;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    per_second: f64,
    seconds: f64,
    /// The same before what counts, s.
    #[serde(default)]
    warm_seconds: f64,
    /// The broker, whose CPU is then told of.
    pid: Option<u32>,
}

/// Result: `requests` (connections), `seconds`, times from connecting to the reply `p50Us`, `p99Us`, `p999Us`, `maxUs`;
/// with `pid` `cpuUsPerRequest`, `userUsPerRequest`. Error: a connection that fails, any error code.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    load(&options, options.warm_seconds)?;
    let before = options.pid.map(ProcessUsage::of).transpose()?;
    let (times, seconds) = load(&options, options.seconds)?;
    let mut result = figures([("requests", times.len() as f64), ("seconds", seconds)]);
    add_percentiles(&mut result, &times);
    if let Some(before) = before {
        before.add_per_request(&mut result, times.len())?;
    }
    Ok(result)
}

struct Visit {
    stream: TcpStream,
    since: Instant,
    asked: bool,
    reply: Vec<u8>,
}

/// Connections for `seconds`; how long each took until its reply, and all of them together.
fn load(options: &Options, seconds: f64) -> io::Result<(Histogram<u64>, f64)> {
    let mut times = Histogram::new(3).map_err(io::Error::other)?;
    let to = resolve(&options.bootstrap)?;
    let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(1024));
    let mut visits: HashMap<usize, Visit> = HashMap::new();
    let (started, total) = (Instant::now(), (options.per_second * seconds) as u64);
    let mut begun = 0;
    while begun < total || !visits.is_empty() {
        while begun < due(started, options.per_second).min(total) {
            let since = Instant::now();
            let mut stream = connect(to, begun)?;
            let token = Token(begun as usize);
            poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
            visits.insert(token.0, Visit { stream, since, asked: false, reply: Vec::new() });
            begun += 1;
        }
        poll.poll(&mut events, Some(Duration::from_millis(1)))?;
        for event in &events {
            let Some(visit) = visits.get_mut(&event.token().0) else { continue };
            if visit.turn()? {
                times.record(visit.since.elapsed().as_micros() as u64).map_err(io::Error::other)?;
                visits.remove(&event.token().0);
            }
        }
        if started.elapsed().as_secs_f64() > seconds + 60.0 {
            return Err(io::Error::other(format!("{} connections have no answer after 60 s", visits.len())));
        }
    }
    Ok((times, started.elapsed().as_secs_f64()))
}

/// A connection under way. To a broker on the loopback they leave from several addresses in turn.
fn connect(to: SocketAddr, number: u64) -> io::Result<TcpStream> {
    if !to.is_ipv4() || !to.ip().is_loopback() {
        return TcpStream::connect(to);
    }
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let from = Ipv4Addr::new(127, 0, 0, 1 + (number % ADDRESSES) as u8);
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => {
            return Err(error);
        }
        _ => {}
    }
    Ok(TcpStream::from_std(socket.into()))
}

impl Visit {
    /// Asks once connected, and reads; true when the whole answer is there and in order.
    fn turn(&mut self) -> io::Result<bool> {
        if !self.asked {
            if let Some(error) = self.stream.take_error()? {
                return Err(error);
            }
            match self.stream.write(&api_versions(1)) {
                Err(error)
                    if [io::ErrorKind::WouldBlock, io::ErrorKind::NotConnected].contains(&error.kind()) =>
                {
                    return Ok(false);
                }
                other => other?,
            };
            self.asked = true;
        }
        let mut buffer = [0; 8192];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::Error::other("a connection was closed before its answer")),
                Ok(count) => self.reply.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        let Some((size, reply)) = self.reply.split_first_chunk() else { return Ok(false) };
        if reply.len() < u32::from_be_bytes(*size) as usize {
            return Ok(false);
        }
        // The answer to ApiVersions has the old header: the correlation id alone.
        let mut reply = Reply::new(reply);
        reply.take(4)?;
        expect_no_error("ApiVersions", reply.i16()?)?;
        Ok(true)
    }
}

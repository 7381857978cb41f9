//! One good producer among many connections: alone, among idle ones, and while half of them send garbage. What it waits
//! for its acks, and what the broker takes for the rest.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType};
use serde::Deserialize;

use super::broker_process::{add_phase, resident_kib};
use crate::client::connection::Connection;
use crate::client::consumer::{Consumer, FetchSize};
use crate::client::paced::{Paced, one_record, over_after};
use crate::client::swarm::{add_percentiles, resolve};
use crate::cpu::ProcessUsage;
use crate::floor::round_robin::raise_descriptor_limit;
use crate::options::{parse, pin};
use crate::output::{Figures, Outcome, figures};

/// Hostile acts a second, over all hostile connections.
const ACTS: u64 = 1000;
const SLICE: Duration = Duration::from_millis(10);
const SETTLE: Duration = Duration::from_secs(1);
/// API keys that Kafka has given out.
const KEYS: usize = 92;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    bootstrap: String,
    /// The broker's process.
    pid: u32,
    /// For the producer; made before.
    topic: String,
    /// Beside the producer; the second half turns hostile.
    connections: usize,
    /// Produce requests a second, one record of 100 bytes each.
    rate: f64,
    /// Of each phase.
    seconds: f64,
}

/// Result: for each phase (`alone`, `idle`, `hostile`, `again`) `…P50Us`, `…P99Us`, `…P999Us`, `…MaxUs`, `…Cores` (of
/// the broker), `…Mib`; and the number of hostile `acts`. Checked: every ack names the next offset, and every record is
/// there in the end.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    pin(options.core)?;
    raise_descriptor_limit()?;
    let address = resolve(&options.bootstrap)?;
    let mut producer = Paced::open(&options.bootstrap, &options.topic, &one_record(100))?;
    // What compiles at run time does so now.
    producer.run(options.rate, over_after(options.seconds))?;
    let mut result = Figures::new();
    let mut phase = |name: &str| -> Outcome {
        let (started, cpu) = (Instant::now(), ProcessUsage::of(options.pid)?.seconds());
        let waits = producer.run(options.rate, over_after(options.seconds))?;
        let cores = (ProcessUsage::of(options.pid)?.seconds() - cpu) / started.elapsed().as_secs_f64();
        let mut seen = figures([("cores", cores), ("mib", resident_kib(options.pid)? / 1024.0)]);
        add_percentiles(&mut seen, &waits);
        let mut named = Figures::new();
        add_phase(&mut named, name, seen);
        Ok(named)
    };
    result.extend(phase("alone")?);
    let mut all =
        (0..options.connections).map(|number| open(address, number)).collect::<io::Result<Vec<_>>>()?;
    let hostile = all.split_off(options.connections / 2);
    thread::sleep(SETTLE);
    result.extend(phase("idle")?);
    let stop = AtomicBool::new(false);
    let (among, acts) = thread::scope(|scope| {
        let attack = scope.spawn(|| attack(address, hostile, &stop));
        let among = phase("hostile");
        stop.store(true, Ordering::Relaxed);
        (among, attack.join())
    });
    result.extend(among?);
    result.insert("acts".to_string(), acts.map_err(|_| "the attack panicked")??.into());
    drop(all);
    thread::sleep(SETTLE);
    result.extend(phase("again")?);
    let bytes = producer.acked_bytes();
    let connection = Connection::open(&options.bootstrap)?;
    let size = FetchSize { max_bytes: 1 << 20, partition_bytes: 1 << 20 };
    Consumer::new(connection, &options.topic, size).read(bytes)?;
    Ok(result)
}

/// Each from one of many addresses of this machine: one alone has too few ports for all that come and go.
fn open(to: SocketAddr, number: usize) -> io::Result<TcpStream> {
    let from = Ipv4Addr::new(127, 0, 1, (number % 50 + 1) as u8);
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(from, 0))?;
    rustix::net::connect(&socket, &to)?;
    Ok(TcpStream::from(socket))
}

/// One connection after the other says what no client says; whoever was closed comes again. Nobody reads a reply. The
/// number of acts.
fn attack(address: SocketAddr, mut hostile: Vec<TcpStream>, stop: &AtomicBool) -> io::Result<u64> {
    let mut noise = 1;
    let per_slice = ACTS * SLICE.as_millis() as u64 / 1000;
    let mut acts = 0;
    while !stop.load(Ordering::Relaxed) {
        let slice = Instant::now();
        for _ in 0..per_slice {
            let number = acts as usize;
            let at = number % hostile.len();
            let bytes = hostile_bytes(number, &mut noise);
            hostile[at].set_nonblocking(true)?;
            // A full socket is as good: then the broker has stopped reading. A broken one was closed for it.
            let gone = match hostile[at].write(&bytes) {
                Ok(_) => hostile[at].take_error()?.is_some(),
                Err(error) => error.kind() != io::ErrorKind::WouldBlock,
            };
            if gone {
                hostile[at] = open(address, number)?;
            }
            acts += 1;
        }
        thread::sleep(SLICE.saturating_sub(slice.elapsed()));
    }
    Ok(acts)
}

fn hostile_bytes(number: usize, noise: &mut u64) -> Vec<u8> {
    let mut random = |length: usize| -> Vec<u8> {
        let mut next = || {
            *noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (*noise >> 33) as u8
        };
        (0..length).map(|_| next()).collect()
    };
    match number % 6 {
        0 => random(4000),
        // A huge length, and a piece of the frame.
        1 => [&(90i32 << 20).to_be_bytes()[..], &random(20_000)].concat(),
        2 => (-1i32).to_be_bytes().to_vec(),
        // A true header of every API, nonsense behind it.
        3 => {
            let mut frame = 266i32.to_be_bytes().to_vec();
            frame.extend([0, (number / 6 % KEYS) as u8, 0, (number % 14) as u8, 0, 0, 0, 1, 0xff, 0xff]);
            frame.extend(random(256));
            frame
        }
        // A byte at a time.
        4 => vec![0],
        // Requests whose replies nobody reads.
        _ => [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff].repeat(20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_gets_a_true_header() {
        let mut noise = 1;
        let frames = (0..6 * KEYS).map(|number| hostile_bytes(number, &mut noise));
        let keys: Vec<u8> = frames.skip(3).step_by(6).map(|frame| frame[5]).collect();
        assert_eq!(keys, (0..KEYS as u8).collect::<Vec<u8>>());
    }
}

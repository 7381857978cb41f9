//! One good producer among many connections: alone, among idle ones, and while half of them send garbage. What it waits
//! for its acks, and what the broker takes for the rest.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType};

use crate::broker::{Broker, Target};
use crate::client::{Connection, small_batch};

const TOPIC: &str = "good";
/// How long the producer is watched in each phase, and how often it sends.
const PHASE: Duration = Duration::from_secs(10);
const PACE: Duration = Duration::from_millis(2);
/// Hostile acts a second, over all hostile connections.
const ACTS: u64 = 1000;
const SLICE: Duration = Duration::from_millis(10);

/// What the producer waited in one phase, and what the broker took meanwhile.
pub struct Phase {
    pub name: &'static str,
    pub p50: Duration,
    pub p99: Duration,
    pub p999: Duration,
    pub max: Duration,
    pub acks: usize,
    /// Of one core.
    pub cpu: f64,
    pub resident_mib: f64,
}

/// Runs all phases with `connections` beside the producer, half of them hostile in the last one.
pub fn run(target: &Target, data: &Path, connections: usize) -> io::Result<Vec<Phase>> {
    let broker = Broker::start(target, data)?;
    let mut producer = Connection::open(&broker.address)?;
    producer.create_topic(TOPIC)?;
    let batch = small_batch();
    let mut acked = 0;
    // What compiles at run time does so now.
    phase("warm-up", &broker, &mut producer, &batch, &mut acked)?;
    let mut phases = vec![phase("alone", &broker, &mut producer, &batch, &mut acked)?];
    let idle: Vec<TcpStream> =
        (0..connections / 2).map(|number| open(&broker.address, number)).collect::<io::Result<_>>()?;
    let hostile: Vec<TcpStream> = (connections / 2..connections)
        .map(|number| open(&broker.address, number))
        .collect::<io::Result<_>>()?;
    thread::sleep(Duration::from_secs(1));
    phases.push(phase("among idle connections", &broker, &mut producer, &batch, &mut acked)?);
    let stop = Arc::new(AtomicBool::new(false));
    let acts = Arc::new(AtomicU64::new(0));
    let attack = {
        let (stop, acts, address) = (stop.clone(), acts.clone(), broker.address.clone());
        thread::spawn(move || attack(&address, hostile, &stop, &acts))
    };
    phases.push(phase("among hostile connections", &broker, &mut producer, &batch, &mut acked)?);
    stop.store(true, Ordering::Relaxed);
    attack.join().map_err(|_| io::Error::other("the attack panicked"))??;
    eprintln!("{} hostile acts", acts.load(Ordering::Relaxed));
    drop(idle);
    thread::sleep(Duration::from_secs(1));
    phases.push(phase("alone again", &broker, &mut producer, &batch, &mut acked)?);
    // Every ack had the next offset; every byte of them must be there.
    producer.fetch(TOPIC, acked * batch.len() as u64)?;
    Ok(phases)
}

fn phase(
    name: &'static str,
    broker: &Broker,
    producer: &mut Connection,
    batch: &[u8],
    acked: &mut u64,
) -> io::Result<Phase> {
    let (started, cpu) = (Instant::now(), broker.cpu_seconds()?);
    let mut waits = Vec::new();
    while started.elapsed() < PHASE {
        let asked = Instant::now();
        producer.produce_one(TOPIC, batch, *acked as i64)?;
        *acked += 1;
        waits.push(asked.elapsed());
        thread::sleep(PACE.saturating_sub(asked.elapsed()));
    }
    let cpu = (broker.cpu_seconds()? - cpu) / started.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize];
    Ok(Phase {
        name,
        p50: at(0.5),
        p99: at(0.99),
        p999: at(0.999),
        max: at(1.0),
        acks: waits.len(),
        cpu,
        resident_mib: broker.resident_mib()?,
    })
}

/// Each from one of many addresses of this machine: one alone has too few ports for all that come and go.
fn open(address: &str, number: usize) -> io::Result<TcpStream> {
    let to: SocketAddr = address.parse().map_err(io::Error::other)?;
    let from = Ipv4Addr::new(127, 0, 1, (number % 50 + 1) as u8);
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddrV4::new(from, 0))?;
    rustix::net::connect(&socket, &to)?;
    Ok(TcpStream::from(socket))
}

/// One connection after the other says what no client says; whoever was closed comes again. Nobody reads a reply.
fn attack(address: &str, mut hostile: Vec<TcpStream>, stop: &AtomicBool, acts: &AtomicU64) -> io::Result<()> {
    let mut noise = 1u64;
    let per_slice = ACTS * SLICE.as_millis() as u64 / 1000;
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let slice = Instant::now();
        for _ in 0..per_slice {
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
            acts.fetch_add(1, Ordering::Relaxed);
            number += 1;
        }
        thread::sleep(SLICE.saturating_sub(slice.elapsed()));
    }
    Ok(())
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
            frame.extend([0, (number / 6 % 92) as u8, 0, (number % 14) as u8, 0, 0, 0, 1, 0xff, 0xff]);
            frame.extend(random(256));
            frame
        }
        // A byte at a time.
        4 => vec![0],
        // Requests whose replies nobody reads.
        _ => [0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff].repeat(20),
    }
}

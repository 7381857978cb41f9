//! A small message there and back between two threads, each on a CPU of its own: the least that a request and its reply
//! take.

use std::io::{self, Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::sockets::pair;
use crate::options::{parse, pin};
use crate::output::{Figures, Outcome};
use crate::percentiles::Latencies;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    client_core: Option<usize>,
    seconds: f64,
    #[serde(default = "one_hundred_and_twenty_eight")]
    bytes: usize,
    /// The asking thread looks for its reply over and over instead of sleeping until it comes.
    #[serde(default)]
    spin: bool,
    /// Open loop: a message is due every so many µs, and counts from when it was due, so that what holds one up counts
    /// for all that were due meanwhile. 0: the next one leaves when the one before is back.
    #[serde(default)]
    every_us: u64,
}

fn one_hundred_and_twenty_eight() -> usize {
    128
}

/// Result: the percentiles of a round trip.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    let (mut client, mut server) = pair()?;
    let bytes = options.bytes;
    let serving = thread::spawn(move || {
        pin(options.core)?;
        let mut buffer = vec![0; bytes];
        loop {
            match server.read_exact(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return io::Result::Ok(()),
                other => other?,
            }
            server.write_all(&buffer)?;
        }
    });
    pin(options.client_core)?;
    client.set_nonblocking(options.spin)?;
    let mut buffer = vec![0; bytes];
    let mut latencies = Latencies::new();
    let until = Instant::now() + Duration::from_secs_f64(options.seconds);
    let every = Duration::from_micros(options.every_us);
    let mut now = Instant::now();
    let mut due = now;
    while now < until {
        due = if every.is_zero() { now } else { due + every };
        while now < due {
            std::hint::spin_loop();
            now = Instant::now();
        }
        client.write_all(&buffer)?;
        let mut read = 0;
        while read < bytes {
            match client.read(&mut buffer[read..]) {
                Ok(0) => return Err("the serving thread closed the connection".into()),
                Ok(some) => read += some,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error.into()),
            }
        }
        now = Instant::now();
        latencies.record((now - due).as_nanos() as u64, 1);
    }
    drop(client);
    serving.join().map_err(|_| "the serving thread panicked")??;
    let mut result = Figures::new();
    latencies.add_to(&mut result, "")?;
    Ok(result)
}

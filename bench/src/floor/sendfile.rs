//! Sends a file from the page cache in pieces through sendfile, to one socket or to several in turn: the least that a
//! fetch costs.

use std::fs::File;
use std::net::TcpStream;
use std::path::PathBuf;
use std::{io, thread};

use rustix::io::Errno;
use serde::Deserialize;

use super::sockets::pair;
use crate::client::tcp::discard;
use crate::cpu::ThreadUsage;
use crate::options::{parse, pin};
use crate::output::Outcome;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    client_core: Option<usize>,
    /// To each socket.
    bytes: u64,
    file: PathBuf,
    #[serde(default = "one")]
    sockets: usize,
    #[serde(default = "one_mebibyte")]
    piece_bytes: usize,
}

fn one() -> usize {
    1
}

fn one_mebibyte() -> usize {
    1 << 20
}

/// Result: `cpuSecondsPerGiB`, `userSecondsPerGiB`, `systemSecondsPerGiB`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    let source = File::open(&options.file)?;
    let length = source.metadata()?.len();
    let mut servers = Vec::new();
    let mut readers = Vec::new();
    for _ in 0..options.sockets {
        let (client, server) = pair()?;
        servers.push(server);
        readers.push(thread::spawn(move || drain(client, options.client_core)));
    }
    pin(options.core)?;
    let started = ThreadUsage::now()?;
    let mut sent = 0;
    while sent < options.bytes {
        let piece = (options.piece_bytes as u64).min(length - sent % length).min(options.bytes - sent);
        for server in &servers {
            send(server, &source, sent % length, piece)?;
        }
        sent += piece;
    }
    let used = started.per_gib(sent * options.sockets as u64)?;
    drop(servers);
    for reader in readers {
        reader.join().map_err(|_| "the reading thread panicked")??;
    }
    Ok(used)
}

/// Sends `count` bytes of `source` from `offset` on.
fn send(server: &TcpStream, source: &File, mut offset: u64, count: u64) -> io::Result<()> {
    let end = offset + count;
    while offset < end {
        let left = (end - offset) as usize;
        match rustix::fs::sendfile(server, source, Some(&mut offset), left) {
            Ok(0) => return Err(io::Error::other("the file became shorter")),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn drain(client: TcpStream, core: Option<usize>) -> io::Result<()> {
    pin(core)?;
    let mut buffer = vec![0u8; 1 << 20];
    while discard(&client, &mut buffer)? > 0 {}
    Ok(())
}

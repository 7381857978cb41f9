//! Receives pieces over loopback, takes the CRC-32C of each, writes it to a file: the least that a produce costs.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::thread;

use serde::Deserialize;

use super::sockets::pair;
use crate::cpu::ThreadUsage;
use crate::options::{parse, pin};
use crate::output::Outcome;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    client_core: Option<usize>,
    bytes: u64,
    /// What is received, summed and written at a time.
    piece_bytes: usize,
    /// Made, and removed at the end.
    file: PathBuf,
}

/// Result: `cpuSecondsPerGiB`, `userSecondsPerGiB`, `systemSecondsPerGiB`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    let (mut client, mut server) = pair()?;
    let count = options.bytes / options.piece_bytes as u64;
    let sender = thread::spawn(move || {
        pin(options.client_core)?;
        let source: Vec<u8> = (0..options.piece_bytes).map(|i| (i * 31) as u8).collect();
        (0..count).try_for_each(|_| client.write_all(&source))
    });
    pin(options.core)?;
    let mut out = File::create(&options.file)?;
    let mut buffer = vec![0u8; options.piece_bytes];
    let started = ThreadUsage::now()?;
    for _ in 0..count {
        server.read_exact(&mut buffer)?;
        std::hint::black_box(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &buffer));
        out.write_all(&buffer)?;
    }
    let used = started.per_gib(count * options.piece_bytes as u64)?;
    fs::remove_file(&options.file)?;
    sender.join().map_err(|_| "the sending thread panicked")??;
    Ok(used)
}

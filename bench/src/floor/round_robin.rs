//! Receives pieces over loopback, takes the CRC-32C of each, and appends them to many files in turn: what spreading a
//! produce over partitions costs at least.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Deserialize;

use super::sockets::pair;
use crate::cpu::thread_seconds;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    client_core: Option<usize>,
    files: usize,
    bytes: u64,
    piece_bytes: usize,
    /// Made, and removed with all in it.
    folder: PathBuf,
}

/// Result: `cpuSecondsPerGiB`. The first piece of each file is not measured: opening partitions is no part of either.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    raise_descriptor_limit()?;
    let (mut client, mut server) = pair()?;
    let files = options.files as u64;
    let count = options.bytes / options.piece_bytes as u64;
    let sender = thread::spawn(move || {
        pin(options.client_core)?;
        let source: Vec<u8> = (0..options.piece_bytes).map(|i| (i * 31) as u8).collect();
        (0..files + count).try_for_each(|_| client.write_all(&source))
    });
    pin(options.core)?;
    std::fs::create_dir(&options.folder)?;
    let outs: Vec<File> = (0..options.files)
        .map(|number| File::create(options.folder.join(number.to_string())))
        .collect::<Result<_, _>>()?;
    let mut buffer = vec![0u8; options.piece_bytes];
    let mut started = thread_seconds();
    for number in 0..files + count {
        if number == files {
            started = thread_seconds();
        }
        server.read_exact(&mut buffer)?;
        std::hint::black_box(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &buffer));
        let position = number / files * options.piece_bytes as u64;
        outs[(number % files) as usize].write_all_at(&buffer, position)?;
    }
    let used = thread_seconds() - started;
    sender.join().map_err(|_| "the sending thread panicked")??;
    drop(outs);
    std::fs::remove_dir_all(&options.folder)?;
    Ok(figures([("cpuSecondsPerGiB", used * (1u64 << 30) as f64 / options.bytes as f64)]))
}

/// As many descriptors as this process may have.
pub fn raise_descriptor_limit() -> rustix::io::Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
}

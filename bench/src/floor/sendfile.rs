//! Sends a file from the page cache in pieces of 1 MiB through sendfile: the least that a fetch costs.

use std::fs::File;
use std::path::PathBuf;
use std::{io, thread};

use serde::Deserialize;

use super::sockets::{discard, pair};
use crate::cpu::thread_seconds;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    client_core: Option<usize>,
    bytes: u64,
    file: PathBuf,
}

/// Result: `cpuSecondsPerGiB`.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    let (client, server) = pair()?;
    let source = File::open(&options.file)?;
    let length = source.metadata()?.len();
    let reader = thread::spawn(move || -> io::Result<()> {
        pin(options.client_core)?;
        let mut buffer = vec![0u8; 1 << 20];
        while discard(&client, &mut buffer)? > 0 {}
        Ok(())
    });
    pin(options.core)?;
    let started = thread_seconds();
    let mut sent = 0;
    while sent < options.bytes {
        let mut offset = sent % length;
        let piece = (1u64 << 20).min(length - offset).min(options.bytes - sent);
        sent += rustix::fs::sendfile(&server, &source, Some(&mut offset), piece as usize)? as u64;
    }
    let used = thread_seconds() - started;
    drop(server);
    reader.join().map_err(|_| "the reading thread panicked")??;
    Ok(figures([("cpuSecondsPerGiB", used * (1u64 << 30) as f64 / options.bytes as f64)]))
}

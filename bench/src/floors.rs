//! The physical limits: a program that only receives, checksums and writes; a program that only sends a file.
//! CPU is that of the serving thread alone, as the broker's CPU leaves its clients out.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::thread;

use rustix::net::RecvFlags;
use rustix::time::{ClockId, clock_gettime};

fn thread_cpu_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Takes bytes off a socket without copying them: the reader's memory traffic is not what is measured.
pub fn discard(socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(socket, buffer, RecvFlags::TRUNC).map(|(_, length)| length)?)
}

fn pair() -> io::Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    Ok((client, server))
}

/// Receives `total` bytes in pieces of `piece.len()`, takes CRC-32C of each, writes it to `file`: CPU-seconds.
pub fn receive_crc_write(piece: &[u8], total: u64, file: &Path) -> io::Result<f64> {
    let (mut client, mut server) = pair()?;
    let source = piece.to_vec();
    let count = total / source.len() as u64;
    let sender = thread::spawn(move || (0..count).try_for_each(|_| client.write_all(&source)));
    let mut out = File::create(file)?;
    let mut buffer = vec![0u8; piece.len()];
    let started = thread_cpu_seconds();
    for _ in 0..count {
        server.read_exact(&mut buffer)?;
        std::hint::black_box(crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32Iscsi, &buffer));
        out.write_all(&buffer)?;
    }
    let used = thread_cpu_seconds() - started;
    sender.join().map_err(|_| io::Error::other("the sending thread panicked"))??;
    Ok(used)
}

/// Sends `total` bytes of `file` in pieces of 1 MiB through sendfile: CPU-seconds.
pub fn sendfile(file: &Path, total: u64) -> io::Result<f64> {
    let (client, server) = pair()?;
    let source = File::open(file)?;
    let length = source.metadata()?.len();
    let reader = thread::spawn(move || -> io::Result<()> {
        let mut buffer = vec![0u8; 1 << 20];
        while discard(&client, &mut buffer)? > 0 {}
        Ok(())
    });
    let started = thread_cpu_seconds();
    let mut sent = 0;
    while sent < total {
        let mut offset = sent % length;
        let piece = (1u64 << 20).min(length - offset).min(total - sent);
        sent += rustix::fs::sendfile(&server, &source, Some(&mut offset), piece as usize)? as u64;
    }
    let used = thread_cpu_seconds() - started;
    drop(server);
    reader.join().map_err(|_| io::Error::other("the reading thread panicked"))??;
    Ok(used)
}

//! Answers small requests on many connections from one epoll thread, with or without writing each request's batch to a
//! file: the least that a one-record produce costs. Requests and replies have the sizes of a Produce of one record.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{net, thread};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use serde::Deserialize;

use crate::client::closed_loop::ClosedLoop;
use crate::client::frames::{ProduceFrame, batch_of};
use crate::client::requests::CORRELATION_AT;
use crate::cpu::thread_seconds;
use crate::options::{parse, pin};
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    core: Option<usize>,
    client_core: Option<usize>,
    connections: usize,
    seconds: f64,
    #[serde(default = "hundred")]
    record_bytes: usize,
    /// Every request's batch goes to the end of this file, one write a request; none where left out.
    file: Option<PathBuf>,
}

fn hundred() -> usize {
    100
}

/// As long as the topics of a suite are.
const TOPIC: &str = "bench-topic-1";

/// Result: `requests`, `cpuSeconds`, `requestsPerCpuSecond`, `requestsPerSecond` and the client's percentiles.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    if options.connections == 0 {
        return Err("options: connections must not be 0".into());
    }
    let listener = net::TcpListener::bind("127.0.0.1:0")?;
    // All of them may come before the first is accepted.
    rustix::net::listen(&listener, options.connections as i32)?;
    let address = listener.local_addr()?.to_string();
    let batch = batch_of(1, options.record_bytes)?;
    let sample = ProduceFrame::new(TOPIC, 0, &batch);

    let connections = options.connections;
    let frames = (0..connections).map(|_| ProduceFrame::new(TOPIC, 0, &batch)).collect();
    let client = thread::spawn(move || {
        pin(options.client_core)?;
        let mut clients = ClosedLoop::open(&address, frames, false)?;
        let started = Instant::now();
        let latencies = clients.run(Duration::from_secs_f64(options.seconds), |_, _| Ok(()))?;
        io::Result::Ok((latencies, started.elapsed().as_secs_f64()))
    });
    pin(options.core)?;
    let used = serve(&listener, connections, &sample, options.file.map(File::create).transpose()?.as_ref())?;
    let (latencies, seconds) = client.join().map_err(|_| "the asking thread panicked")??;
    let requests = latencies.count() as f64;
    let mut result = figures([
        ("requests", requests),
        ("cpuSeconds", used),
        ("requestsPerCpuSecond", requests / used),
        ("requestsPerSecond", requests / seconds),
    ]);
    latencies.add_to(&mut result, "")?;
    Ok(result)
}

/// Answers until all connections are closed; CPU-seconds of it.
fn serve(
    listener: &net::TcpListener,
    count: usize,
    sample: &ProduceFrame,
    file: Option<&File>,
) -> io::Result<f64> {
    let mut poll = Poll::new()?;
    let mut connections = Vec::with_capacity(count);
    for number in 0..count {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
        connections.push(Some(stream));
    }
    let (request_bytes, batch_at) = (sample.bytes().len(), sample.batch_at());
    let mut reply = vec![0; sample.reply_bytes()];
    let size = reply.len() as u32 - 4;
    reply[..4].copy_from_slice(&size.to_be_bytes());
    let mut buffer = vec![0; 64 << 10];
    let mut events = Events::with_capacity(1024);
    let (mut open, mut end) = (count, 0);
    let started = thread_seconds();
    while open > 0 {
        poll.poll(&mut events, None)?;
        for event in &events {
            let number = event.token().0;
            let Some(stream) = &mut connections[number] else { continue };
            match stream.read(&mut buffer) {
                // An end may be told twice; behind a request under way it comes in no event of its own.
                Ok(read) if read == 0 || event.is_read_closed() => {
                    connections[number] = None;
                    open -= 1;
                    continue;
                }
                Ok(read) if read == request_bytes => {}
                Ok(read) => return Err(io::Error::other(format!("a request came as {read} bytes"))),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error),
            }
            if let Some(file) = file {
                file.write_all_at(&buffer[batch_at..request_bytes], end)?;
                end += (request_bytes - batch_at) as u64;
            }
            reply[4..8].copy_from_slice(&buffer[CORRELATION_AT..CORRELATION_AT + 4]);
            stream.write_all(&reply)?;
        }
    }
    Ok(thread_seconds() - started)
}

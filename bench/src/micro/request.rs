//! Produce or fetch requests through a whole node without sockets: frame in, reply out, on one thread. What the data
//! plane itself costs for each request; under callgrind its instructions, whatever else the machine does.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use millrace_engine::boundary::commands::{PartitionImage, TopicImage};
use millrace_engine::boundary::{Command, ConnId, NodeOptions};
use millrace_engine::node::{Node, Reactor};
use millrace_engine::storage::SimStorage;
use millrace_engine::time::Now;
use millrace_record::{BatchBuilder, BatchSpec};
use serde::Deserialize;

use crate::client::requests::{Request, produce_head};
use crate::load::spread::Frame;
use crate::options::parse;
use crate::output::{Outcome, figures};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Options {
    /// Requests of each kind.
    #[serde(default = "many")]
    produces: u32,
    #[serde(default = "many")]
    fetches: u32,
    /// Batches, ten in a request, each for the next of 10,000 partitions.
    #[serde(default = "many")]
    spread: u32,
}

fn many() -> u32 {
    100_000
}

const PARTITIONS: usize = 10_000;
const PER_REQUEST: usize = 10;
const NOW: Now = Now { monotonic_ms: 1000, wall_ms: 1_700_000_000_000 };

/// Result: `produceNs` and `fetchNs`, CPU of one request of one 100-byte record; `spreadNs`, of one batch among ten for
/// ten partitions that come up again after 10,000 others.
pub fn run(json: &str) -> Outcome {
    let options: Options = parse(json)?;
    let (node, mut reactor) = node()?;
    let conn =
        reactor.accept("PLAINTEXT", "127.0.0.1:5000".parse()?, NOW).map_err(|error| format!("{error:?}"))?;
    let mut builder = BatchBuilder::new(BatchSpec::default());
    builder.append(NOW.wall_ms, None, Some(&[b'x'; 100]), &[])?;
    let batch = builder.finish()?;
    let mut frame = produce_head(1, "bench", 0, batch.len());
    frame.extend(&batch);
    let produce = each(&mut reactor, conn, options.produces, &mut frame, |_, _| ());
    let fetch = Request::new(1, 11, 1).i32(-1).i32(500).i32(1).i32(1000).i8(0).i32(0);
    let fetch = fetch.i32(-1).i32(1).string("bench").i32(1).i32(0).i32(-1).i64(0).i64(-1);
    let mut frame = fetch.i32(1000).i32(0).string("").frame(0);
    let fetch = each(&mut reactor, conn, options.fetches, &mut frame, |_, _| ());
    let requests = options.spread.div_ceil(PER_REQUEST as u32);
    let mut frame = Frame::new("spread", PER_REQUEST, &batch);
    let mut next = |frame: &mut Frame, number: u32| frame.address(number as usize * PER_REQUEST, PARTITIONS);
    // Every partition has a file and what it keeps of its batches.
    for _ in 0..2 {
        each(&mut reactor, conn, (PARTITIONS / PER_REQUEST) as u32, &mut frame, &mut next);
    }
    let spread = each(&mut reactor, conn, requests, &mut frame, next) / PER_REQUEST as f64;
    drop(node);
    Ok(figures([("produceNs", produce), ("fetchNs", fetch), ("spreadNs", spread)]))
}

fn node() -> Result<(Arc<Node>, Reactor), String> {
    let mut options = NodeOptions::new(1, "Mmqd3hZbTKmFbpBZnEjrcQ", vec![PathBuf::from("/data")]);
    options.network_threads = 1;
    let node =
        Node::open(options, Arc::new(SimStorage::new()), 42, NOW).map_err(|error| format!("{error:?}"))?;
    node.set_stopwatch(stopwatch);
    let topic = |name, id, partitions| TopicImage {
        name,
        topic_id: [id; 16],
        internal: false,
        configs: vec![],
        partitions: (0..partitions).map(|index| PartitionImage::alone(index, 1)).collect(),
    };
    let topics = vec![topic("bench", 7, 1), topic("spread", 8, PARTITIONS as i32)];
    let mut packed = Vec::new();
    Command::ApplyImage { offset: 5, removed_topics: vec![], topics }.write(&mut packed);
    node.submit(&packed, NOW).map_err(|error| format!("{error:?}"))?;
    while let Some(effect) = node.take_effect() {
        node.run_effect(effect, NOW);
    }
    let reactor = Reactor::new(node.clone(), 0);
    Ok((node, reactor))
}

fn stopwatch() -> u64 {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    BEGUN.elapsed().as_nanos() as u64
}

/// CPU-nanoseconds of this thread so far, without a call that callgrind does not know.
fn cpu_nanoseconds() -> f64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    schedstat.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// CPU-nanoseconds of one request; `change` makes the frame of each out of that before.
fn each<F: AsRef<[u8]>>(
    reactor: &mut Reactor,
    conn: ConnId,
    requests: u32,
    frame: &mut F,
    mut change: impl FnMut(&mut F, u32),
) -> f64 {
    let started = cpu_nanoseconds();
    for number in 0..requests {
        change(frame, number);
        let frame = frame.as_ref();
        let target = reactor.read_target(conn);
        if let Some(room) = target.get_mut(..frame.len()) {
            room.copy_from_slice(frame);
        }
        reactor.received(conn, frame.len(), NOW);
        while let Some(dirty) = reactor.next_dirty() {
            let pending = reactor.output(dirty).map_or(0, |output| output.pending_bytes());
            if pending > 0 {
                reactor.sent(dirty, pending, NOW);
            }
        }
    }
    (cpu_nanoseconds() - started) / f64::from(requests)
}

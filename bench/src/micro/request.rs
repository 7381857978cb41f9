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
}

fn many() -> u32 {
    100_000
}

const NOW: Now = Now { monotonic_ms: 1000, wall_ms: 1_700_000_000_000 };

/// Result: `produceNs` and `fetchNs`, CPU of one request of one 100-byte record.
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
    let produce = each(&mut reactor, conn, &frame, options.produces);
    let fetch = Request::new(1, 11, 1).i32(-1).i32(500).i32(1).i32(1000).i8(0).i32(0);
    let fetch = fetch.i32(-1).i32(1).string("bench").i32(1).i32(0).i32(-1).i64(0).i64(-1);
    let frame = fetch.i32(1000).i32(0).string("").frame(0);
    let fetch = each(&mut reactor, conn, &frame, options.fetches);
    drop(node);
    Ok(figures([("produceNs", produce), ("fetchNs", fetch)]))
}

fn node() -> Result<(Arc<Node>, Reactor), String> {
    let mut options = NodeOptions::new(1, "Mmqd3hZbTKmFbpBZnEjrcQ", vec![PathBuf::from("/data")]);
    options.network_threads = 1;
    let node =
        Node::open(options, Arc::new(SimStorage::new()), 42, NOW).map_err(|error| format!("{error:?}"))?;
    node.set_stopwatch(stopwatch);
    let topic = TopicImage {
        name: "bench",
        topic_id: [7; 16],
        internal: false,
        configs: vec![],
        partitions: vec![PartitionImage::alone(0, 1)],
    };
    let mut packed = Vec::new();
    Command::ApplyImage { offset: 5, removed_topics: vec![], topics: vec![topic] }.write(&mut packed);
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

/// CPU-nanoseconds of one request.
fn each(reactor: &mut Reactor, conn: ConnId, frame: &[u8], requests: u32) -> f64 {
    let started = cpu_nanoseconds();
    for _ in 0..requests {
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

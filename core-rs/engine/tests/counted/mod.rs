//! A node in this process with one topic of two partitions, and a count of what the process has allocated.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use millrace_engine::boundary::commands::{PartitionImage, TopicImage};
use millrace_engine::boundary::{Command, NodeOptions};
use millrace_engine::conn::BUFFER_BYTES;
use millrace_engine::node::{Node, Reactor};
use millrace_engine::storage::SimStorage;
use millrace_engine::time::Now;

pub const NOW: Now = Now { monotonic_ms: 1000, wall_ms: 1_700_000_000_000 };
/// Of the topic `t`.
pub const TOPIC: [u8; 16] = [7; 16];

struct Counting;

pub static HELD: AtomicUsize = AtomicUsize::new(0);
pub static PEAK: AtomicUsize = AtomicUsize::new(0);

/// A thread's read buffer is address space: what of it was touched is told by the node itself.
fn counts(size: usize) -> bool {
    size != BUFFER_BYTES
}

fn more(size: usize) {
    if counts(size) {
        let held = HELD.fetch_add(size, Ordering::Relaxed) + size;
        PEAK.fetch_max(held, Ordering::Relaxed);
    }
}

fn less(size: usize) {
    if counts(size) {
        HELD.fetch_sub(size, Ordering::Relaxed);
    }
}

// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        more(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        less(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

pub struct World {
    pub node: Arc<Node>,
    pub reactor: Reactor,
}

impl World {
    /// A node with one topic of two partitions.
    pub fn new() -> World {
        let options = NodeOptions::new(1, "Mmqd3hZbTKmFbpBZnEjrcQ", vec![PathBuf::from("/data")]);
        let node = Node::open(options, Arc::new(SimStorage::new()), 42, NOW).unwrap();
        let reactor = Reactor::new(node.clone(), 0);
        let mut world = World { node, reactor };
        world.run_effects();
        let topic = TopicImage {
            name: "t",
            topic_id: TOPIC,
            internal: false,
            configs: Vec::new(),
            partitions: (0..2).map(|index| PartitionImage::alone(index, 1)).collect(),
        };
        let mut batch = Vec::new();
        Command::ApplyImage { offset: 5, removed_topics: Vec::new(), topics: vec![topic] }.write(&mut batch);
        world.node.submit(&batch, NOW).unwrap();
        world.run_effects();
        world
    }

    fn run_effects(&mut self) {
        while let Some(effect) = self.node.take_effect() {
            self.node.run_effect(effect, NOW);
        }
    }
}

//! What is done with hostile bytes: one function per kind of input, each of which panics when a promise breaks and is
//! otherwise silent. The fuzzer and the engine's tests call the same functions.

mod files;
mod node;
mod record;

/// A target's name, which is that of its corpus folder, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: [Target; 9] = [
    ("frames", node::frames),
    ("batch", record::batch),
    ("decompress", record::decompress),
    ("log_files", files::log_files),
    ("producer_snapshot", files::producer_snapshot),
    ("checkpoint", files::checkpoint),
    ("wal", files::wal),
    ("metadata_snapshot", files::metadata_snapshot),
    ("boundary", node::boundary),
];

/// Runs the target of that name.
pub fn run(name: &str, input: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target of that name");
    target(input);
}

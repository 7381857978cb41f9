//! Bytes flipped in the files of a stopped node, whatever file it is: what is served is what was written, every offset
//! is given out once, and what is not as it was is named; or the start is refused with a sentence that names the file.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use millrace_record::{BatchBuilder, BatchSpec};

use super::Node;
use super::testing::*;
use crate::boundary::records::PackedValues;
use crate::boundary::{Command, Event, parse_events};
use crate::storage::splitmix::SplitMix;
use crate::storage::{SimStorage, Storage};

const RECORDS: i64 = 9;
/// As many as the time of a test run allows; thousands find the same.
const SEEDS: u64 = 120;
/// Lists of plain numbers: one that was changed into another is a list of numbers still.
const NUMBERS: [&str; 2] = ["log-start-offset-checkpoint", "leader-epoch-checkpoint"];
const CONFIGS: [(&str, &str); 1] = [("segment.bytes", "250")];

/// A stopped node: two partitions of several segments with an idempotent producer's records, and some metadata.
fn stopped() -> SimStorage {
    let mut world = World::new(options());
    for proposal_id in 0..5 {
        let values = metadata(proposal_id);
        let records = PackedValues::borrowed(&values);
        world.submit(&[Command::Propose { proposal_id, timestamp: 77, records }]);
    }
    world.create_topic(2, &CONFIGS);
    let conn = world.connect(0);
    for sequence in 0..RECORDS as i32 {
        for partition in 0..2 {
            world.send(conn, &produce_batch(sequence, -1, partition, &numbered(sequence)));
        }
    }
    world.disconnect(conn);
    stop(&mut world);
    world.storage.restart();
    world.storage.clone()
}

fn metadata(proposal_id: i64) -> Vec<Vec<u8>> {
    vec![format!("value {proposal_id}").into_bytes(), vec![proposal_id as u8; 40]]
}

fn numbered(sequence: i32) -> Vec<u8> {
    let spec =
        BatchSpec { producer_id: 7, producer_epoch: 0, base_sequence: sequence, ..BatchSpec::default() };
    let mut builder = BatchBuilder::new(spec);
    let value = format!("record {sequence}");
    builder.append(1_700_000_000_000, None, Some(value.as_bytes()), &[]).unwrap();
    builder.finish().unwrap()
}

fn files(storage: &SimStorage, dir: &Path, found: &mut Vec<(PathBuf, u64)>) {
    for entry in storage.list(dir).unwrap() {
        match entry.is_dir {
            true => files(storage, &dir.join(&entry.name), found),
            false => found.push((dir.join(&entry.name), entry.len)),
        }
    }
}

/// Error code and batches of a fetch; the leader epochs of batches, which no checksum covers, taken out.
fn read(world: &mut World, partition: i32, offset: i64) -> (i16, Vec<u8>) {
    let conn = world.connect(1);
    world.send(conn, &fetch(1, partition, offset, 0, 1));
    let received = world.receive(conn);
    let (_, body) = replies(&received).pop().expect("an answer");
    world.disconnect(conn);
    let mut records = body[body.len().min(50)..].to_vec();
    let mut at = 0;
    while let Some(epoch) = records.get_mut(at + 12..at + 16) {
        epoch.fill(0);
        at += 12 + u32::from_be_bytes(records[at + 8..at + 12].try_into().unwrap()) as usize;
    }
    (i16::from_be_bytes([body[24], body[25]]), records)
}

struct Started {
    /// Each partition by offset: error code and records.
    reads: Vec<(i16, Vec<u8>)>,
    /// Error code and base offset of one more record for each partition.
    appended: Vec<(i16, i64)>,
    metadata: Vec<Vec<u8>>,
    /// What was told of any file, as text.
    told: String,
}

fn live(storage: &SimStorage) -> Result<Started, String> {
    let mut world = match Node::open(options(), Arc::new(storage.clone()), 42, START) {
        Ok(node) => World::of(storage.clone(), node),
        Err(error) => return Err(error.to_string()),
    };
    let (mut told, mut metadata) = (String::new(), Vec::new());
    let mut listen = |world: &mut World| {
        let packed = world.drain();
        for event in parse_events(&packed).unwrap() {
            match event {
                Event::MetadataCommitted { records, .. } => metadata.extend(records.to_vecs()),
                Event::ControlRequest { .. } | Event::ImageApplied { .. } => {}
                other => told.push_str(&format!("{other:?}\n")),
            }
        }
    };
    listen(&mut world);
    world.create_topic(2, &CONFIGS);
    let mut reads = Vec::new();
    for partition in 0..2 {
        reads.extend((0..RECORDS).map(|offset| read(&mut world, partition, offset)));
    }
    let conn = world.connect(0);
    let mut appended = Vec::new();
    for partition in 0..2 {
        world.send(conn, &produce(1, -1, partition, b"one more"));
        let (_, body) = replies(&world.receive(conn)).pop().expect("an answer");
        appended.push((
            i16::from_be_bytes([body[20], body[21]]),
            i64::from_be_bytes(body[22..30].try_into().unwrap()),
        ));
    }
    listen(&mut world);
    stop(&mut world);
    listen(&mut world);
    Ok(Started { reads, appended, metadata, told })
}

#[test]
fn whatever_is_flipped_nothing_wrong_is_served_and_the_file_is_named() {
    let whole = live(&stopped()).unwrap();
    assert!(whole.reads.iter().all(|(error, records)| *error == 0 && !records.is_empty()));
    assert_eq!(whole.appended, [(0, RECORDS); 2]);
    assert_eq!(whole.metadata, (0..5).flat_map(metadata).collect::<Vec<_>>());
    let mut problems = Vec::new();
    for seed in 0..SEEDS {
        let storage = stopped();
        let mut random = SplitMix::new(seed);
        let mut found = Vec::new();
        files(&storage, Path::new("/data"), &mut found);
        found.retain(|(_, len)| *len > 0);
        let (path, len) = &found[random.below(found.len() as u64) as usize];
        let (position, bits) = (random.below(*len), 1u8 << random.below(8));
        // What the medium does shows in no time of change, what somebody does there does.
        if seed % 2 == 0 {
            storage.decay(path, position, bits).unwrap();
        } else {
            let file = storage.open(path).unwrap();
            let mut byte = [0];
            file.read_at(position, &mut byte).unwrap();
            file.write_at(position, &[IoSlice::new(&[byte[0] ^ bits])]).unwrap();
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let what = format!("seed {seed}: {} at {position} ^ {bits:02x}", path.display());
        match live(&storage) {
            Err(sentence) => {
                if !sentence.contains(&name) {
                    problems.push(format!("{what}: refused without its name: {sentence}"));
                }
            }
            Ok(started) => {
                let mut refused = false;
                for (at, (got, before)) in started.reads.iter().zip(&whole.reads).enumerate() {
                    refused |= got.0 != 0;
                    if got.0 == 0 && !before.1.starts_with(&got.1) {
                        problems.push(format!("{what}: wrong records for read {at}"));
                    }
                }
                for (error, offset) in &started.appended {
                    refused |= *error != 0;
                    if *error == 0 && *offset != RECORDS {
                        problems.push(format!("{what}: appended at {offset}"));
                    }
                }
                storage.restart();
                match live(&storage) {
                    Err(sentence) => problems.push(format!("{what}: only refused later: {sentence}")),
                    Ok(again) => {
                        for (at, (got, before)) in again.reads.iter().zip(&whole.reads).enumerate() {
                            if got.0 == 0 && !before.1.starts_with(&got.1) {
                                problems.push(format!("{what}: wrong records for a later read {at}"));
                            }
                        }
                        for ((error, offset), (before, _)) in again.appended.iter().zip(&started.appended) {
                            if *error == 0 && *offset != RECORDS + i64::from(*before == 0) {
                                problems.push(format!("{what}: later appended at {offset}"));
                            }
                        }
                    }
                }
                let lost = started.metadata != whole.metadata;
                let is_told = started.told.contains(&name) || NUMBERS.contains(&name.as_str());
                if (refused || lost) && !is_told {
                    problems.push(format!("{what}: refused {refused}, lost {lost}, told {}", started.told));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}\n{}", problems.len(), problems.join("\n"));
}

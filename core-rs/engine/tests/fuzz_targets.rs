//! The fuzzer's targets without a fuzzer: the committed corpus, which has all that fuzzing ever found, and random
//! changes to it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../../fuzz/src/targets/mod.rs"]
mod targets;

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use targets::{TARGETS, run};

/// Random inputs per target.
const CASES: u32 = 96;

fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

#[test]
fn every_input_of_the_corpus_is_taken() {
    for (target, check) in TARGETS {
        let inputs = corpus(target);
        assert!(!inputs.is_empty(), "{target} has a corpus");
        inputs.iter().for_each(|input| check(input));
    }
}

/// One change to an input.
#[derive(Clone, Debug)]
enum Change {
    Set { at: prop::sample::Index, to: u8 },
    Number { at: prop::sample::Index, to: i32 },
    Remove { at: prop::sample::Index, count: usize },
    Insert { at: prop::sample::Index, bytes: Vec<u8> },
}

fn change() -> impl Strategy<Value = Change> {
    let at = || any::<prop::sample::Index>();
    let number = prop_oneof![Just(0), Just(-1), Just(i32::MAX), Just(i32::MIN), any::<i32>()];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, to)| Change::Set { at, to }),
        (at(), number).prop_map(|(at, to)| Change::Number { at, to }),
        (at(), 1..20usize).prop_map(|(at, count)| Change::Remove { at, count }),
        (at(), prop::collection::vec(any::<u8>(), 1..20))
            .prop_map(|(at, bytes)| Change::Insert { at, bytes }),
    ]
}

fn apply(input: &mut Vec<u8>, change: &Change) {
    let place = |at: &prop::sample::Index| at.index(input.len() + 1);
    match change {
        Change::Set { at, to } => {
            let at = place(at);
            input.splice(at..(at + 1).min(input.len()), [*to]);
        }
        Change::Number { at, to } => {
            let at = place(at);
            input.splice(at..(at + 4).min(input.len()), to.to_be_bytes());
        }
        Change::Remove { at, count } => {
            let at = place(at);
            input.drain(at..(at + count).min(input.len()));
        }
        Change::Insert { at, bytes } => {
            let at = place(at);
            input.splice(at..at, bytes.iter().copied());
        }
    }
}

fn changed(target: &str) {
    let inputs = corpus(target);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let cases = (any::<prop::sample::Index>(), prop::collection::vec(change(), 1..6));
    let check = |(chosen, changes): (prop::sample::Index, Vec<Change>)| {
        let mut input = chosen.get(&inputs).clone();
        changes.iter().for_each(|change| apply(&mut input, change));
        run(target, &input);
        Ok(())
    };
    runner.run(&cases, check).unwrap();
}

macro_rules! changed {
    ($($target:ident),+) => {
        mod a_changed_input_is_taken {
            $(#[test] fn $target() { super::changed(stringify!($target)); })+
        }
    };
}

changed!(
    frames,
    batch,
    decompress,
    log_files,
    producer_snapshot,
    checkpoint,
    wal,
    metadata_snapshot,
    boundary
);

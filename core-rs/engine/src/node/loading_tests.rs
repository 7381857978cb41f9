//! Many logs of one image delta: opened by several threads in any order, confirmed once, with progress on the way.

use super::testing::*;
use crate::boundary::{Event, parse_events};
use crate::uuid::Uuid;

const LOGS: i32 = 100;

/// A world whose image waits for a hundred logs; its effects run by hand.
fn waiting() -> World {
    let mut world = World::new(options());
    world.runs_effects = false;
    world.create_topic(LOGS, &[]);
    let effect = world.node.take_effect().unwrap();
    world.node.run_effect(effect, world.now);
    world
}

/// Runs the effect at a place of the queue, some time after the last.
fn run_at(world: &mut World, index: usize, ms: i64) {
    world.now.monotonic_ms += ms;
    let effect = world.node.take_effect_at(index).unwrap();
    world.node.run_effect(effect, world.now);
}

#[test]
fn logs_are_opened_by_several_threads_in_any_order_and_confirmed_once() {
    let mut world = waiting();
    assert_eq!(world.node.pending_effects(), usize::from(options().io_threads));
    let mut taken = 0;
    while world.node.pending_effects() > 0 {
        assert!(world.node.topics().is_empty() || taken > LOGS / 16, "nothing serves before all of it does");
        let newest = world.node.pending_effects() - 1;
        run_at(&mut world, newest, 0);
        taken += 1;
    }
    assert!(taken > LOGS / 16, "each takes a few at a time: {taken}");
    let packed = world.drain();
    let applied = parse_events(&packed).unwrap().into_iter();
    let applied: Vec<Event<'_>> =
        applied.filter(|event| matches!(event, Event::ImageApplied { .. })).collect();
    assert_eq!(applied, [Event::ImageApplied { offset: 5, failures: Vec::new() }]);
    let topic = world.node.topics().by_id(Uuid(TOPIC)).unwrap();
    assert_eq!(topic.partitions.iter().flatten().count(), LOGS as usize);
}

#[test]
fn progress_is_told_once_a_second() {
    let mut world = waiting();
    while world.node.pending_effects() > 0 {
        run_at(&mut world, 0, 400);
    }
    let packed = world.drain();
    let told: Vec<(i32, i32)> = parse_events(&packed)
        .unwrap()
        .into_iter()
        .filter_map(|event| match event {
            Event::LogsLoading { loaded, total, .. } => Some((loaded, total)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(24, LOGS), (48, LOGS), (72, LOGS), (96, LOGS)]);
}

#[test]
fn a_log_that_cannot_be_opened_keeps_no_other_from_serving() {
    let mut world = waiting();
    world.storage.fail_next(
        crate::storage::SimOperation::Create,
        crate::storage::Fault::Error(std::io::ErrorKind::StorageFull),
    );
    world.runs_effects = true;
    world.run();
    let topic = world.node.topics().by_id(Uuid(TOPIC)).unwrap();
    assert_eq!(topic.partitions.iter().flatten().count(), LOGS as usize, "it was tried again at once");
}

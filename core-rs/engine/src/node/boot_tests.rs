//! Which stop a log directory was left by, as the next start tells from the files in its root.

use std::path::Path;

use super::testing::*;
use crate::boundary::{Command, NodeOptions};
use crate::log::LastStop;
use crate::storage::{Fault, SimOperation, SimStorage, Storage};

fn booted(boot_id: &str) -> NodeOptions {
    NodeOptions { boot_id: boot_id.to_owned(), ..options() }
}

fn start(disk: &SimStorage, boot_id: &str) -> World {
    disk.restart();
    World::on(disk.clone(), booted(boot_id))
}

fn stop_before(world: &World) -> LastStop {
    world.node.log_dirs[0].stop
}

#[test]
fn a_death_of_the_process_is_told_from_one_of_the_machine() {
    let disk = SimStorage::new();
    let mut world = start(&disk, "monday");
    assert_eq!(stop_before(&world), LastStop::Machine, "nothing is known of a new directory");
    world.create_topic(1, &[]);
    let mut world = start(&disk, "monday");
    assert_eq!(stop_before(&world), LastStop::Process);
    world.create_topic(1, &[]);
    let mut world = start(&disk, "tuesday");
    assert_eq!(stop_before(&world), LastStop::Machine);
    world.create_topic(1, &[]);
    world.submit(&[Command::Shutdown]);
    assert_eq!(stop_before(&start(&disk, "wednesday")), LastStop::Clean);
    assert_eq!(
        stop_before(&start(&disk, "wednesday")),
        LastStop::Machine,
        "it died before its logs were open"
    );
    assert_eq!(stop_before(&start(&disk, "")), LastStop::Machine);
}

#[test]
fn a_process_that_dies_during_recovery_leaves_all_of_it_to_do() {
    let disk = SimStorage::new();
    start(&disk, "monday").create_topic(1, &[]);
    disk.crash(1);
    let mut world = start(&disk, "tuesday");
    world.runs_effects = false;
    world.create_topic(1, &[]);
    assert_eq!(stop_before(&start(&disk, "tuesday")), LastStop::Machine);
}

#[test]
fn a_log_that_cannot_be_opened_leaves_its_recovery_to_the_next_start() {
    let disk = SimStorage::new();
    let mut world = start(&disk, "monday");
    world.create_topic(1, &[]);
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"damaged"));
    world.submit(&[Command::Shutdown]);
    disk.remove_file(Path::new("/data/.kafka_cleanshutdown")).unwrap();
    let log = disk.open(Path::new("/data/events-0/00000000000000000000.log")).unwrap();
    log.write_at(70, &[std::io::IoSlice::new(b"!")]).unwrap();
    let mut world = start(&disk, "tuesday");
    world.create_topic(1, &[]);
    let topic = world.node.topics().by_id(crate::uuid::Uuid(TOPIC)).unwrap();
    assert!(topic.partition(0).unwrap().is_unopened());
    assert_eq!(stop_before(&start(&disk, "tuesday")), LastStop::Machine);
}

#[test]
fn after_a_failed_write_the_page_cache_is_not_trusted() {
    let disk = SimStorage::new();
    let mut world = start(&disk, "monday");
    world.create_topic(1, &[]);
    disk.fail_next(SimOperation::Write, Fault::Error(std::io::ErrorKind::Other));
    let conn = world.connect(0);
    world.send(conn, &produce(1, -1, 0, b"lost"));
    assert_eq!(stop_before(&start(&disk, "monday")), LastStop::Machine);
}

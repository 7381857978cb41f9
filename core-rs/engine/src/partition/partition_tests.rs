//! One partition over a real log on a simulated disk: restarts, group commit, faults, coordinators.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use millrace_record::{BatchBuilder, BatchSpec, Codec, patch};

use super::testing::*;
use super::*;
use crate::log::Opening;
use crate::storage::{Fault, SimOperation, SimStorage, Storage, WriteError};

fn append(
    partition: &Arc<Partition>,
    bytes: &[u8],
    notices: &mut Notices,
) -> Result<Appended, PartitionError> {
    let mut bytes = bytes.to_vec();
    let checked = check_client_batch(&mut bytes, 9, partition.config(), ("t", 0), NOON)?;
    partition.append_as_leader(&mut bytes, checked, true, NOON, notices)
}

fn close(partition: &Partition) {
    partition.close(&mut Notices::default()).unwrap().sync().unwrap();
}

#[test]
fn a_clean_restart_keeps_records_and_producer_state_without_scanning() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, PartitionConfig::default());
    append(&partition, &idempotent(7, 2, 0, 3), &mut notices).unwrap();
    append(&partition, &batch(4), &mut notices).unwrap();
    close(&partition);
    assert!(matches!(append(&partition, &batch(1), &mut notices), Err(PartitionError::Offline { .. })));
    disk.crash(1);

    let partition = leader(&disk, PartitionConfig::default());
    assert_eq!(partition.high_watermark(), 7);
    let again = append(&partition, &idempotent(7, 2, 0, 3), &mut notices).unwrap();
    assert_eq!((again.base_offset, again.required), (0, 3));
    let next = append(&partition, &idempotent(7, 2, 3, 1), &mut notices).unwrap();
    assert_eq!(next.base_offset, 7);
}

#[test]
fn after_a_crash_the_producer_state_comes_from_the_log() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, synced_config());
    for base_sequence in [0, 3, 6] {
        append(&partition, &idempotent(7, 2, base_sequence, 3), &mut notices).unwrap();
    }
    run_effects(&mut notices);
    append(&partition, &idempotent(7, 2, 9, 3), &mut notices).unwrap();
    disk.crash(42);

    let partition = open_as(&disk, spec("t", 1, 0), synced_config(), Opening::unclean(0));
    partition.lead(4, &mut notices);
    let end = partition.offsets().log_end;
    assert!(end == 9 || end == 12, "{end}: all that was synced, perhaps what was not");
    assert_eq!(partition.offsets().recovery_point, end, "what is read after a crash is durable first");
    let again = append(&partition, &idempotent(7, 2, 3, 3), &mut notices).unwrap();
    assert_eq!(again.base_offset, 3);
    let next = append(&partition, &idempotent(7, 2, end as i32, 3), &mut notices).unwrap();
    assert_eq!(next.base_offset, end);
}

#[test]
fn after_the_process_died_the_producer_state_knows_what_was_never_synced() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, PartitionConfig::default());
    for base_sequence in [0, 3] {
        append(&partition, &idempotent(7, 2, base_sequence, 3), &mut notices).unwrap();
    }
    disk.restart();

    let partition = open_as(&disk, spec("t", 1, 0), PartitionConfig::default(), Opening::killed(0));
    partition.lead(4, &mut notices);
    assert_eq!(partition.offsets().log_end, 6);
    assert_eq!(partition.offsets().recovery_point, 0, "it is read and yet not durable");
    let again = append(&partition, &idempotent(7, 2, 0, 3), &mut notices).unwrap();
    assert_eq!(again.base_offset, 0);
    let next = append(&partition, &idempotent(7, 2, 6, 3), &mut notices).unwrap();
    assert_eq!(next.base_offset, 6);
}

#[test]
fn after_the_process_died_nothing_is_read_before_a_sync_where_every_append_is_synced() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, synced_config());
    append(&partition, &batch(3), &mut notices).unwrap();
    disk.sync_dir(Path::new("/")).unwrap();
    disk.restart();
    let partition = open_as(&disk, spec("t", 1, 0), synced_config(), Opening::killed(0));
    assert_eq!((partition.offsets().recovery_point, partition.high_watermark()), (3, 3));
    for seed in 0..10 {
        disk.crash(seed);
        let partition = open_as(&disk, spec("t", 1, 0), synced_config(), Opening::unclean(3));
        assert_eq!(partition.high_watermark(), 3, "seed {seed}");
    }
}

#[test]
fn a_directory_of_another_topic_id_is_refused() {
    let disk = SimStorage::new();
    close(&leader(&disk, PartitionConfig::default()));
    let storage: Arc<dyn crate::storage::Storage> = Arc::new(disk.clone());
    let other = spec("t", 2, 0);
    let refused = Partition::open(&storage, other, Arc::default(), Opening::CLEAN, NOON);
    assert!(refused.unwrap_err().to_string().contains("belongs to topic id"));
}

#[test]
fn one_sync_serves_every_append_that_came_meanwhile() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, synced_config());
    partition.watch();
    append(&partition, &batch(1), &mut notices).unwrap();
    append(&partition, &batch(2), &mut notices).unwrap();
    assert_eq!(notices.effects.len(), 1);
    assert_eq!(partition.high_watermark(), 0);
    let first = notices.effects.pop().unwrap();
    first.run(NO_PATIENCE, &mut notices);
    assert_eq!(partition.high_watermark(), 3);
    assert!(notices.effects.is_empty(), "nothing came after it");
    assert_eq!(notices.committed, [(partition.topic_id(), 0, 3)]);
}

#[test]
fn without_flush_messages_the_high_watermark_is_the_end_and_nothing_is_synced() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, PartitionConfig::default());
    append(&partition, &batch(4), &mut notices).unwrap();
    assert_eq!(partition.high_watermark(), 4);
    assert!(notices.is_empty());
}

#[test]
fn flush_messages_above_one_syncs_in_the_background() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let config = PartitionConfig::default().with([("flush.messages", "10")]).unwrap();
    let partition = leader(&disk, config);
    append(&partition, &batch(9), &mut notices).unwrap();
    assert!(notices.effects.is_empty());
    append(&partition, &batch(1), &mut notices).unwrap();
    assert_eq!((notices.effects.len(), partition.high_watermark()), (1, 10));
    run_effects(&mut notices);
    assert_eq!(partition.offsets().recovery_point, 10);
}

#[test]
fn turning_group_commit_off_lets_the_high_watermark_catch_up() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, synced_config());
    append(&partition, &batch(4), &mut notices).unwrap();
    partition.set_config(Arc::default(), &mut notices);
    assert_eq!(partition.high_watermark(), 4);
}

#[test]
fn a_failed_write_takes_the_partition_offline_for_good() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, PartitionConfig::default());
    append(&partition, &batch(1), &mut notices).unwrap();
    disk.fail_next(SimOperation::Write, Fault::Error(std::io::ErrorKind::Other));
    for _ in 0..2 {
        let refused = append(&partition, &batch(1), &mut notices);
        assert!(matches!(refused, Err(PartitionError::Offline { .. })), "{refused:?}");
    }
    assert_eq!(notices.failures.len(), 1, "told once");
    assert_eq!(notices.failures[0].dir, partition.dir().to_path_buf());
    let read = partition.read(&read_all(0), None, &mut notices);
    assert!(matches!(read, Err(PartitionError::Offline { .. })));
}

fn read_all(offset: i64) -> ReadSpec {
    ReadSpec {
        offset,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        max_bytes: 1 << 20,
        isolation: Isolation::ReadUncommitted,
        at_least_one: true,
    }
}

#[test]
fn a_panic_under_the_lock_takes_the_partition_offline() {
    let disk = SimStorage::new();
    let partition = leader(&disk, PartitionConfig::default());
    let panicked = catch_unwind(AssertUnwindSafe(|| partition.with(|_| panic!("half way"))));
    assert!(panicked.is_err());
    let refused = append(&partition, &batch(1), &mut Notices::default());
    assert!(matches!(refused, Err(PartitionError::Offline { .. })));
    assert!(partition.offline_reason().unwrap().contains("panic"));
}

#[test]
fn a_batch_larger_than_a_segment_is_refused_and_harms_nothing() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let config = PartitionConfig::default().with([("segment.bytes", "1000")]).unwrap();
    let partition = leader(&disk, config);
    let refused = append(&partition, &batch_of_bytes(2_000), &mut notices);
    assert!(matches!(refused, Err(PartitionError::BatchLargerThanSegment { .. })), "{refused:?}");
    assert_eq!(append(&partition, &batch(1), &mut notices).unwrap().base_offset, 0);
}

#[test]
fn rolling_a_segment_leaves_a_producer_snapshot_and_asks_for_a_sync() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let config = PartitionConfig::default().with([("segment.bytes", "1000")]).unwrap();
    let partition = leader(&disk, config);
    for base_sequence in 0..30 {
        append(&partition, &idempotent(7, 0, base_sequence, 1), &mut notices).unwrap();
    }
    assert_eq!(notices.effects.len(), 1, "one sync however many segments rolled");
    run_effects(&mut notices);
    assert_eq!(partition.offsets().recovery_point, 30);
    let names = crate::storage::Storage::list(&disk, &partition.dir()).unwrap();
    assert!(names.iter().any(|entry| entry.name.ends_with(".snapshot")), "{names:?}");
}

#[test]
fn a_roll_forgets_no_producer() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let config = PartitionConfig::default().with([("segment.bytes", "1000")]).unwrap();
    let partition = leader(&disk, PartitionConfig { producer_expiration_ms: 0, ..config });
    for base_sequence in 0..30 {
        append(&partition, &idempotent(7, 0, base_sequence, 1), &mut notices).unwrap();
    }
    let gap = append(&partition, &idempotent(7, 0, 40, 1), &mut notices);
    assert!(matches!(gap, Err(PartitionError::OutOfOrderSequence { .. })), "{gap:?}");
}

#[test]
fn a_header_that_lies_about_its_largest_timestamp_is_corrected() {
    let disk = SimStorage::new();
    let partition = leader(&disk, PartitionConfig::default());
    let mut bytes = batch(3);
    patch::set_max_timestamp(&mut bytes, millrace_record::TimestampType::CreateTime, 12).unwrap();
    append(&partition, &bytes, &mut Notices::default()).unwrap();
    let found = partition.find_offset(OffsetQuery::MaxTimestamp, -1, None, &mut Notices::default()).unwrap();
    assert_eq!((found.timestamp, found.offset), (NOON.wall_ms + 2, 2));
}

type Record<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

#[test]
fn a_coordinator_appends_at_its_own_epoch_only_and_reads_everything_back() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, PartitionConfig::default());
    let records: [Record<'_>; 3] = [(Some(b"a"), Some(b"1")), (Some(b"b"), None), (None, Some(b"3"))];
    for epoch in [2, 4, -1] {
        let refused = partition.append_records(epoch, 77, &records, NOON, &mut notices);
        assert_eq!(refused, Err(PartitionError::NotLeader));
    }
    let appended = partition.append_records(3, 77, &records, NOON, &mut notices).unwrap();
    assert_eq!((appended.base_offset, appended.last_offset, appended.high_watermark), (0, 2, 3));
    assert_eq!(notices.committed, [(partition.topic_id(), 0, 3)]);
    assert!(partition.append_records(3, 77, &[], NOON, &mut notices).is_err());

    assert_eq!(partition.load_chunk(2, 0, 100, &mut notices), Err(PartitionError::NotLeader));
    let chunk = partition.load_chunk(3, 0, 1 << 20, &mut notices).unwrap();
    assert!(chunk.done);
    assert_eq!(chunk.next_offset, 3);
    let loaded: Vec<_> =
        chunk.records.iter().map(|r| (r.offset, r.timestamp, r.key.as_deref(), r.value.as_deref())).collect();
    let expected: Vec<_> =
        (0i64..).zip(records).map(|(offset, (key, value))| (offset, 77, key, value)).collect();
    assert_eq!(loaded, expected);
}

#[test]
fn loading_reads_past_a_high_watermark_that_waits_for_a_sync() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, synced_config());
    partition.append_records(3, 77, &[(Some(b"a"), None)], NOON, &mut notices).unwrap();
    assert_eq!(partition.high_watermark(), 0);
    let chunk = partition.load_chunk(3, 0, 1 << 20, &mut notices).unwrap();
    assert_eq!((chunk.records.len(), chunk.next_offset, chunk.done), (1, 1, true));
}

#[test]
fn what_is_appended_during_a_sync_waits_for_the_next_one() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, synced_config());
    append(&partition, &batch(1), &mut notices).unwrap();
    notices.effects.clear();
    let job = partition.begin_sync().unwrap();
    append(&partition, &batch(2), &mut notices).unwrap();
    assert!(notices.effects.is_empty(), "one sync in flight");
    partition.end_sync(&job, job.run(), (0, 0), &mut notices);
    assert_eq!((partition.high_watermark(), notices.effects.len()), (1, 1));
    run_effects(&mut notices);
    assert_eq!(partition.high_watermark(), 3);
}

/// Appends twice, as two whose acks one sync has let go would: the second only once the sync of the first waits for it,
/// or is over. How far that one sync came.
fn synced_with_company(stopwatch: fn() -> u64) -> i64 {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, synced_config());
    append(&partition, &batch(1), &mut notices).unwrap();
    append(&partition, &batch(1), &mut notices).unwrap();
    notices.effects.clear();
    let job = partition.begin_sync().unwrap();
    partition.end_sync(&job, job.run(), (1000, 1_000_000), &mut notices);
    append(&partition, &batch(1), &mut notices).unwrap();
    let sync = notices.effects.pop().unwrap();
    let patience = Patience { stopwatch, may_wait: true };
    std::thread::scope(|scope| {
        let thread = scope.spawn(move || sync.run(patience, &mut Notices::default()));
        while !thread.is_finished() && !partition.with(|state| state.company.is_awaited()) {
            std::thread::yield_now();
        }
        let reached = partition.high_watermark();
        append(&partition, &batch(1), &mut notices).unwrap();
        thread.join().unwrap();
        reached.max(partition.high_watermark())
    })
}

#[test]
fn a_sync_waits_for_those_who_came_together_before() {
    assert_eq!(synced_with_company(|| 1000), 4, "the time that it may wait does not end: it was woken");
}

#[test]
fn a_sync_waits_no_longer_than_the_last_one_took() {
    assert_eq!(synced_with_company(|| 1_001_000), 3);
}

#[test]
fn a_sync_that_finds_its_partition_deleted_accuses_no_disk() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, synced_config());
    append(&partition, &batch(1), &mut notices).unwrap();
    let job = partition.begin_sync().unwrap();
    partition.delete("x", &mut notices).unwrap().run().unwrap();
    partition.end_sync(
        &job,
        Err(WriteError::Failed(std::io::ErrorKind::NotFound.into())),
        (0, 0),
        &mut notices,
    );
    run_effects(&mut notices);
    assert!(notices.failures.is_empty());
}

#[test]
fn loading_goes_in_bounded_chunks_and_skips_control_batches() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, PartitionConfig::default());
    let value = vec![9; 1000];
    for place in 0..10u8 {
        let records: [Record<'_>; 1] = [(Some(&[place]), Some(&value))];
        partition.append_records(3, 77, &records, NOON, &mut notices).unwrap();
        // Clients may not write control batches, but logs hold them: put one in as a coordinator would.
        let mut marker = BatchBuilder::new(BatchSpec { is_control: true, ..BatchSpec::default() });
        marker.append(77, Some(&[0, 0, 0, 1]), Some(&[0; 6]), &[]).unwrap();
        let mut bytes = marker.finish().unwrap();
        let new = append::NewBatch {
            bytes: &mut bytes,
            last_offset_delta: 0,
            count: 1,
            max_timestamp: 77,
            log_append_time: -1,
            writer: append::Writer::Plain,
        };
        let config = partition.config();
        partition.with(|state| partition.append(state, new, &config, NOON, &mut notices)).unwrap();
    }
    append(&partition, &compressed(Codec::Zstd, 3), &mut notices).unwrap();
    let (mut next, mut chunks, mut offsets) = (0, 0, Vec::new());
    loop {
        let chunk = partition.load_chunk(3, next, 2_500, &mut notices).unwrap();
        assert!(chunk.next_offset > next, "a chunk moves on");
        assert!(chunk.records.len() <= 4);
        offsets.extend(chunk.records.iter().map(|record| record.offset));
        (next, chunks) = (chunk.next_offset, chunks + 1);
        if chunk.done {
            break;
        }
    }
    assert!(chunks > 3, "{chunks}");
    let expected: Vec<i64> = (0..20).step_by(2).chain(20..23).collect();
    assert_eq!(offsets, expected);
    let beyond = partition.load_chunk(3, 23, 100, &mut notices).unwrap();
    assert!(beyond.done && beyond.records.is_empty());
}

#[test]
fn an_older_epoch_does_not_bring_a_role_back() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, PartitionConfig::default());
    partition.follow(5, &mut notices);
    partition.lead(4, &mut notices);
    assert_eq!(append(&partition, &batch(1), &mut notices), Err(PartitionError::NotLeader));
    partition.lead(6, &mut notices);
    assert_eq!(append(&partition, &batch(1), &mut notices).unwrap().base_offset, 0);
}

#[test]
fn a_producer_that_is_silent_for_longer_than_configured_is_forgotten_at_the_next_start() {
    for (expiration_ms, remembered) in [("1000", 0), ("1001", 1)] {
        let disk = SimStorage::new();
        let config = PartitionConfig::default().with([("producer.id.expiration.ms", expiration_ms)]).unwrap();
        let partition = leader(&disk, config.clone());
        append(&partition, &idempotent(7, 0, 0, 1), &mut Notices::default()).unwrap();
        close(&partition);
        let storage: Arc<dyn crate::storage::Storage> = Arc::new(disk.clone());
        let later = crate::time::Now { wall_ms: NOON.wall_ms + 1000, ..NOON };
        let opened =
            Partition::open(&storage, spec("t", 1, 0), config.into(), Opening::CLEAN, later).unwrap();
        opened.partition.lead(4, &mut Notices::default());
        assert_eq!(opened.partition.active_producers().unwrap().len(), remembered);
    }
}

//! Transactions in one partition: what readers of committed records see, across segments, restarts and crashes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use millrace_record::split_batches;

use super::markers::end_in;
use super::testing::*;
use super::*;
use crate::log::{AbortedTxn, Opening};
use crate::storage::splitmix::SplitMix;
use crate::storage::{SimStorage, Storage};

fn read(partition: &Arc<Partition>, offset: i64, max_bytes: u64, isolation: Isolation) -> Fetched {
    let spec = ReadSpec {
        offset,
        current_leader_epoch: -1,
        last_fetched_epoch: -1,
        max_bytes,
        isolation,
        at_least_one: true,
    };
    let mut notices = Notices::default();
    let mut fetched = partition.read(&spec, None, &mut notices).unwrap();
    run_effects(&mut notices);
    if fetched.cold {
        fetched = partition.read(&spec, None, &mut notices).unwrap();
        run_effects(&mut notices);
    }
    fetched
}

fn bytes(fetched: &Fetched) -> Vec<u8> {
    fetched.range.as_ref().map_or(Vec::new(), |range| range.read().unwrap())
}

/// Offsets of the batches that a read gives.
fn bases(fetched: &Fetched) -> Vec<i64> {
    split_batches(&bytes(fetched)).map_while(Result::ok).map(|batch| batch.base_offset).collect()
}

/// The offsets of the records that a consumer of committed records delivers, by the rule of Kafka's consumer.
fn committed(partition: &Arc<Partition>, max_bytes: u64) -> Vec<i64> {
    let (mut next, mut delivered) = (partition.offsets().log_start, Vec::new());
    loop {
        let fetched = read(partition, next, max_bytes, Isolation::ReadCommitted);
        let mut listed: Vec<AbortedTxn> = fetched.aborted.clone().unwrap();
        listed.sort_by_key(|txn| txn.first_offset);
        let (mut listed, mut aborted) = (listed.into_iter().peekable(), BTreeSet::new());
        let from = next;
        for batch in split_batches(&bytes(&fetched)).map_while(Result::ok) {
            while let Some(txn) = listed.next_if(|txn| txn.first_offset <= batch.last_offset()) {
                aborted.insert(txn.producer_id);
            }
            if batch.is_control() {
                if !end_in(batch.bytes()).unwrap().unwrap().0.committed {
                    aborted.remove(&batch.producer_id);
                }
            } else if !(batch.is_transactional() && aborted.contains(&batch.producer_id)) {
                delivered.extend(batch.base_offset.max(from)..batch.next_offset());
            }
            next = batch.next_offset();
        }
        if next == from {
            return delivered;
        }
    }
}

fn ids(fetched: &Fetched) -> Vec<(i64, i64)> {
    let aborted = fetched.aborted.as_ref().unwrap();
    aborted.iter().map(|txn| (txn.producer_id, txn.first_offset)).collect()
}

#[test]
fn an_open_transaction_holds_back_readers_of_committed_records_alone() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, PartitionConfig::default());
    let plain = |notices: &mut Notices| {
        let mut bytes = batch(1);
        let checked = check_client_batch(&mut bytes, 9, partition.config(), ("t", 0), NOON).unwrap();
        partition.append_as_leader(&mut bytes, checked, true, NOON, notices).unwrap()
    };
    plain(&mut notices);
    append_in_txn(&partition, 7, 0, 2, &mut notices);
    plain(&mut notices);
    let uncommitted = read(&partition, 0, 10_000, Isolation::ReadUncommitted);
    assert_eq!((bases(&uncommitted), uncommitted.aborted.is_none()), (vec![0, 1, 3], true));
    assert_eq!((uncommitted.high_watermark, uncommitted.last_stable_offset), (4, 1));
    assert_eq!(bases(&read(&partition, 0, 10_000, Isolation::ReadCommitted)), [0]);
    assert!(read(&partition, 1, 10_000, Isolation::ReadCommitted).range.is_none(), "and no error");
    let latest = |isolation| {
        partition.find_offset(OffsetQuery::Latest, -1, isolation, &mut Notices::default()).unwrap().offset
    };
    assert_eq!(latest(Some(Isolation::ReadCommitted)), 1);
    assert_eq!((latest(Some(Isolation::ReadUncommitted)), latest(None)), (4, 4));

    assert_eq!(end_txn(&partition, 7, false, &mut notices), 4);
    let settled = read(&partition, 0, 10_000, Isolation::ReadCommitted);
    assert_eq!((bases(&settled), ids(&settled)), (vec![0, 1, 3, 4], vec![(7, 1)]));
    assert_eq!(settled.last_stable_offset, 5);
    assert_eq!(ids(&read(&partition, 4, 10_000, Isolation::ReadCommitted)), [(7, 1)], "its marker is here");
    assert_eq!(committed(&partition, 100), [0, 3]);
}

#[test]
fn a_search_by_time_ends_where_transactions_are_undecided() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, PartitionConfig::default());
    append_in_txn(&partition, 7, 0, 1, &mut notices);
    let find = |query, isolation| {
        partition.find_offset(query, -1, Some(isolation), &mut Notices::default()).unwrap().offset
    };
    for query in [OffsetQuery::Timestamp(0), OffsetQuery::MaxTimestamp] {
        assert_eq!(find(query, Isolation::ReadCommitted), -1);
        assert_eq!(find(query, Isolation::ReadUncommitted), 0);
    }
    end_txn(&partition, 7, true, &mut notices);
    assert_eq!(find(OffsetQuery::Timestamp(0), Isolation::ReadCommitted), 0);
}

#[test]
fn a_waiting_reader_of_committed_records_is_woken_by_the_marker_and_by_nothing_before() {
    let disk = SimStorage::new();
    let partition = leader(&disk, PartitionConfig::default());
    append_in_txn(&partition, 7, 0, 1, &mut Notices::default());
    let [eager, patient] = [1, 2].map(|token| WaiterId { thread: 0, token });
    let wait = |id, offset, isolation| {
        let spec = ReadSpec {
            offset,
            current_leader_epoch: -1,
            last_fetched_epoch: -1,
            max_bytes: 1000,
            isolation,
            at_least_one: true,
        };
        partition.read(&spec, Some(id), &mut Notices::default()).unwrap()
    };
    assert!(wait(eager, 1, Isolation::ReadUncommitted).range.is_none());
    assert!(wait(patient, 0, Isolation::ReadCommitted).range.is_none());
    let mut notices = Notices::default();
    append_in_txn(&partition, 7, 1, 1, &mut notices);
    assert_eq!(notices.waiters, [eager]);
    end_txn(&partition, 7, true, &mut notices);
    assert_eq!(notices.waiters, [eager, patient]);
}

#[test]
fn a_marker_that_may_still_be_lost_decides_nothing() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, synced_config());
    append_in_txn(&partition, 7, 0, 1, &mut notices);
    run_effects(&mut notices);
    end_txn(&partition, 7, false, &mut notices);
    assert_eq!((partition.high_watermark(), partition.last_stable_offset()), (1, 0));
    run_effects(&mut notices);
    assert_eq!((partition.high_watermark(), partition.last_stable_offset()), (2, 2));
}

#[test]
fn deleting_records_moves_the_last_stable_offset_along() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, PartitionConfig::default());
    append_in_txn(&partition, 7, 0, 2, &mut notices);
    append_in_txn(&partition, 7, 2, 2, &mut notices);
    partition.delete_records(3, 2, &mut notices).unwrap();
    assert_eq!(partition.last_stable_offset(), 2, "never below the log start");
    assert!(read(&partition, 2, 1000, Isolation::ReadCommitted).range.is_none());
    end_txn(&partition, 7, true, &mut notices);
    assert_eq!(partition.last_stable_offset(), 5);
}

#[test]
fn a_range_is_told_of_the_aborted_transactions_that_it_overlaps_and_few_others() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let config = PartitionConfig::default().with([("index.interval.bytes", "1")]).unwrap();
    let partition = leader(&disk, config);
    // One transaction around all of them, so that every entry has the same last stable offset.
    append_in_txn(&partition, 99, 0, 1, &mut notices);
    for producer_id in 0..50 {
        append_in_txn(&partition, producer_id, 0, 1, &mut notices);
        end_txn(&partition, producer_id, false, &mut notices);
    }
    end_txn(&partition, 99, false, &mut notices);
    let one = read(&partition, 41, 100, Isolation::ReadCommitted);
    let told = ids(&one);
    assert!(told.contains(&(20, 41)) && told.contains(&(99, 0)), "{told:?}");
    assert!(told.len() <= 4, "{told:?}");
    assert!(committed(&partition, 100).is_empty());
}

fn config() -> PartitionConfig {
    let pairs = [("segment.bytes", "1000"), ("index.interval.bytes", "100"), ("flush.messages", "1")];
    PartitionConfig::default().with(pairs).unwrap()
}

fn names(disk: &SimStorage, extension: &str) -> Vec<std::path::PathBuf> {
    let dir = Path::new("/data/t-0");
    let listing = disk.list(dir).unwrap().into_iter().map(|entry| dir.join(entry.name));
    listing.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

#[test]
fn transaction_indexes_and_snapshots_lost_or_damaged_come_back_from_the_log() {
    let disk = SimStorage::new();
    let mut notices = Notices::default();
    let partition = leader(&disk, config());
    let mut sequences = BTreeMap::new();
    for round in 0..40 {
        let producer_id = round % 5;
        let sequence = sequences.entry(producer_id).or_insert(0);
        append_in_txn(&partition, producer_id, *sequence, 1, &mut notices);
        *sequence += 1;
        if round % 3 == 2 {
            end_txn(&partition, producer_id, round % 2 == 0, &mut notices);
        }
        run_effects(&mut notices);
    }
    let expected = (committed(&partition, 300), partition.last_stable_offset());
    let producers = partition.active_producers().unwrap();
    partition.close(&mut notices).unwrap().sync().unwrap();
    let indexes: Vec<_> =
        names(&disk, "txnindex").iter().map(|path| (path.clone(), disk.read_to_vec(path).unwrap())).collect();
    assert!(indexes.len() > 2, "in several segments");

    let reopened = |opening| {
        let partition = open_as(&disk, spec("t", 1, 0), config(), opening);
        partition.lead(4, &mut Notices::default());
        let found = (committed(&partition, 300), partition.last_stable_offset());
        assert_eq!(found, expected);
        assert_eq!(partition.active_producers().unwrap(), producers);
        partition.close(&mut Notices::default()).unwrap().sync().unwrap();
        let rewritten: Vec<_> = names(&disk, "txnindex")
            .iter()
            .map(|path| (path.clone(), disk.read_to_vec(path).unwrap()))
            .collect();
        assert_eq!(rewritten, indexes);
    };
    reopened(Opening::CLEAN);
    reopened(Opening::unclean(0));
    for path in [names(&disk, "txnindex"), names(&disk, "snapshot")].concat() {
        disk.remove_file(&path).unwrap();
    }
    reopened(Opening::unclean(0));
    // A clean stop vouches for the files, but not for a length or a version that cannot be.
    let (path, contents) = &indexes[1];
    for damaged in [contents[..contents.len() - 1].to_vec(), [&[0, 1], &contents[2..]].concat()] {
        disk.remove_file(path).unwrap();
        let file = disk.create(path).unwrap();
        file.write_at(0, &[std::io::IoSlice::new(&damaged)]).unwrap();
        reopened(Opening::CLEAN);
    }
}

#[test]
fn whatever_crashes_come_in_between_a_consumer_sees_what_was_committed() {
    for seed in 0..30 {
        let disk = SimStorage::new();
        let mut random = SplitMix::new(seed);
        let mut partition = leader(&disk, config());
        disk.sync_dir(Path::new("/")).unwrap();
        // By offset: whose it is; and how the transaction of each producer ended after that.
        let (mut written, mut ends) = (Vec::new(), Vec::new());
        let mut sequences: BTreeMap<i64, i32> = BTreeMap::new();
        for step in 0..60 {
            let mut notices = Notices::default();
            let producer_id = random.below(4) as i64;
            match random.below(10) {
                0..6 => {
                    let sequence = sequences.entry(producer_id).or_insert(0);
                    written.push((
                        append_in_txn(&partition, producer_id, *sequence, 1, &mut notices),
                        producer_id,
                    ));
                    *sequence += 1;
                }
                6..9 => {
                    let is_committed = random.below(2) == 0;
                    ends.push((
                        end_txn(&partition, producer_id, is_committed, &mut notices),
                        producer_id,
                        is_committed,
                    ));
                }
                _ if random.below(2) == 0 => {
                    partition.close(&mut notices).unwrap().sync().unwrap();
                    partition = leader(&disk, config());
                }
                _ => {
                    let point = partition.offsets().recovery_point;
                    let opening = match random.below(2) {
                        0 => Opening::killed(point),
                        _ => {
                            disk.crash(seed * 100 + step);
                            Opening::unclean(point)
                        }
                    };
                    partition = open_as(&disk, spec("t", 1, 0), config(), opening);
                    partition.lead(3, &mut notices);
                }
            }
            run_effects(&mut notices);
        }
        let end_of = |(offset, producer_id): &(i64, i64)| {
            ends.iter().find(|(end, whose, _)| end > offset && whose == producer_id)
        };
        let open = written.iter().filter(|record| end_of(record).is_none()).map(|(offset, _)| *offset).min();
        let stable = open.unwrap_or(partition.high_watermark());
        assert_eq!(partition.last_stable_offset(), stable, "seed {seed}");
        let expected: Vec<i64> = written
            .iter()
            .filter(|record| record.0 < stable && end_of(record).is_some_and(|(_, _, committed)| *committed))
            .map(|(offset, _)| *offset)
            .collect();
        assert_eq!(committed(&partition, 50 + random.below(2000)), expected, "seed {seed}");
        assert_eq!(partition.offline_reason().as_deref(), None);
    }
}

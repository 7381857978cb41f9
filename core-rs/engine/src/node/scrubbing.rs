//! The scrubber: walks over all closed segments again and again, at a low rate, and looks whether they still hold what
//! was written. And what was found to be damaged, by it or by anybody: told once for each place, and counted.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::effects::Effect;
use super::shared::Node;
use crate::boundary::{Event, NodeOptions};
use crate::log::{DamagedPlace, SegmentCheck};
use crate::partition::{Notices, Partition};
use crate::time::Now;
use crate::uuid::Uuid;

/// One piece every so often, as large as the rate allows.
const PIECE_MS: i64 = 1_000;
/// Before the first round.
const DELAY_MS: i64 = 60_000;
/// Between two rounds over everything.
const REST_MS: i64 = 3_600_000;
/// Places remembered, so that each is told once; further ones are neither told nor counted.
const PLACES_TOLD: usize = 1024;

#[derive(Debug)]
pub(super) struct Scrubbing {
    /// `millrace.log.scrub.bytes.per.second`; 0 = never.
    bytes_per_second: u64,
    /// Monotonic ms.
    next_ms: AtomicI64,
    /// An effect is queued or running.
    begun: AtomicBool,
    cursor: Mutex<Cursor>,
    /// Since the start.
    bytes: AtomicU64,
    told: Mutex<BTreeSet<(PathBuf, u64)>>,
}

/// How far the present round has got.
#[derive(Debug, Default)]
struct Cursor {
    /// The partition that is being scrubbed, by topic id and index, or was last.
    place: Option<(Uuid, i32)>,
    /// It, and the least base of the next segment.
    partition: Option<(Arc<Partition>, i64)>,
    /// A segment half done.
    check: Option<SegmentCheck>,
    /// Nothing is left of this round.
    over: bool,
}

impl Scrubbing {
    pub fn new(options: &NodeOptions, now: Now) -> Scrubbing {
        Scrubbing {
            bytes_per_second: u64::try_from(options.log_scrub_bytes_per_second).unwrap_or(0),
            next_ms: AtomicI64::new(now.monotonic_ms.saturating_add(DELAY_MS)),
            begun: AtomicBool::new(false),
            cursor: Mutex::default(),
            bytes: AtomicU64::new(0),
            told: Mutex::default(),
        }
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub fn damaged_places(&self) -> usize {
        self.told.lock().len()
    }
}

impl Node {
    /// Queues the next piece once it is due.
    pub(super) fn tick_scrubbing(&self, now: Now) {
        let scrubbing = &self.scrubbing;
        let due = now.monotonic_ms >= scrubbing.next_ms.load(Ordering::Acquire);
        if scrubbing.bytes_per_second == 0 || !due || scrubbing.begun.swap(true, Ordering::AcqRel) {
            return;
        }
        let over = std::mem::take(&mut scrubbing.cursor.lock().over);
        let wait_ms = if over { REST_MS } else { PIECE_MS };
        scrubbing.next_ms.store(now.monotonic_ms.saturating_add(wait_ms), Ordering::Release);
        if over {
            scrubbing.begun.store(false, Ordering::Release);
        } else {
            self.push_effect(Effect::Scrub);
        }
    }

    pub(super) fn scrub(&self, notices: &mut Notices) {
        let mut cursor = self.scrubbing.cursor.lock();
        let mut left = self.scrubbing.bytes_per_second;
        while left > 0 && !self.stopping.is_stopping() {
            let half_done = cursor.check.take();
            let Some(mut check) = half_done.or_else(|| self.next_segment(&mut cursor, notices)) else {
                break;
            };
            let before = check.checked_bytes();
            let stepped = check.step(left);
            let walked = check.checked_bytes().saturating_sub(before);
            // Looking at a segment costs something even where there is nothing to walk over.
            left = left.saturating_sub(walked.max(1));
            self.scrubbing.bytes.fetch_add(walked, Ordering::Relaxed);
            let outcome = match stepped {
                Ok(false) => {
                    cursor.check = Some(check);
                    continue;
                }
                Ok(true) => check.finish(),
                Err(error) => Err(error),
            };
            if let Some((partition, _)) = &cursor.partition {
                partition.end_scrub(outcome, notices);
            }
        }
        drop(cursor);
        self.scrubbing.begun.store(false, Ordering::Release);
    }

    fn next_segment(&self, cursor: &mut Cursor, notices: &mut Notices) -> Option<SegmentCheck> {
        loop {
            if let Some((partition, base)) = &mut cursor.partition {
                if let Some(check) = partition.begin_scrub(*base, notices) {
                    *base = check.base() + 1;
                    return Some(check);
                }
                cursor.partition = None;
            }
            let next = self.topics.partition_after(cursor.place);
            cursor.place = next.as_ref().map(|partition| (partition.topic_id(), partition.index()));
            cursor.over = next.is_none();
            cursor.partition = Some((next?, 0));
        }
    }

    /// Tells of a damaged place, the first time that anybody comes upon it.
    pub(super) fn report_damage(&self, damage: &DamagedPlace) {
        let mut told = self.scrubbing.told.lock();
        if told.len() >= PLACES_TOLD || !told.insert((damage.path.clone(), damage.position)) {
            return;
        }
        drop(told);
        self.emit(&Event::Damaged {
            file: &damage.path.to_string_lossy(),
            position: i64::try_from(damage.position).unwrap_or(i64::MAX),
            offset: damage.offset,
            message: &damage.reason,
        });
    }
}

//! Counts of durations in buckets that grow by an eighth: cheap to add to, exact enough for percentiles. Only one
//! thread adds to a histogram; others may read it meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};

use super::stats::add;

/// Buckets of one doubling.
const STEPS: u64 = 8;
const STEP_BITS: u32 = 3;
/// The last doubling ends at 2³³ µs, more than two hours: what takes longer counts as that.
const DOUBLINGS: u64 = 30;
const BUCKETS: usize = (STEPS + DOUBLINGS * STEPS) as usize;

/// Durations in microseconds.
#[derive(Debug)]
pub struct Histogram {
    counts: [AtomicU64; BUCKETS],
    sum: AtomicU64,
    max: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Histogram {
        Histogram {
            counts: [const { AtomicU64::new(0) }; BUCKETS],
            sum: AtomicU64::new(0),
            max: AtomicU64::new(0),
        }
    }
}

/// Up to 7 µs each has a bucket, then every doubling has eight.
fn bucket_of(micros: u64) -> usize {
    let doubling = u64::from((micros | (STEPS - 1)).ilog2() - (STEP_BITS - 1));
    let within = micros >> (doubling.saturating_sub(1));
    let bucket = if doubling == 0 { micros } else { doubling * STEPS + (within & (STEPS - 1)) };
    (bucket as usize).min(BUCKETS - 1)
}

/// The largest duration that counts in a bucket.
fn end_of(bucket: usize) -> u64 {
    let (doubling, step) = (bucket as u64 / STEPS, bucket as u64 % STEPS);
    match doubling {
        0 => step,
        _ => ((STEPS + step + 1) << (doubling - 1)) - 1,
    }
}

impl Histogram {
    pub fn add(&self, micros: u64) {
        if let Some(count) = self.counts.get(bucket_of(micros)) {
            add(count, 1);
        }
        add(&self.sum, micros);
        if micros > self.max.load(Ordering::Relaxed) {
            self.max.store(micros, Ordering::Relaxed);
        }
    }

    /// Adds what `self` has counted to `total`.
    pub fn add_to(&self, total: &mut Counted) {
        total.sum += self.sum.load(Ordering::Relaxed);
        total.max = total.max.max(self.max.load(Ordering::Relaxed));
        for (bucket, count) in self.counts.iter().enumerate() {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                total.count += count;
                *total.buckets.entry(end_of(bucket)).or_default() += count;
            }
        }
    }
}

/// What the histograms of several threads come to.
#[derive(Debug, Default)]
pub struct Counted {
    pub count: u64,
    pub sum: u64,
    pub max: u64,
    /// By the largest duration that counts in a bucket; empty buckets are left out.
    pub buckets: std::collections::BTreeMap<u64, u64>,
}

impl Counted {
    /// `buckets` is a list of pairs: up to so many microseconds, this often.
    pub fn to_json(&self) -> serde_json::Value {
        let buckets: Vec<_> =
            self.buckets.iter().map(|(end, count)| serde_json::json!([end, count])).collect();
        serde_json::json!({ "count": self.count, "sumMicros": self.sum, "maxMicros": self.max, "buckets": buckets })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        for bucket in 0..BUCKETS - 1 {
            let end = end_of(bucket);
            assert_eq!((bucket_of(end), bucket_of(end + 1)), (bucket, bucket + 1), "{end} µs");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    proptest! {
        #[test]
        fn a_bucket_is_at_most_an_eighth_too_large(micros in 0..1u64 << 33) {
            let end = end_of(bucket_of(micros));
            prop_assert!(micros <= end && end <= micros + micros / 8);
        }
    }

    #[test]
    fn threads_are_added_up() {
        let (one, other) = (Histogram::default(), Histogram::default());
        one.add(3);
        other.add(3);
        other.add(1000);
        let mut counted = Counted::default();
        one.add_to(&mut counted);
        other.add_to(&mut counted);
        assert_eq!((counted.count, counted.sum, counted.max), (3, 1006, 1000));
        assert_eq!(counted.buckets.get(&3), Some(&2));
    }
}

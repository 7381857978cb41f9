//! Several batches of clients appended with one write: what a connection had sent when its socket was looked at. Each is
//! judged as if it came alone, after the ones before it; a write that fails takes back what they left in the producer
//! state.

use std::sync::Arc;

use millrace_record::patch;

use super::append::{Appended, ClientBatch, Writer};
use super::producer_state::Undo;
use super::{Notices, Partition, PartitionError, State};
use crate::log::{AppendBatch, AppendSize, LogPosition};
use crate::time::Now;

type Answer = Result<Appended, PartitionError>;

impl Partition {
    /// Appends the batches of a run in order. The answers are those that `append_as_leader` would have given one by one,
    /// but that the high watermark is the one after the last.
    pub fn append_run_as_leader(
        self: &Arc<Self>,
        run: &mut [ClientBatch<'_>],
        now: Now,
        notices: &mut Notices,
    ) -> Vec<Answer> {
        self.with(|state| match state.takes_together(run, now) {
            true => self.append_together(state, run, now, notices),
            false => run.iter_mut().map(|batch| self.append_client(state, batch, now, notices)).collect(),
        })
    }

    fn append_together(
        self: &Arc<Self>,
        state: &mut State,
        run: &mut [ClientBatch<'_>],
        now: Now,
        notices: &mut Notices,
    ) -> Vec<Answer> {
        let Some(end) = state.log.as_ref().map(|log| log.end_position()) else { return Vec::new() };
        let (mut next, mut undo) = (end, Undo::default());
        let mut answers: Vec<Answer> = run
            .iter_mut()
            .map(|batch| {
                let planned = state.plan(batch, next, &mut undo, now)?;
                next.offset = next.offset.max(planned.required);
                Ok(planned)
            })
            .collect();
        // A batch that repeats another one has the offsets of that one.
        let mut written = end.offset;
        let (mut appends, mut records) = (Vec::with_capacity(run.len()), 0u64);
        for (batch, answer) in run.iter_mut().zip(&answers) {
            if let Ok(planned) = answer
                && planned.base_offset == written
            {
                written = planned.required;
                records += batch.checked.summary.count.max(0) as u64;
                let (last_offset, max_timestamp) = (planned.last_offset, batch.checked.max_timestamp);
                appends.push(AppendBatch { bytes: batch.stored(), last_offset, max_timestamp });
            }
        }
        let batches = u32::try_from(appends.len()).unwrap_or(u32::MAX);
        let outcome = state.log_mut().map(|log| log.append(&appends, now));
        let failed = match outcome {
            Ok(Ok(_)) => None,
            Ok(Err(error)) => Some(self.fault(state, error, notices)),
            Err(error) => Some(error),
        };
        if let Some(error) = failed {
            state.producers.take_back(undo);
            for answer in &mut answers {
                if answer.as_ref().is_ok_and(|planned| planned.required > end.offset) {
                    *answer = Err(error.clone());
                }
            }
            return answers;
        }
        let Some(config) = run.first().map(|batch| batch.checked.config.clone()) else { return answers };
        self.appended(state, (batches, records), &config, notices);
        let high_watermark = state.high_watermark.offset;
        answers.iter_mut().flatten().for_each(|planned| planned.high_watermark = high_watermark);
        answers
    }
}

impl State {
    /// Whether a run may go to the log as one: all of it fits where the log ends now, and it knows no transactions,
    /// whose places in the log must be exact.
    fn takes_together(&self, run: &[ClientBatch<'_>], now: Now) -> bool {
        let Ok(log) = self.log() else { return false };
        let mut size = AppendSize { bytes: 0, last_offset: log.end_offset() - 1, max_timestamp: -1 };
        for batch in run {
            let checked = &batch.checked;
            size.bytes += checked.stored_len() as u64;
            size.last_offset += i64::from(checked.summary.last_offset_delta) + 1;
            size.max_timestamp = size.max_timestamp.max(checked.max_timestamp);
        }
        run.len() > 1
            && !run.iter().any(|batch| batch.checked.summary.is_transactional)
            && log.appends_without_roll(&size, now)
    }

    /// Judges one batch that would stand at `next`, makes its bytes final and remembers it. A batch that stands in the
    /// log or in the run already is told as it stands there.
    fn plan(&mut self, batch: &mut ClientBatch<'_>, next: LogPosition, undo: &mut Undo, now: Now) -> Answer {
        let config = batch.checked.config.clone();
        self.check_leader(-1)?;
        self.check_in_sync(batch.acks_all, &config)?;
        let leader_epoch = self.leader_epoch;
        let log_start_offset = self.log()?.start_offset();
        let new = batch.as_new();
        let last_offset = next.offset + i64::from(new.last_offset_delta);
        if let Writer::Producer(incoming) = &new.writer
            && let Some(duplicate) = self.producers.check(incoming, next.offset)?
        {
            return Ok(Appended::repeated(&duplicate, log_start_offset));
        }
        patch::set_base_offset(new.bytes, next.offset)?;
        patch::set_partition_leader_epoch(new.bytes, leader_epoch)?;
        if let Writer::Producer(incoming) = &new.writer {
            if self.producers.is_full_for(incoming.producer_id) {
                self.producers.expire(now.wall_ms, config.producer_expiration_ms);
            }
            self.producers.note(incoming.producer_id, undo);
            self.producers.appended(incoming, next, last_offset, new.max_timestamp);
        }
        Ok(Appended {
            base_offset: next.offset,
            last_offset,
            log_append_time: new.log_append_time,
            log_start_offset,
            required: last_offset + 1,
            high_watermark: self.high_watermark.offset,
        })
    }
}

#[cfg(test)]
#[path = "append_run_tests.rs"]
mod tests;

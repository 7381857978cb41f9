//! What coordinators do with their partitions through the node: load chunk by chunk, append synchronously.

use std::sync::Arc;

use super::effects::Effect;
use super::shared::Node;
use crate::api::ErrorCode;
use crate::boundary::records::{AppendReply, AppendRequest};
use crate::boundary::{BoundaryError, Event, PackedRecords, RecordView};
use crate::partition::{Notices, PartitionError};
use crate::time::Now;
use crate::uuid::Uuid;

/// Bytes of batches per chunk, about.
const CHUNK_BYTES: u64 = 256 << 10;

/// A load under way.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub topic_id: Uuid,
    pub partition: i32,
    /// The epoch for which the control plane loads; any other ends the load.
    pub leader_epoch: i32,
    pub next_offset: i64,
    /// The reader that asked; a later one has no use for it.
    pub generation: u32,
}

impl Node {
    /// Appends the records of a coordinator: the packed request in. A refusal is an error code in the reply; an
    /// error is a malformed request.
    pub fn append(self: &Arc<Self>, request: &[u8], now: Now) -> Result<AppendReply, BoundaryError> {
        let request = AppendRequest::parse(request)?;
        let Some(partition) = self.topics.partition(Uuid(request.topic_id), request.partition) else {
            return Ok(AppendReply::refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0));
        };
        let mut notices = Notices::default();
        let appended = partition.append_records(
            request.leader_epoch,
            request.timestamp,
            &request.records,
            now,
            &mut notices,
        );
        let reply = match appended {
            Ok(appended) => AppendReply {
                error_code: 0,
                base_offset: appended.base_offset,
                end_offset: appended.last_offset + 1,
                high_watermark: partition.high_watermark(),
            },
            // The disk is full: the coordinator stays, and this request of its own is to be tried again.
            Err(PartitionError::Full { .. }) => AppendReply::refused(ErrorCode::COORDINATOR_NOT_AVAILABLE.0),
            Err(error) => AppendReply::refused(ErrorCode::from(&error).0),
        };
        self.dispatch(&mut notices);
        Ok(reply)
    }

    /// Reads the next chunk; the one after it only once the control plane keeps up.
    pub(super) fn run_load(&self, load: Load, notices: &mut Notices) {
        let (records, next_offset, done, error_code) = match self.read_chunk(load, notices) {
            Ok((records, next_offset, done)) => (records, next_offset, done, 0),
            Err(code) => (PackedRecords::default(), load.next_offset, false, code.0),
        };
        let lane = self.lane_of_partition(load.partition);
        let event = Event::LoadedChunk {
            topic_id: load.topic_id.0,
            partition: load.partition,
            leader_epoch: load.leader_epoch,
            next_offset,
            done,
            error_code,
            records,
        };
        self.emit_for(lane, load.generation, &event);
        if done || error_code != 0 || load.generation != self.ring(lane).generation() {
            return;
        }
        self.waiting_loads.lock().push(Load { next_offset, ..load });
        // Looked at only now: a drain that comes later finds the load on the list.
        if !self.ring(lane).is_full() {
            let waiting = std::mem::take(&mut *self.waiting_loads.lock());
            waiting.into_iter().for_each(|load| self.push_effect(Effect::Load(load)));
        }
    }

    fn read_chunk(
        &self,
        load: Load,
        notices: &mut Notices,
    ) -> Result<(PackedRecords<'static>, i64, bool), ErrorCode> {
        let partition = self.topics.partition(load.topic_id, load.partition);
        let partition = partition.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        let chunk = partition
            .load_chunk(load.leader_epoch, load.next_offset, CHUNK_BYTES, notices)
            .map_err(|error| ErrorCode::from(&error))?;
        let mut records = PackedRecords::default();
        for record in &chunk.records {
            records.push(RecordView {
                offset: record.offset,
                timestamp: record.timestamp,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
            });
        }
        Ok((records, chunk.next_offset, chunk.done))
    }
}

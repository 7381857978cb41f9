//! Committed entries into the metadata log and out to the caller: whose proposal each one was, and who leads. It never
//! touches the write-ahead log.

use raft::eraftpb::{Entry, EntryType};

use super::metadata_log::{Batch, Content};
use super::outputs::{ProposeError, QuorumOutput};
use super::raft_storage::EntryId;
use super::{Pending, Quorum, entry, epoch, node_id};
use crate::log::LogError;

impl Quorum {
    pub(super) fn apply(&mut self, committed: Vec<Entry>) -> Result<(), String> {
        if !committed.is_empty() {
            let batches = committed.iter().map(|entry| self.batch(entry)).collect::<Result<Vec<_>, _>>()?;
            self.unapplied.push_back(batches);
        }
        while let Some(batches) = self.unapplied.pop_front() {
            let bases = match self.log.append(&batches) {
                Ok(bases) => bases,
                Err(error @ LogError::Full { .. }) => {
                    // Synced as they are, nothing can take them back: they wait for room, in order.
                    self.unapplied.push_front(batches);
                    self.outputs.push(QuorumOutput::Full(error.to_string()));
                    return Ok(());
                }
                Err(error) => return Err(error.to_string()),
            };
            self.applied(batches, bases)?;
        }
        Ok(())
    }

    fn applied(&mut self, batches: Vec<Batch>, bases: Vec<i64>) -> Result<(), String> {
        let Some(last) = batches.last().map(|batch| batch.id.index) else { return Ok(()) };
        for (batch, base_offset) in batches.into_iter().zip(bases) {
            let proposal_id = self.settle(batch.id);
            if let Content::Values { timestamp, values } = batch.content {
                let epoch = epoch(batch.id.term);
                self.outputs.push(QuorumOutput::Committed {
                    base_offset,
                    epoch,
                    timestamp,
                    proposal_id,
                    values,
                });
            }
        }
        self.consensus.applied(last)
    }

    fn batch(&self, entry: &Entry) -> Result<Batch, String> {
        let id = EntryId { index: entry.index, term: entry.term };
        if entry.entry_type != EntryType::EntryNormal {
            return Err(format!("entry {} changes the quorum's members, which is not served", entry.index));
        }
        let content = if entry.data.is_empty() {
            Content::LeaderChange { leader: self.leader_of(entry.term), voters: self.voter_ids() }
        } else {
            let payload = entry::decode(&entry.data);
            let payload = payload.ok_or_else(|| format!("entry {} holds no proposal", entry.index))?;
            Content::Values { timestamp: payload.timestamp, values: payload.values }
        };
        Ok(Batch { id, content })
    }

    /// A lone voter led every term; of several, raft knows the leader of the current one.
    fn leader_of(&self, term: u64) -> i32 {
        match self.consensus.conf_state().voters.as_slice() {
            &[only] => node_id(only),
            _ if term == self.consensus.term() => node_id(self.consensus.leader()),
            _ => -1,
        }
    }

    /// The proposal that was applied as `id`, −1 for none of ours. Another term at its index means that it is lost.
    fn settle(&mut self, id: EntryId) -> i64 {
        let mut proposal_id = -1;
        while self.pending.front().is_some_and(|pending| pending.id.index <= id.index) {
            match self.pending.pop_front() {
                Some(pending) if pending.id == id => proposal_id = pending.proposal_id,
                lost => self.drop_proposal(lost),
            }
        }
        proposal_id
    }

    pub(super) fn drop_proposal(&mut self, lost: Option<Pending>) {
        let error = ProposeError::NotLeader;
        let dropped = lost.map(|pending| QuorumOutput::Dropped { proposal_id: pending.proposal_id, error });
        self.outputs.extend(dropped);
    }

    pub(super) fn tell_role(&mut self) {
        let term = self.consensus.term();
        if term > self.durable_term {
            return;
        }
        // Applying an entry of its own term means that a leader has applied all that was committed before it.
        let caught_up = self.consensus.is_leader() && self.log.applied().term == term;
        let (leader_id, epoch) = self.leader_and_epoch();
        if self.told.replace((leader_id, epoch, caught_up)) != Some((leader_id, epoch, caught_up)) {
            let high_watermark = self.high_watermark();
            self.outputs.push(QuorumOutput::Role { leader_id, epoch, high_watermark, caught_up });
        }
    }
}

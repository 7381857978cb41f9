//! How the quorum looks from outside: DescribeQuorum, Kafka's `quorum-state` file. It changes nothing.

use super::outputs::{QuorumDescription, ReplicaDescription};
use super::{Quorum, entry, epoch, node_id};

impl Quorum {
    /// The quorum as DescribeQuorum shows it.
    pub fn describe(&self) -> QuorumDescription {
        let describe = |ids: &[u64]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            let log_end = |id: u64| self.consensus.matched(id).map_or(-1, |index| self.offset_after(index));
            ids.iter()
                .map(|&id| ReplicaDescription { node_id: node_id(id), log_end_offset: log_end(id) })
                .collect()
        };
        let conf = self.consensus.conf_state();
        let (leader_id, epoch) = self.leader_and_epoch();
        QuorumDescription {
            leader_id,
            epoch,
            high_watermark: self.high_watermark(),
            voters: describe(&conf.voters),
            observers: describe(&conf.learners),
        }
    }

    /// As others may see it: a term that is not synced could be forgotten and used again.
    pub(super) fn leader_and_epoch(&self) -> (i32, i32) {
        match self.consensus.term() {
            term if term > self.durable_term => (-1, epoch(self.durable_term)),
            term => (node_id(self.consensus.leader()), epoch(term)),
        }
    }

    pub(super) fn voter_ids(&self) -> Vec<i32> {
        let mut voters: Vec<i32> = self.consensus.conf_state().voters.iter().map(|&id| node_id(id)).collect();
        voters.sort_unstable();
        voters
    }

    /// Where the metadata log ends, or will end, right behind the entry `index`; −1 for one that was compacted away.
    fn offset_after(&self, index: u64) -> i64 {
        let (applied, tail) = (self.log.applied().index, self.consensus.tail());
        if index < tail.truncated().index {
            return -1;
        }
        let (low, high) = (index.min(applied), index.max(applied));
        let between = tail.after(low).iter().take_while(|entry| entry.index <= high);
        let records: i64 = between.map(|entry| entry::record_count(&entry.data)).sum();
        self.log.end_offset() + if index < applied { -records } else { records }
    }

    /// Kafka's `quorum-state` file (QuorumStateData, version 0). It names a vote only while there is no leader.
    pub(super) fn quorum_state(&self) -> String {
        let voters: Vec<String> = self.voter_ids().iter().map(|id| format!("{{\"voterId\":{id}}}")).collect();
        let leader = node_id(self.consensus.leader());
        let voted = if leader < 0 { node_id(self.consensus.tail().hard_state().vote) } else { -1 };
        let (epoch, voters) = (epoch(self.consensus.term()), voters.join(","));
        format!(
            "{{\"clusterId\":\"\",\"leaderId\":{leader},\"leaderEpoch\":{epoch},\"votedId\":{voted},\
             \"appliedOffset\":0,\"currentVoters\":[{voters}],\"data_version\":0}}"
        )
    }
}

//! The node as DescribeLogDirs and DescribeQuorum show it: sizes of logs and the state of the quorum, as JSON. It
//! changes nothing.

use serde_json::{Value, json};

use super::shared::Node;
use crate::quorum::ReplicaDescription;

impl Node {
    /// `logDirs`: path, whether it is online, and its partitions with their sizes in bytes. `quorum`: leader, epoch,
    /// high watermark, voters and observers with the ends of their logs (exclusive; −1 unknown).
    pub fn describe(&self) -> String {
        let log_dirs: Vec<Value> = self
            .log_dirs
            .iter()
            .map(|log_dir| {
                let online = !self.has_failed(&log_dir.path);
                let partitions = self.partition_sizes(&log_dir.path);
                json!({ "path": log_dir.path.display().to_string(), "online": online, "partitions": partitions })
            })
            .collect();
        let quorum = self.quorum.lock().describe();
        let replicas = |all: &[ReplicaDescription]| -> Vec<Value> {
            all.iter()
                .map(|one| json!({ "nodeId": one.node_id, "logEndOffset": one.log_end_offset }))
                .collect()
        };
        let description = json!({
            "logDirs": log_dirs,
            "quorum": {
                "leaderId": quorum.leader_id,
                "epoch": quorum.epoch,
                "highWatermark": quorum.high_watermark,
                "voters": replicas(&quorum.voters),
                "observers": replicas(&quorum.observers),
            },
        });
        description.to_string()
    }

    fn partition_sizes(&self, log_dir: &std::path::Path) -> Vec<Value> {
        let topics = self.topics.all();
        let partitions = topics.iter().flat_map(|topic| topic.partitions.iter().flatten());
        let mut found = Vec::new();
        for partition in partitions {
            let one = |size: u64, lag: i64, is_future: bool| {
                json!({
                    "topic": &**partition.topic(),
                    "topicId": partition.topic_id().to_string(),
                    "partition": partition.index(),
                    "size": size,
                    "offsetLag": lag,
                    "isFuture": is_future,
                })
            };
            if partition.dir().parent() == Some(log_dir) {
                found.push(one(partition.size(), 0, false));
            } else if let Some(copy) = self.moves.of(partition).filter(|copy| copy.log_dir == log_dir) {
                let lag = partition.offsets().log_end.saturating_sub(copy.end_offset).max(0);
                found.push(one(copy.size, lag, true));
            }
        }
        found
    }
}

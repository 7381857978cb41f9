//! How long a request of the control plane holds up the requests behind it on its connection.

/// What must have happened before the next request of the same connection starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing: the request changes nothing that a later one of the same connection relies on, or it may wait for
    /// other clients, and its own client must be able to go on meanwhile.
    Passes,
    /// Its reply.
    HoldsUntilReplied,
    /// Its reply, and every reply before it: authentication changes who the later requests come from.
    Exclusive,
}

impl Stage {
    /// The stage of an API key that the control plane serves.
    ///
    /// Kafka handles one request per connection at a time and keeps the socket muted until the response is sent.
    /// Here reads of the control plane pass. So do JoinGroup and SyncGroup: they wait for other members, and a
    /// LeaveGroup or heartbeat of the same member must not wait with them. Replies keep request order anyway.
    pub fn of(api_key: i16) -> Stage {
        match api_key {
            // SaslHandshake, SaslAuthenticate
            17 | 36 => Stage::Exclusive,
            // Metadata, OffsetFetch, FindCoordinator, JoinGroup, Heartbeat, SyncGroup
            3 | 9 | 10 | 11 | 12 | 14 => Stage::Passes,
            // DescribeGroups, ListGroups, ApiVersions, DescribeAcls, DescribeConfigs
            15 | 16 | 18 | 29 | 32 => Stage::Passes,
            // DescribeLogDirs, DescribeDelegationToken, ListPartitionReassignments, DescribeClientQuotas
            35 | 41 | 46 | 48 => Stage::Passes,
            // DescribeUserScramCredentials, DescribeQuorum, DescribeCluster
            50 | 55 | 60 => Stage::Passes,
            // DescribeTransactions, ListTransactions, ConsumerGroupHeartbeat, ConsumerGroupDescribe
            65 | 66 | 68 | 69 => Stage::Passes,
            // GetTelemetrySubscriptions, ListConfigResources, DescribeTopicPartitions
            71 | 74 | 75 => Stage::Passes,
            // ShareGroupHeartbeat, ShareGroupDescribe, StreamsGroupHeartbeat, StreamsGroupDescribe,
            // DescribeShareGroupOffsets
            76 | 77 | 88 | 89 | 90 => Stage::Passes,
            _ => Stage::HoldsUntilReplied,
        }
    }
}

//! The messages of the data plane as tables: name, type, versions, tag (kafka-clients 4.3 schemas).

/// The type of a field.
pub enum Kind {
    Int8,
    Int16,
    Int32,
    Int64,
    Uuid,
    Text,
    Records,
    Ints,
    Structs(&'static [Field]),
    /// One structure; only tagged fields are that.
    Struct(&'static [Field]),
}

pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub since: i16,
    pub until: i16,
    pub nullable: bool,
    pub tag: Option<u32>,
}

pub struct Message {
    pub name: &'static str,
    pub flexible: i16,
    pub fields: &'static [Field],
}

const fn at(name: &'static str, kind: Kind, since: i16, until: i16) -> Field {
    Field { name, kind, since, until, nullable: false, tag: None }
}

const fn from(name: &'static str, kind: Kind, since: i16) -> Field {
    at(name, kind, since, i16::MAX)
}

const fn all(name: &'static str, kind: Kind) -> Field {
    from(name, kind, 0)
}

const fn nullable(field: Field) -> Field {
    Field { nullable: true, ..field }
}

const fn tagged(tag: u32, field: Field) -> Field {
    Field { tag: Some(tag), ..field }
}

use Kind::*;

pub const PRODUCE_REQUEST: Message = Message {
    name: "ProduceRequest",
    flexible: 9,
    fields: &[
        nullable(all("transactionalId", Text)),
        all("acks", Int16),
        all("timeoutMs", Int32),
        all(
            "topicData",
            Structs(&[
                at("name", Text, 0, 12),
                from("topicId", Uuid, 13),
                all("partitionData", Structs(&[all("index", Int32), nullable(all("records", Records))])),
            ]),
        ),
    ],
};

const NODE_ENDPOINTS: Kind =
    Structs(&[all("nodeId", Int32), all("host", Text), all("port", Int32), nullable(all("rack", Text))]);
const LEADER: Kind = Struct(&[all("leaderId", Int32), all("leaderEpoch", Int32)]);

pub const PRODUCE_RESPONSE: Message = Message {
    name: "ProduceResponse",
    flexible: 9,
    fields: &[
        all(
            "responses",
            Structs(&[
                at("name", Text, 0, 12),
                from("topicId", Uuid, 13),
                all(
                    "partitionResponses",
                    Structs(&[
                        all("index", Int32),
                        all("errorCode", Int16),
                        all("baseOffset", Int64),
                        from("logAppendTimeMs", Int64, 2),
                        from("logStartOffset", Int64, 5),
                        from(
                            "recordErrors",
                            Structs(&[
                                all("batchIndex", Int32),
                                nullable(all("batchIndexErrorMessage", Text)),
                            ]),
                            8,
                        ),
                        nullable(from("errorMessage", Text, 8)),
                        tagged(0, from("currentLeader", LEADER, 10)),
                    ]),
                ),
            ]),
        ),
        from("throttleTimeMs", Int32, 1),
        tagged(0, from("nodeEndpoints", NODE_ENDPOINTS, 10)),
    ],
};

pub const FETCH_REQUEST: Message = Message {
    name: "FetchRequest",
    flexible: 12,
    fields: &[
        nullable(tagged(0, from("clusterId", Text, 12))),
        at("replicaId", Int32, 0, 14),
        tagged(1, from("replicaState", Struct(&[all("replicaId", Int32), all("replicaEpoch", Int64)]), 15)),
        all("maxWaitMs", Int32),
        all("minBytes", Int32),
        from("maxBytes", Int32, 3),
        from("isolationLevel", Int8, 4),
        from("sessionId", Int32, 7),
        from("sessionEpoch", Int32, 7),
        all(
            "topics",
            Structs(&[
                at("topic", Text, 0, 12),
                from("topicId", Uuid, 13),
                all(
                    "partitions",
                    Structs(&[
                        all("partition", Int32),
                        from("currentLeaderEpoch", Int32, 9),
                        all("fetchOffset", Int64),
                        from("lastFetchedEpoch", Int32, 12),
                        from("logStartOffset", Int64, 5),
                        all("partitionMaxBytes", Int32),
                        tagged(0, from("replicaDirectoryId", Uuid, 17)),
                        tagged(1, from("highWatermark", Int64, 18)),
                    ]),
                ),
            ]),
        ),
        from(
            "forgottenTopicsData",
            Structs(&[at("topic", Text, 7, 12), from("topicId", Uuid, 13), all("partitions", Ints)]),
            7,
        ),
        from("rackId", Text, 11),
    ],
};

pub const FETCH_RESPONSE: Message = Message {
    name: "FetchResponse",
    flexible: 12,
    fields: &[
        from("throttleTimeMs", Int32, 1),
        from("errorCode", Int16, 7),
        from("sessionId", Int32, 7),
        all(
            "responses",
            Structs(&[
                at("topic", Text, 0, 12),
                from("topicId", Uuid, 13),
                all(
                    "partitions",
                    Structs(&[
                        all("partitionIndex", Int32),
                        all("errorCode", Int16),
                        all("highWatermark", Int64),
                        from("lastStableOffset", Int64, 4),
                        from("logStartOffset", Int64, 5),
                        tagged(
                            0,
                            from(
                                "divergingEpoch",
                                Struct(&[all("epoch", Int32), all("endOffset", Int64)]),
                                12,
                            ),
                        ),
                        tagged(1, from("currentLeader", LEADER, 12)),
                        tagged(
                            2,
                            from("snapshotId", Struct(&[all("endOffset", Int64), all("epoch", Int32)]), 12),
                        ),
                        nullable(from(
                            "abortedTransactions",
                            Structs(&[all("producerId", Int64), all("firstOffset", Int64)]),
                            4,
                        )),
                        from("preferredReadReplica", Int32, 11),
                        nullable(all("records", Records)),
                    ]),
                ),
            ]),
        ),
        tagged(0, from("nodeEndpoints", NODE_ENDPOINTS, 16)),
    ],
};

pub const LIST_OFFSETS_REQUEST: Message = Message {
    name: "ListOffsetsRequest",
    flexible: 6,
    fields: &[
        all("replicaId", Int32),
        from("isolationLevel", Int8, 2),
        all(
            "topics",
            Structs(&[
                all("name", Text),
                all(
                    "partitions",
                    Structs(&[
                        all("partitionIndex", Int32),
                        from("currentLeaderEpoch", Int32, 4),
                        all("timestamp", Int64),
                    ]),
                ),
            ]),
        ),
        from("timeoutMs", Int32, 10),
    ],
};

pub const LIST_OFFSETS_RESPONSE: Message = Message {
    name: "ListOffsetsResponse",
    flexible: 6,
    fields: &[
        from("throttleTimeMs", Int32, 2),
        all(
            "topics",
            Structs(&[
                all("name", Text),
                all(
                    "partitions",
                    Structs(&[
                        all("partitionIndex", Int32),
                        all("errorCode", Int16),
                        from("timestamp", Int64, 1),
                        from("offset", Int64, 1),
                        from("leaderEpoch", Int32, 4),
                    ]),
                ),
            ]),
        ),
    ],
};

pub const OFFSET_FOR_LEADER_EPOCH_REQUEST: Message = Message {
    name: "OffsetForLeaderEpochRequest",
    flexible: 4,
    fields: &[
        from("replicaId", Int32, 3),
        all(
            "topics",
            Structs(&[
                all("topic", Text),
                all(
                    "partitions",
                    Structs(&[
                        all("partition", Int32),
                        from("currentLeaderEpoch", Int32, 2),
                        all("leaderEpoch", Int32),
                    ]),
                ),
            ]),
        ),
    ],
};

pub const OFFSET_FOR_LEADER_EPOCH_RESPONSE: Message = Message {
    name: "OffsetForLeaderEpochResponse",
    flexible: 4,
    fields: &[
        from("throttleTimeMs", Int32, 2),
        all(
            "topics",
            Structs(&[
                all("topic", Text),
                all(
                    "partitions",
                    Structs(&[
                        all("errorCode", Int16),
                        all("partition", Int32),
                        from("leaderEpoch", Int32, 1),
                        all("endOffset", Int64),
                    ]),
                ),
            ]),
        ),
    ],
};

pub const DESCRIBE_PRODUCERS_REQUEST: Message = Message {
    name: "DescribeProducersRequest",
    flexible: 0,
    fields: &[all("topics", Structs(&[all("name", Text), all("partitionIndexes", Ints)]))],
};

pub const DESCRIBE_PRODUCERS_RESPONSE: Message = Message {
    name: "DescribeProducersResponse",
    flexible: 0,
    fields: &[
        all("throttleTimeMs", Int32),
        all(
            "topics",
            Structs(&[
                all("name", Text),
                all(
                    "partitions",
                    Structs(&[
                        all("partitionIndex", Int32),
                        all("errorCode", Int16),
                        nullable(all("errorMessage", Text)),
                        all(
                            "activeProducers",
                            Structs(&[
                                all("producerId", Int64),
                                all("producerEpoch", Int32),
                                all("lastSequence", Int32),
                                all("lastTimestamp", Int64),
                                all("coordinatorEpoch", Int32),
                                all("currentTxnStartOffset", Int64),
                            ]),
                        ),
                    ]),
                ),
            ]),
        ),
    ],
};

pub const MESSAGES: [&Message; 10] = [
    &PRODUCE_REQUEST,
    &PRODUCE_RESPONSE,
    &FETCH_REQUEST,
    &FETCH_RESPONSE,
    &LIST_OFFSETS_REQUEST,
    &LIST_OFFSETS_RESPONSE,
    &OFFSET_FOR_LEADER_EPOCH_REQUEST,
    &OFFSET_FOR_LEADER_EPOCH_RESPONSE,
    &DESCRIBE_PRODUCERS_REQUEST,
    &DESCRIBE_PRODUCERS_RESPONSE,
];

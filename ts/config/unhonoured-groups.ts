/** Kafka's broker keys of groups, transactions and their coordinators that have no effect here, in the notation of unhonoured-keys.ts. */
export const groupsLines = `
add.partitions.to.txn.retry.backoff.max.ms int 100 0..: The longest wait before a partition is asked to be added to a transaction again, in ms.
add.partitions.to.txn.retry.backoff.ms int 20 1..: The first wait before a partition is asked to be added to a transaction again, in ms.
group.consumer.assignment.interval.ms int* 1000 0..: The shortest time between two assignments of a consumer group, in ms.
group.consumer.assignors list uniform,range: The assignors of consumer groups; the first is the default.
group.consumer.heartbeat.interval.ms int 5000 1..: Heartbeat interval of consumer group members, in ms.
group.consumer.max.assignment.interval.ms int 15000 0..: The largest assignment interval that a consumer group may have, in ms.
group.consumer.max.heartbeat.interval.ms int 15000 1..: The largest heartbeat interval that a consumer group may have, in ms.
group.consumer.max.session.timeout.ms int 60000 1..: The largest session timeout that a consumer group may have, in ms.
group.consumer.max.size int 2147483647 1..: Members of one consumer group.
group.consumer.migration.policy string bidirectional any{DISABLED,DOWNGRADE,UPGRADE,BIDIRECTIONAL}: Which way groups may change between the classic and the consumer protocol.
group.consumer.min.assignment.interval.ms int 0 0..: The smallest assignment interval that a consumer group may have, in ms.
group.consumer.min.heartbeat.interval.ms int 5000 1..: The smallest heartbeat interval that a consumer group may have, in ms.
group.consumer.min.session.timeout.ms int 45000 1..: The smallest session timeout that a consumer group may have, in ms.
group.consumer.session.timeout.ms int 45000 1..: Session timeout of consumer group members, in ms.
group.coordinator.append.linger.ms int -1 -1..: How long the group coordinator gathers writes, in ms; -1 as long as it has work.
group.coordinator.background.threads int 2 1..: Threads for the slow work of the group coordinator.
group.coordinator.cached.buffer.max.bytes int* 1048588 524288..: The largest buffer that the group coordinator keeps for its writes, in bytes.
group.coordinator.rebalance.protocols list classic,consumer,streams {consumer,classic,share,streams}: The group protocols that are switched on.
group.coordinator.threads int 4 1..: Threads of the group coordinator; here coordinator.threads counts.
group.share.assignment.interval.ms int* 1000 0..: The shortest time between two assignments of a share group, in ms.
group.share.assignors list simple: The assignors of share groups.
group.share.delivery.count.limit int 5 2..10: How often a record is delivered to a share group at most.
group.share.heartbeat.interval.ms int 5000 1..: Heartbeat interval of share group members, in ms.
group.share.max.assignment.interval.ms int 15000 0..: The largest assignment interval that a share group may have, in ms.
group.share.max.delivery.count.limit int 10 5..25: The largest delivery limit that a share group may have.
group.share.max.heartbeat.interval.ms int 15000 1..: The largest heartbeat interval that a share group may have, in ms.
group.share.max.partition.max.record.locks int 4000 2000..10000: The largest number of locked records that a share group may have.
group.share.max.record.lock.duration.ms int 60000 30000..3600000: The longest lock that a share group may have, in ms.
group.share.max.session.timeout.ms int 60000 1..: The largest session timeout that a share group may have, in ms.
group.share.max.share.sessions int 2000 1..: Share sessions kept at one time.
group.share.max.size int 200 1..1000: Members of one share group.
group.share.min.assignment.interval.ms int 0 0..: The smallest assignment interval that a share group may have, in ms.
group.share.min.delivery.count.limit int 2 2..5: The smallest delivery limit that a share group may have.
group.share.min.heartbeat.interval.ms int 5000 1..: The smallest heartbeat interval that a share group may have, in ms.
group.share.min.partition.max.record.locks int 100 100..2000: The smallest number of locked records that a share group may have.
group.share.min.record.lock.duration.ms int 15000 1000..30000: The shortest lock that a share group may have, in ms.
group.share.min.session.timeout.ms int 45000 1..: The smallest session timeout that a share group may have, in ms.
group.share.partition.max.record.locks int 2000 100..10000: Records of one partition that a share group may have locked.
group.share.record.lock.duration.ms int 30000 1000..3600000: How long a record acquired by a share group stays locked, in ms.
group.share.session.timeout.ms int 45000 1..: Session timeout of share group members, in ms.
group.streams.assignment.interval.ms int* 1000 0..: The shortest time between two assignments of a streams group, in ms.
group.streams.heartbeat.interval.ms int 5000 1..: Heartbeat interval of streams group members, in ms.
group.streams.initial.rebalance.delay.ms int 3000 0..: How long an empty streams group waits for more members, in ms.
group.streams.max.assignment.interval.ms int 15000 0..: The largest assignment interval that a streams group may have, in ms.
group.streams.max.heartbeat.interval.ms int 15000 1..: The largest heartbeat interval that a streams group may have, in ms.
group.streams.max.session.timeout.ms int 60000 1..: The largest session timeout that a streams group may have, in ms.
group.streams.max.size int 2147483647 1..: Members of one streams group.
group.streams.max.standby.replicas int 2 0..: The most standby replicas that a streams group may have.
group.streams.min.assignment.interval.ms int 0 0..: The smallest assignment interval that a streams group may have, in ms.
group.streams.min.heartbeat.interval.ms int 5000 1..: The smallest heartbeat interval that a streams group may have, in ms.
group.streams.min.session.timeout.ms int 45000 1..: The smallest session timeout that a streams group may have, in ms.
group.streams.num.standby.replicas int 0 0..: Standby replicas of each task of a streams group.
group.streams.session.timeout.ms int 45000 1..: Session timeout of streams group members, in ms.
offsets.commit.timeout.ms int 5000 1..: How long the answer to an OffsetCommit is held for the replicas, in ms.
offsets.load.buffer.size int 5242880 1..: Bytes read at a time when offsets are loaded.
share.coordinator.append.linger.ms int -1 -1..: How long the share coordinator gathers writes, in ms; -1 as long as it has work.
share.coordinator.cached.buffer.max.bytes int* 1048588 524288..: The largest buffer that the share coordinator keeps for its writes, in bytes.
share.coordinator.load.buffer.size int 5242880 1..: Bytes read at a time when share state is loaded.
share.coordinator.snapshot.update.records.per.snapshot int 500 0..500: Updates of a share state between two snapshots of it.
share.coordinator.state.topic.compression.codec int 0: The codec of __share_group_state.
share.coordinator.state.topic.min.isr short 2 1..: min.insync.replicas of __share_group_state.
share.coordinator.state.topic.num.partitions int 50 1..: Partitions of __share_group_state.
share.coordinator.state.topic.replication.factor short 3 1..: Replicas of __share_group_state.
share.coordinator.state.topic.segment.bytes int 104857600 1..: The size of a segment of __share_group_state, in bytes.
share.coordinator.threads int 1 1..: Threads of the share coordinator.
share.coordinator.write.timeout.ms int 5000 1..: How long a write of the share coordinator waits for the replicas, in ms.
share.fetch.purgatory.purge.interval.requests int 1000: Waiting share fetches after which answered ones are dropped.
transaction.abort.timed.out.transaction.cleanup.interval.ms int 10000 1..: How often transactions that took too long are looked for, in ms.
transaction.max.timeout.ms int 900000 1..: The longest timeout that a transaction may ask for, in ms.
transaction.partition.verification.enable boolean* true: Whether a partition asks the coordinator before it takes part in a transaction.
transaction.remove.expired.transaction.cleanup.interval.ms int 3600000 1..: How often transactional ids that are no longer used are looked for, in ms.
transaction.state.log.load.buffer.size int 5242880 1..: Bytes read at a time when transactions are loaded.
transaction.state.log.min.isr int 2 1..: min.insync.replicas of __transaction_state.
transaction.state.log.num.partitions int 50 1..: Partitions of __transaction_state.
transaction.state.log.replication.factor short 3 1..: Replicas of __transaction_state.
transaction.state.log.segment.bytes int 104857600 1..: The size of a segment of __transaction_state, in bytes.
transaction.two.phase.commit.enable boolean false: Whether a transaction may be prepared and left for an outside coordinator to end.
transactional.id.expiration.ms int 604800000 1..: How long an unused transactional id is remembered, in ms.
`

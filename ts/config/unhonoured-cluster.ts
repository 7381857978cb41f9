/** Kafka's broker keys of quorum, replication, tiering, quotas and the rest that have no effect here, in the notation of unhonoured-keys.ts. */
export const clusterLines = `
alter.config.policy.class.name class -: The class that judges every change of a config.
alter.log.dirs.replication.quota.window.num int 11 1..: Samples kept for the quota of moves between log folders.
alter.log.dirs.replication.quota.window.size.seconds int 1 1..: Length of a sample for the quota of moves between log folders, in seconds.
auto.leader.rebalance.enable boolean true: Whether leadership returns to the preferred replicas by itself.
background.threads int* 10 1..: Threads for work in the background.
broker.heartbeat.interval.ms int 2000: How often a broker tells the controller that it is alive, in ms.
broker.session.timeout.ms int 9000: How long a broker may be silent before the controller fences it, in ms.
client.quota.callback.class class -: The class that decides the quota of a client.
config.providers list* '': Names of the providers that config values may refer to.
controlled.shutdown.enable boolean true: Whether a broker that stops hands its leaderships over first.
controller.listener.names list -: The listeners of the controllers.
controller.quorum.append.linger.ms int 25 0..: How long the quorum leader gathers writes before they go to disk, in ms.
controller.quorum.auto.join.enable boolean false: Whether a controller joins the voters by itself.
controller.quorum.bootstrap.servers list '': Where the quorum is found, host:port separated by commas.
controller.quorum.election.backoff.max.ms int 1000 0..: The longest wait before a new election, in ms.
controller.quorum.election.timeout.ms int 1000 0..: How long a voter waits for a leader before it stands itself, in ms.
controller.quorum.fetch.max.bytes int 1048576 1..: The most bytes of one fetch from the quorum leader.
controller.quorum.fetch.snapshot.max.bytes int 1048576 1..: The most bytes of one fetch of a snapshot from the quorum leader.
controller.quorum.fetch.timeout.ms int 2000 0..: How long without a fetch that succeeds before a voter stands for election, in ms.
controller.quorum.request.timeout.ms int 2000 0..: How long a request to the quorum may take, in ms.
controller.quorum.retry.backoff.ms int 20 0..: How long before a failed request to the quorum is tried again, in ms.
controller.quorum.voters list '': The voters of the quorum, id@host:port separated by commas.
controller.quota.window.num int 11 1..: Samples kept for the quota of controller mutations.
controller.quota.window.size.seconds int 1 1..: Length of a sample for the quota of controller mutations, in seconds.
controller.socket.timeout.ms int 30000: How long a connection between broker and controller may be silent, in ms.
cordoned.log.dirs list+ '': Log folders that get no new partitions; * is all of them.
create.topic.policy.class.name class -: The class that judges every new topic.
delete.records.purgatory.purge.interval.requests int 1: Waiting DeleteRecords after which answered ones are dropped.
early.start.listeners list -: Listeners that open before the authorizer is ready.
fetch.purgatory.purge.interval.requests int 1000: Waiting fetches after which answered ones are dropped.
follower.fetch.last.tiered.offset.enable boolean* false: Whether an empty follower begins at the end of what is tiered.
initial.broker.registration.timeout.ms int 60000: How long a broker that starts waits to be registered, in ms.
kafka.metrics.polling.interval.secs int 10 1..: How often metrics reporters are asked, in seconds.
kafka.metrics.reporters list '': Classes that report metrics of the older kind.
leader.imbalance.check.interval.seconds long 300 1..: How often leaders away from their preferred replicas are looked for, in seconds.
log.cleaner.io.buffer.load.factor double* 0.9: How full the cleaner may fill its memory for keys.
log.cleaner.io.buffer.size int* 524288 0..: Memory that the cleaner has for reading and writing, in bytes.
log.cleaner.io.max.bytes.per.second double* 1.7976931348623157E308: Bytes a second that the cleaner may read and write.
log.cleaner.threads int* 1 0..: Threads of the cleaner.
log.dir.failure.timeout.ms long 30000 1..: How long a broker whose log folder failed tries to tell the controller before it stops, in ms.
log.flush.offset.checkpoint.interval.ms int 60000 0..: How often recovery points are written, in ms.
log.flush.start.offset.checkpoint.interval.ms int 60000 0..: How often log start offsets are written, in ms.
max.request.partition.size.limit int 2000 1..: Partitions told by one DescribeTopicPartitions.
metadata.log.dir string -: The folder of the metadata log; unset, the first log folder.
metadata.log.segment.ms long 604800000: How long a segment of the metadata log is written to, in ms.
metadata.max.idle.interval.ms int 500 0..: How often an idle controller writes an empty record, in ms.
metric.reporters list* org.apache.kafka.common.metrics.JmxReporter: Classes that report metrics.
metrics.num.samples int 2 1..: Samples that a metric is computed from.
metrics.recording.level string INFO: How much is measured: INFO, DEBUG or TRACE.
metrics.sample.window.ms long 30000 1..: Length of the sample that a metric is computed from, in ms.
num.recovery.threads.per.data.dir int* 2 1..: Threads for each log folder that recover logs at the start.
num.replica.alter.log.dirs.threads int -: Threads that move replicas between log folders.
num.replica.fetchers int* 1 1..: Threads that replicate from each other broker.
producer.purgatory.purge.interval.requests int 1000: Waiting produces after which answered ones are dropped.
queued.max.requests int 500 1..: Requests in waiting before sockets are no longer read.
quota.window.num int 11 1..: Samples kept for client quotas.
quota.window.size.seconds int 1 1..: Length of a sample for client quotas, in seconds.
remote.fetch.max.wait.ms int* 500 1..: How long a fetch waits for tiered data, in ms.
remote.list.offsets.request.timeout.ms long* 30000 1..: How long a ListOffsets waits for tiered data, in ms.
remote.log.index.file.cache.total.size.bytes long* 1073741824 1..: Bytes of disk for the indexes of tiered segments.
remote.log.manager.copier.thread.pool.size int* 10 1..: Threads that copy segments to the remote storage.
remote.log.manager.copy.max.bytes.per.second long* 9223372036854775807 1..: Bytes a second copied to the remote storage.
remote.log.manager.copy.quota.window.num int 11 1..: Samples kept for the quota of copies to the remote storage.
remote.log.manager.copy.quota.window.size.seconds int 1 1..: Length of a sample for the quota of copies to the remote storage, in seconds.
remote.log.manager.expiration.thread.pool.size int* 10 1..: Threads that delete old segments from the remote storage.
remote.log.manager.fetch.max.bytes.per.second long* 9223372036854775807 1..: Bytes a second fetched from the remote storage.
remote.log.manager.fetch.quota.window.num int 11 1..: Samples kept for the quota of fetches from the remote storage.
remote.log.manager.fetch.quota.window.size.seconds int 1 1..: Length of a sample for the quota of fetches from the remote storage, in seconds.
remote.log.manager.follower.thread.pool.size int* 2 1..: Threads that follow tiered partitions on followers.
remote.log.manager.task.interval.ms long 30000 1..: How often segments to copy or delete are looked for, in ms.
remote.log.manager.thread.pool.size int 2 1..: Threads that look after tiered partitions.
remote.log.metadata.custom.metadata.max.bytes int 128 0..: The most metadata that a remote storage may attach to a segment, in bytes.
remote.log.metadata.manager.class.name string org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager: The class that keeps the metadata of tiered segments.
remote.log.metadata.manager.class.path string -: Where that class is found.
remote.log.metadata.manager.impl.prefix string rlmm.config.: The prefix of the configs of that class.
remote.log.metadata.manager.listener.name string -: The listener which that class connects to.
remote.log.reader.max.pending.tasks int 100 1..: Fetches of tiered data that may wait.
remote.log.reader.threads int* 10 1..: Threads that read tiered data.
remote.log.storage.manager.class.name string -: The class of the remote storage.
remote.log.storage.manager.class.path string -: Where that class is found.
remote.log.storage.manager.impl.prefix string rsm.config.: The prefix of the configs of that class.
remote.log.storage.system.enable boolean false: Whether topics can be tiered.
replica.fetch.backoff.ms int 1000 0..: How long a follower waits after a failed fetch, in ms.
replica.fetch.max.bytes int 1048576 0..: Bytes of one partition in one fetch of a follower.
replica.fetch.min.bytes int 1: Bytes that a fetch of a follower waits for.
replica.fetch.response.max.bytes int 10485760 0..: Bytes of one fetch of a follower.
replica.fetch.wait.max.ms int 500: How long a fetch of a follower waits, in ms.
replica.high.watermark.checkpoint.interval.ms long 5000: How often high watermarks are written, in ms.
replica.lag.time.max.ms long 30000: How long a follower may lag before it leaves the ISR, in ms.
replica.selector.class string -: The class that tells consumers which replica to read from.
replica.socket.receive.buffer.bytes int 65536: The socket receive buffer of a follower, in bytes.
replica.socket.timeout.ms int 30000: How long a follower waits on its socket, in ms.
replication.quota.window.num int 11 1..: Samples kept for replication quotas.
replication.quota.window.size.seconds int 1 1..: Length of a sample for replication quotas, in seconds.
request.timeout.ms int 30000: How long a request of this broker to another may take, in ms.
socket.connection.setup.timeout.max.ms long 30000: The longest time that connecting to another broker may take, in ms.
socket.connection.setup.timeout.ms long 10000: The first limit of connecting to another broker, in ms.
socket.listen.backlog.size int 50 1..: Connections that may wait to be accepted.
socket.receive.buffer.bytes int 102400: The socket receive buffer, in bytes; -1 leaves it to the system.
socket.send.buffer.bytes int 102400: The socket send buffer, in bytes; -1 leaves it to the system.
telemetry.max.bytes int 1048576 1..: The most bytes of metrics that a client may push at a time.
`

/**
 * The config keys of a broker that have a meaning here, with Kafka's names and defaults; unhonoured-keys.ts has
 * the rest of Kafka's keys. `honoured: false` marks a key that is described to clients but has no effect yet; what the data
 * plane takes when it opens is read-only, though Kafka may change some of it while a broker runs.
 */
import { availableParallelism } from 'node:os'
import {
  addressCaps,
  bool,
  type ConfigKey,
  ConfigType,
  double,
  gzipLevel,
  int,
  LONG_MAX_TEXT,
  list,
  long,
  optional,
  optionalText,
  short,
  text,
} from './key.js'
import { securityKeys } from './security-keys.js'

export const brokerKeys = {
  ...securityKeys,

  // identity and folders
  'node.id': int({ default: -1, min: -1, doc: 'The id of this node; unset, broker.id is taken, else 0.' }),
  'broker.id': int({ default: -1, min: -1, doc: 'The older name of node.id.' }),
  'process.roles': list({
    default: 'broker,controller',
    oneOf: ['broker', 'controller'],
    honoured: false,
    doc: 'A node here is always both broker and controller.',
  }),
  'log.dir': {
    ...text({ default: './data', doc: 'The folder that holds the logs; log.dirs goes first.' }),
    type: ConfigType.LIST,
  },
  'log.dirs': {
    ...optionalText({
      doc: 'Folders that hold the logs, separated by commas; the first one also holds the metadata log.',
    }),
    type: ConfigType.LIST,
  },
  'auto.create.topics.enable': bool({
    default: true,
    doc: 'Whether a Metadata request of a producer creates a missing topic.',
  }),
  'delete.topic.enable': bool({ default: true, doc: 'Whether topics can be deleted.' }),
  'num.partitions': int({
    default: 1,
    min: 1,
    doc: 'Partitions of a topic created without a number of its own.',
  }),
  'default.replication.factor': int({
    default: 1,
    min: 1,
    doc: 'Replicas of a topic created without a number of its own.',
  }),
  'broker.rack': optionalText({ doc: 'The rack of this broker, shown in Metadata.' }),

  // the metadata log
  'metadata.log.max.record.bytes.between.snapshots': long({
    default: 20_971_520,
    min: 1,
    doc: 'Bytes of committed records after which a snapshot of the metadata is written.',
  }),
  'metadata.log.max.snapshot.interval.ms': long({
    default: 3_600_000,
    min: 0,
    doc: 'How long committed records may be in no snapshot of the metadata, in ms; 0 for ever.',
  }),
  'metadata.log.segment.bytes': int({
    default: 1_073_741_824,
    min: 8_388_608,
    doc: 'The largest segment of the metadata log, in bytes; 32 MiB at least, whatever is set.',
  }),
  'metadata.max.retention.bytes': long({
    default: 104_857_600,
    min: -1,
    doc: 'Bytes of metadata log and snapshots beyond which the oldest go; -1 without a limit.',
  }),
  'metadata.max.retention.ms': long({
    default: 604_800_000,
    min: -1,
    doc: 'How long snapshots of the metadata, and the log below them, are kept, in ms; -1 for ever.',
  }),

  'coordinator.threads': int({
    default: Math.max(1, Math.floor(availableParallelism() / 2)),
    min: 1,
    max: 30,
    doc: 'Millrace: worker threads that the groups are spread over. They start with the first group.',
  }),

  // sockets
  listeners: list({
    default: 'PLAINTEXT://127.0.0.1:9092',
    nonEmpty: true,
    updateMode: 'per-broker',
    doc: 'Where the broker listens, NAME://host:port separated by commas; port 0 takes a free one.',
  }),
  'advertised.listeners': {
    ...optionalText({
      updateMode: 'per-broker',
      doc: 'The addresses told to clients, one for each listener; unset, those of listeners.',
    }),
    type: ConfigType.LIST,
  },
  'listener.security.protocol.map': {
    ...list({
      default: 'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
      updateMode: 'per-broker',
      doc: 'The security protocol of each listener name.',
    }),
    type: ConfigType.STRING,
  },
  'inter.broker.listener.name': optionalText({
    honoured: false,
    doc: 'The listener that brokers use among themselves; unset, the first one.',
  }),
  'num.network.threads': int({
    default: availableParallelism(),
    min: 1,
    doc: 'I/O threads; each serves its connections from socket to log.',
  }),
  'num.io.threads': int({
    default: 8,
    min: 1,
    doc: 'Threads for work that may block on the disk, such as syncs.',
  }),
  'socket.request.max.bytes': int({
    default: 104857600,
    min: 1,
    doc: 'The largest request accepted, in bytes.',
  }),
  'sasl.server.max.receive.size': int({
    default: 524288,
    min: 1,
    doc: 'The largest request of a connection that has not authenticated yet, in bytes.',
  }),
  'queued.max.request.bytes': long({
    default: 268435456,
    doc: 'Bytes that requests in progress may hold over the whole broker; -1 means no limit.',
  }),
  'max.connections': int({
    default: 2147483647,
    min: 0,
    updateMode: 'cluster-wide',
    doc: 'Connections open at one time; further ones wait. A listener can have its own as listener.name.….',
  }),
  'max.connection.creation.rate': int({
    default: 2147483647,
    min: 0,
    updateMode: 'cluster-wide',
    doc: 'New connections a second; further ones wait. A listener can have its own as listener.name.….',
  }),
  'max.connections.per.ip': int({
    default: 2147483647,
    min: 0,
    updateMode: 'cluster-wide',
    doc: 'Connections open at one time from one address; further ones are closed.',
  }),
  'max.connections.per.ip.overrides': addressCaps({
    updateMode: 'cluster-wide',
    doc: 'Addresses or host names with a max.connections.per.ip of their own, host:number separated by commas.',
  }),
  'connections.max.idle.ms': long({
    default: 600000,
    doc: 'How long a connection may be idle before it is closed, in ms.',
  }),

  // fetches and producers
  'fetch.max.bytes': int({
    default: 57671680,
    min: 1024,
    doc: 'The most bytes of records in one Fetch reply, whatever the client asks for.',
  }),
  'max.incremental.fetch.session.cache.slots': int({
    default: 1000,
    min: 0,
    doc: 'Fetch sessions that are kept at one time, shared evenly by the I/O threads.',
  }),
  'producer.id.expiration.ms': int({
    default: 86400000,
    min: 1,
    updateMode: 'cluster-wide',
    doc: 'How long a partition remembers an idempotent producer that writes nothing, in ms.',
  }),
  'producer.id.expiration.check.interval.ms': int({
    default: 600000,
    min: 1,
    doc: 'How often producers that wrote nothing for so long are looked for, in ms.',
  }),

  // groups and offsets
  'offsets.topic.num.partitions': int({ default: 50, min: 1, doc: 'Partitions of __consumer_offsets.' }),
  'offsets.topic.replication.factor': short({
    default: 3,
    min: 1,
    doc: 'Replicas of __consumer_offsets, at most the number of brokers when it is created.',
  }),
  'offsets.topic.segment.bytes': int({
    default: 104857600,
    min: 1,
    doc: 'The size of a segment of __consumer_offsets, in bytes.',
  }),
  'offsets.topic.compression.codec': int({
    default: 0,
    min: 0,
    max: 4,
    honoured: false,
    doc: 'The codec of __consumer_offsets.',
  }),
  'offset.metadata.max.bytes': int({
    default: 4096,
    min: 0,
    doc: 'The longest metadata that a committed offset may carry, in bytes.',
  }),
  'offsets.retention.minutes': int({
    default: 10080,
    min: 1,
    doc: 'How long the offsets of a group without members are kept, in minutes.',
  }),
  'offsets.retention.check.interval.ms': long({
    default: 600000,
    min: 1,
    doc: 'How often old offsets are looked for, in ms.',
  }),
  'group.initial.rebalance.delay.ms': int({
    default: 3000,
    doc: 'How long an empty group waits for more members before its first rebalance, in ms.',
  }),
  'group.min.session.timeout.ms': int({
    default: 6000,
    doc: 'The shortest session timeout that a member may ask for, in ms.',
  }),
  'group.max.session.timeout.ms': int({
    default: 1800000,
    doc: 'The longest session timeout that a member may ask for, in ms.',
  }),
  'group.max.size': int({ default: 2147483647, min: 1, doc: 'Members of one group.' }),

  // logs: defaults of the topic keys
  'compression.gzip.level': gzipLevel({
    updateMode: 'cluster-wide',
    doc: 'Level used when compression.type is gzip.',
  }),
  'compression.lz4.level': int({
    default: 9,
    min: 1,
    max: 17,
    honoured: false,
    updateMode: 'cluster-wide',
    doc: 'Level used when compression.type is lz4.',
  }),
  'compression.zstd.level': int({
    default: 3,
    min: -131072,
    max: 22,
    updateMode: 'cluster-wide',
    doc: 'Level used when compression.type is zstd.',
  }),
  'compression.type': text({
    default: 'producer',
    oneOf: ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'],
    updateMode: 'cluster-wide',
    doc: 'The codec that logs are kept in; producer keeps each batch as it arrived.',
  }),
  'log.cleanup.policy': list({
    default: 'delete',
    oneOf: ['compact', 'delete'],
    updateMode: 'cluster-wide',
    doc: 'Default of cleanup.policy.',
  }),
  'log.cleaner.enable': bool({
    default: true,
    doc: 'Whether logs with cleanup.policy compact are compacted.',
  }),
  'log.cleaner.backoff.ms': long({
    default: 15_000,
    min: 0,
    doc: 'How often to look for logs to compact, in ms.',
  }),
  'log.cleaner.dedupe.buffer.size': long({
    default: 134_217_728,
    doc: 'Bytes that the keys of one compaction may take in memory; the rest of the log waits for the next one.',
  }),
  'log.cleaner.delete.retention.ms': long({
    default: 86400000,
    min: 0,
    updateMode: 'cluster-wide',
    doc: 'Default of delete.retention.ms.',
  }),
  'log.cleaner.max.compaction.lag.ms': long({
    default: LONG_MAX_TEXT,
    min: 1,
    updateMode: 'cluster-wide',
    doc: 'Default of max.compaction.lag.ms.',
  }),
  'log.cleaner.min.cleanable.ratio': double({
    default: '0.5',
    min: 0,
    max: 1,
    updateMode: 'cluster-wide',
    doc: 'Default of min.cleanable.dirty.ratio.',
  }),
  'log.cleaner.min.compaction.lag.ms': long({
    default: 0,
    min: 0,
    updateMode: 'cluster-wide',
    doc: 'Default of min.compaction.lag.ms.',
  }),
  'log.flush.interval.messages': long({
    default: LONG_MAX_TEXT,
    min: 1,
    updateMode: 'cluster-wide',
    doc: 'Default of flush.messages; 1 syncs every record before it counts.',
  }),
  'log.flush.interval.ms': optional(long, {
    updateMode: 'cluster-wide',
    honoured: false,
    doc: 'Default of flush.ms; unset, log.flush.scheduler.interval.ms.',
  }),
  'log.flush.scheduler.interval.ms': long({
    default: LONG_MAX_TEXT,
    honoured: false,
    doc: 'How often logs are looked through for one to sync, in ms.',
  }),
  'log.index.interval.bytes': int({
    default: 4096,
    min: 0,
    updateMode: 'cluster-wide',
    doc: 'Default of index.interval.bytes.',
  }),
  'log.index.size.max.bytes': int({
    default: 10485760,
    min: 4,
    updateMode: 'cluster-wide',
    doc: 'Default of segment.index.bytes.',
  }),
  'log.local.retention.bytes': long({
    default: -2,
    min: -2,
    updateMode: 'cluster-wide',
    honoured: false,
    doc: 'Default of local.retention.bytes.',
  }),
  'log.local.retention.ms': long({
    default: -2,
    min: -2,
    updateMode: 'cluster-wide',
    honoured: false,
    doc: 'Default of local.retention.ms.',
  }),
  'log.message.timestamp.after.max.ms': long({
    default: 3600000,
    min: 0,
    updateMode: 'cluster-wide',
    doc: 'Default of message.timestamp.after.max.ms.',
  }),
  'log.message.timestamp.before.max.ms': long({
    default: LONG_MAX_TEXT,
    min: 0,
    updateMode: 'cluster-wide',
    doc: 'Default of message.timestamp.before.max.ms.',
  }),
  'log.message.timestamp.type': text({
    default: 'CreateTime',
    oneOf: ['CreateTime', 'LogAppendTime'],
    updateMode: 'cluster-wide',
    doc: 'Default of message.timestamp.type.',
  }),
  'log.preallocate': bool({
    default: false,
    updateMode: 'cluster-wide',
    honoured: false,
    doc: 'Default of preallocate.',
  }),
  'log.retention.bytes': long({
    default: -1,
    updateMode: 'cluster-wide',
    honoured: false,
    doc: 'Default of retention.bytes.',
  }),
  'log.retention.check.interval.ms': long({
    default: 300000,
    min: 1,
    honoured: false,
    doc: 'How often logs are looked through for old segments, in ms.',
  }),
  'millrace.log.scrub.bytes.per.second': long({
    default: 2097152,
    min: 0,
    doc: 'Not of Kafka: how fast old segments are looked over for damage, in bytes a second; 0 never does.',
  }),
  'log.retention.ms': optional(long, {
    updateMode: 'cluster-wide',
    honoured: false,
    doc: 'Default of retention.ms; unset, log.retention.minutes.',
  }),
  'log.retention.minutes': optional(int, {
    honoured: false,
    doc: 'Default of retention.ms in minutes; unset, log.retention.hours.',
  }),
  'log.retention.hours': int({ default: 168, honoured: false, doc: 'Default of retention.ms in hours.' }),
  'log.roll.jitter.ms': optional(long, {
    min: 0,
    updateMode: 'cluster-wide',
    honoured: false,
    doc: 'Default of segment.jitter.ms; unset, log.roll.jitter.hours.',
  }),
  'log.roll.jitter.hours': int({
    default: 0,
    min: 0,
    honoured: false,
    doc: 'Default of segment.jitter.ms in hours.',
  }),
  'log.roll.ms': optional(long, {
    min: 1,
    updateMode: 'cluster-wide',
    doc: 'Default of segment.ms; unset, log.roll.hours.',
  }),
  'log.roll.hours': int({ default: 168, min: 1, doc: 'Default of segment.ms in hours.' }),
  'log.segment.bytes': int({
    default: 1073741824,
    min: 1048576,
    updateMode: 'cluster-wide',
    doc: 'Default of segment.bytes.',
  }),
  'log.segment.delete.delay.ms': long({
    default: 60000,
    min: 0,
    updateMode: 'cluster-wide',
    doc: 'Default of file.delete.delay.ms, and how long the files of a deleted topic stay, in ms.',
  }),
  'message.max.bytes': int({
    default: 1048588,
    min: 0,
    updateMode: 'cluster-wide',
    doc: 'Default of max.message.bytes.',
  }),
  'min.insync.replicas': int({
    default: 1,
    min: 1,
    updateMode: 'cluster-wide',
    doc: 'In-sync replicas that a produce with acks=all needs.',
  }),
  'unclean.leader.election.enable': bool({
    default: false,
    updateMode: 'cluster-wide',
    honoured: false,
    doc: 'Whether a replica outside the ISR may become leader, at the price of data.',
  }),
} satisfies Record<string, ConfigKey<unknown>>

export type BrokerKey = keyof typeof brokerKeys

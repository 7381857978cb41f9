/**
 * The config keys of a topic (Kafka's TopicConfig) and, for each, the broker key that gives its default.
 * The broker's own keys live in broker-keys.ts.
 */
import {
  bool,
  type ConfigKey,
  double,
  gzipLevel,
  int,
  LONG_MAX_TEXT,
  list,
  long,
  text,
  throttledReplicas,
} from './key.js'

const compressionTypes = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer']

export const topicKeys = {
  'cleanup.policy': list({
    default: 'delete',
    oneOf: ['compact', 'delete'],
    doc: 'What happens to old segments: delete drops them by age or size, compact keeps the newest record of each key.',
  }),
  'compression.gzip.level': gzipLevel({ doc: 'Level used when compression.type is gzip.' }),
  'compression.lz4.level': int({
    default: 9,
    min: 1,
    max: 17,
    doc: 'Level used when compression.type is lz4.',
  }),
  'compression.type': text({
    default: 'producer',
    oneOf: compressionTypes,
    doc: 'The codec that the log is kept in; producer keeps each batch as it arrived.',
  }),
  'compression.zstd.level': int({
    default: 3,
    min: -131072,
    max: 22,
    doc: 'Level used when compression.type is zstd.',
  }),
  'delete.retention.ms': long({
    default: 86400000,
    min: 0,
    doc: 'How long a compacted topic keeps its tombstones, in ms.',
  }),
  'file.delete.delay.ms': long({
    default: 60000,
    min: 0,
    doc: 'How long a deleted file stays on disk, in ms.',
  }),
  'flush.messages': long({
    default: LONG_MAX_TEXT,
    min: 1,
    doc: 'Records between two syncs; 1 means that a record counts only once it is synced to the disk.',
  }),
  'flush.ms': long({ default: LONG_MAX_TEXT, min: 0, doc: 'The longest time between two syncs, in ms.' }),
  'follower.replication.throttled.replicas': throttledReplicas({
    doc: 'Replicas whose fetching is throttled on the follower.',
  }),
  'index.interval.bytes': int({
    default: 4096,
    min: 0,
    doc: 'Bytes of log between two entries of the offset index.',
  }),
  'leader.replication.throttled.replicas': throttledReplicas({
    doc: 'Replicas whose fetching is throttled on the leader.',
  }),
  'local.retention.bytes': long({
    default: -2,
    min: -2,
    doc: 'Bytes kept locally when the topic is tiered; -2 takes retention.bytes.',
  }),
  'local.retention.ms': long({
    default: -2,
    min: -2,
    doc: 'Time kept locally when the topic is tiered, in ms; -2 takes retention.ms.',
  }),
  'max.compaction.lag.ms': long({
    default: LONG_MAX_TEXT,
    min: 1,
    doc: 'The longest a record may stay uncompacted, in ms.',
  }),
  'max.message.bytes': int({
    default: 1048588,
    min: 0,
    doc: 'The largest record batch accepted, in bytes after compression.',
  }),
  'message.timestamp.after.max.ms': long({
    default: 3600000,
    min: 0,
    doc: 'How far ahead of the broker a record timestamp may be, in ms.',
  }),
  'message.timestamp.before.max.ms': long({
    default: LONG_MAX_TEXT,
    min: 0,
    doc: 'How far behind the broker a record timestamp may be, in ms.',
  }),
  'message.timestamp.type': text({
    default: 'CreateTime',
    oneOf: ['CreateTime', 'LogAppendTime'],
    doc: 'Whether a record keeps the timestamp of its producer or gets the time of its append.',
  }),
  'min.cleanable.dirty.ratio': double({
    default: '0.5',
    min: 0,
    max: 1,
    doc: 'The share of uncompacted log that starts a compaction.',
  }),
  'min.compaction.lag.ms': long({
    default: 0,
    min: 0,
    doc: 'The shortest a record stays uncompacted, in ms.',
  }),
  'min.insync.replicas': int({
    default: 1,
    min: 1,
    doc: 'In-sync replicas that a produce with acks=all needs.',
  }),
  preallocate: bool({ default: false, doc: 'Whether a new segment reserves its space on the disk at once.' }),
  'remote.log.copy.disable': bool({ default: false, doc: 'Stops copying segments of a tiered topic.' }),
  'remote.log.delete.on.disable': bool({
    default: false,
    doc: 'Whether tiered data goes away when tiering is switched off.',
  }),
  'remote.storage.enable': bool({ default: false, doc: 'Whether the topic is tiered.' }),
  'retention.bytes': long({
    default: -1,
    doc: 'Bytes a partition may grow to before old segments go; -1 means no limit.',
  }),
  'retention.ms': long({
    default: 604800000,
    min: -1,
    doc: 'How long a segment is kept, in ms; -1 means for ever.',
  }),
  'segment.bytes': int({ default: 1073741824, min: 1048576, doc: 'The size of one segment file, in bytes.' }),
  'segment.index.bytes': int({
    default: 10485760,
    min: 4,
    doc: 'The largest size of an index file, in bytes.',
  }),
  'segment.jitter.ms': long({
    default: 0,
    min: 0,
    doc: 'Random part taken off segment.ms, so that segments do not all roll at once.',
  }),
  'segment.ms': long({
    default: 604800000,
    min: 1,
    doc: 'How long a segment is written to before the next one begins, in ms.',
  }),
  'unclean.leader.election.enable': bool({
    default: false,
    doc: 'Whether a replica outside the ISR may become leader, at the price of data.',
  }),
} satisfies Record<string, ConfigKey<unknown>>

export type TopicKey = keyof typeof topicKeys

/**
 * For each topic key the broker keys that set its default, first one that is set wins; `scale` turns the broker
 * key's unit into the topic key's.
 */
export const topicSynonyms: Partial<Record<TopicKey, readonly { key: string; scale?: number }[]>> = {
  'cleanup.policy': [{ key: 'log.cleanup.policy' }],
  'compression.gzip.level': [{ key: 'compression.gzip.level' }],
  'compression.lz4.level': [{ key: 'compression.lz4.level' }],
  'compression.type': [{ key: 'compression.type' }],
  'compression.zstd.level': [{ key: 'compression.zstd.level' }],
  'delete.retention.ms': [{ key: 'log.cleaner.delete.retention.ms' }],
  'file.delete.delay.ms': [{ key: 'log.segment.delete.delay.ms' }],
  'flush.messages': [{ key: 'log.flush.interval.messages' }],
  'flush.ms': [{ key: 'log.flush.interval.ms' }, { key: 'log.flush.scheduler.interval.ms' }],
  'index.interval.bytes': [{ key: 'log.index.interval.bytes' }],
  'local.retention.bytes': [{ key: 'log.local.retention.bytes' }],
  'local.retention.ms': [{ key: 'log.local.retention.ms' }],
  'max.compaction.lag.ms': [{ key: 'log.cleaner.max.compaction.lag.ms' }],
  'max.message.bytes': [{ key: 'message.max.bytes' }],
  'message.timestamp.after.max.ms': [{ key: 'log.message.timestamp.after.max.ms' }],
  'message.timestamp.before.max.ms': [{ key: 'log.message.timestamp.before.max.ms' }],
  'message.timestamp.type': [{ key: 'log.message.timestamp.type' }],
  'min.cleanable.dirty.ratio': [{ key: 'log.cleaner.min.cleanable.ratio' }],
  'min.compaction.lag.ms': [{ key: 'log.cleaner.min.compaction.lag.ms' }],
  'min.insync.replicas': [{ key: 'min.insync.replicas' }],
  preallocate: [{ key: 'log.preallocate' }],
  'retention.bytes': [{ key: 'log.retention.bytes' }],
  'retention.ms': [
    { key: 'log.retention.ms' },
    { key: 'log.retention.minutes', scale: 60_000 },
    { key: 'log.retention.hours', scale: 3_600_000 },
  ],
  'segment.bytes': [{ key: 'log.segment.bytes' }],
  'segment.index.bytes': [{ key: 'log.index.size.max.bytes' }],
  'segment.jitter.ms': [{ key: 'log.roll.jitter.ms' }, { key: 'log.roll.jitter.hours', scale: 3_600_000 }],
  'segment.ms': [{ key: 'log.roll.ms' }, { key: 'log.roll.hours', scale: 3_600_000 }],
  'unclean.leader.election.enable': [{ key: 'unclean.leader.election.enable' }],
}

// The topics of a differential script: what configs are drawn for them, and what the script knows of each since.
import type { Random } from '../../sim/random.js'

export interface ScriptTopic {
  readonly name: string
  readonly partitions: number
  readonly configs: Readonly<Record<string, string>>
  /** The first offset that nobody has, by partition, as the last answers told. */
  readonly ends: number[]
  /** The next sequence and the epoch of each producer id, by partition. */
  readonly sequences: Map<number, { epoch: number; next: number }>[]
}

export const stampsTime = (topic: ScriptTopic): boolean =>
  topic.configs['message.timestamp.type'] === 'LogAppendTime'

/** Whether the broker may write a client's batch anew: two brokers' compressed bytes then need not be equal. */
export const recompresses = (topic: ScriptTopic): boolean =>
  (topic.configs['compression.type'] ?? 'producer') !== 'producer'

/** A config or two that change what a produce does or where segments end. */
const profiles: readonly ((random: Random) => Record<string, string>)[] = [
  () => ({}),
  () => ({ 'message.timestamp.type': 'LogAppendTime' }),
  (random) => ({ 'compression.type': random.pick(['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed']) }),
  () => ({ 'compression.type': 'gzip', 'compression.gzip.level': '1' }),
  () => ({ 'compression.type': 'zstd', 'compression.zstd.level': '9' }),
  () => ({
    'compression.type': 'lz4',
    'compression.lz4.level': '12',
    'message.timestamp.type': 'LogAppendTime',
  }),
  (random) => ({ 'max.message.bytes': String(random.pick([0, 61, 150, 300, 1000])) }),
  () => ({ 'message.timestamp.before.max.ms': '3600000' }),
  () => ({ 'message.timestamp.after.max.ms': '0', 'message.timestamp.before.max.ms': '86400000' }),
  () => ({ 'message.timestamp.after.max.ms': '9223372036854775807' }),
  () => ({ 'cleanup.policy': 'compact' }),
  () => ({ 'cleanup.policy': 'compact,delete' }),
  () => ({ 'cleanup.policy': 'compact', 'compression.type': 'snappy' }),
  () => ({ 'segment.bytes': '1048576' }),
  (random) => ({ 'segment.ms': String(random.pick([60_000, 600_000, 3_600_000])) }),
  (random) => ({ 'segment.index.bytes': String(random.pick([12, 24, 40])), 'index.interval.bytes': '0' }),
  () => ({ 'segment.jitter.ms': '0', 'segment.ms': '120000', 'message.timestamp.type': 'LogAppendTime' }),
]

export function drawTopic(random: Random, name: string): ScriptTopic {
  const partitions = random.between(1, 3)
  return {
    name,
    partitions,
    configs: random.pick(profiles)(random),
    ends: Array.from({ length: partitions }, () => 0),
    sequences: Array.from({ length: partitions }, () => new Map()),
  }
}

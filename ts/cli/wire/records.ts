/**
 * A topic's records from given offsets on, fetched from the leaders without a group, in offset order by partition.
 * Batches are decoded by the client library; what its codecs lack is said in a sentence.
 */
import { Reader, type RecordsBatch, readRecordsBatches } from '@platformatic/kafka'
import { Errors, errorName, fetch } from '../../protocol/index.js'
import { CommandError, refused } from '../failure.js'
import type { ConsumedRecord } from '../record-text.js'
import type { Cluster, TopicMetadata } from './cluster.js'

const CONTROL = 1 << 5
const LOG_APPEND_TIME = 1 << 3
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const PARTITION_BYTES = 1 << 20
const MAX_WAIT_MS = 500

/**
 * Yields the records of each fetch, and an empty list when nothing came. `positions` are the next offsets by partition;
 * they move on as records are yielded, and a partition that the caller deletes is not read any more.
 */
export async function* recordsFrom(
  cluster: Cluster,
  topic: TopicMetadata,
  positions: Map<number, number>,
): AsyncGenerator<ConsumedRecord[]> {
  const name = topic.name ?? ''
  while (positions.size > 0) {
    const leaders = new Set(
      topic.partitions.filter((one) => positions.has(one.partitionIndex)).map((one) => one.leaderId),
    )
    const fetched = await Promise.all(
      [...leaders].map((leader) => fetchFrom(cluster, topic, leader, positions)),
    )
    const records: ConsumedRecord[] = []
    for (const { partitionIndex, errorCode, records: bytes } of fetched.flat()) {
      if (errorCode !== Errors.NONE) {
        throw refused(
          `read partition ${partitionIndex} of topic ${name}`,
          errorCode,
          null,
          errorCode === Errors.OFFSET_OUT_OF_RANGE
            ? '`millrace topic describe` shows what is there.'
            : undefined,
        )
      }
      const from = positions.get(partitionIndex)
      if (from === undefined || bytes === null || bytes.length === 0) continue
      for (const batch of batchesOf(bytes, name, partitionIndex)) {
        const next = Number(batch.firstOffset) + batch.lastOffsetDelta + 1
        if (next <= from) continue
        positions.set(partitionIndex, next)
        if ((batch.attributes & CONTROL) !== 0) continue
        records.push(...recordsOf(batch, name, partitionIndex).filter((one) => one.offset >= from))
      }
    }
    yield records
  }
}

async function fetchFrom(
  cluster: Cluster,
  topic: TopicMetadata,
  leader: number,
  positions: ReadonlyMap<number, number>,
) {
  const partitions = topic.partitions
    .filter((one) => one.leaderId === leader && positions.has(one.partitionIndex))
    .map(({ partitionIndex }) => ({
      partition: partitionIndex,
      fetchOffset: positions.get(partitionIndex) ?? 0,
      partitionMaxBytes: PARTITION_BYTES,
    }))
  const request = {
    replicaId: -1,
    maxWaitMs: MAX_WAIT_MS,
    minBytes: 1,
    maxBytes: 50 << 20,
    topics: [{ topic: topic.name ?? '', partitions }],
    forgottenTopicsData: [],
  }
  const answer = await (await cluster.broker(leader)).request(fetch, request, 12)
  if (answer.errorCode !== Errors.NONE) {
    throw new CommandError(`Cannot read topic ${topic.name}: ${errorName(answer.errorCode)}.`)
  }
  return answer.responses.flatMap((one) => one.partitions)
}

function batchesOf(bytes: Buffer, topic: string, partition: number): RecordsBatch[] {
  try {
    return readRecordsBatches(Reader.from(bytes))
  } catch (error) {
    const codec = CODECS[(bytes[22] ?? 0) & 7]
    const hint = codec === 'zstd' ? ' Reading zstd needs Node 22.15 or newer.' : ''
    throw new CommandError(
      `Cannot decode a ${codec} batch of partition ${partition} of topic ${topic}: ${(error as Error).message}.${hint}`,
    )
  }
}

function recordsOf(batch: RecordsBatch, topic: string, partition: number): ConsumedRecord[] {
  const appendTime = (batch.attributes & LOG_APPEND_TIME) !== 0
  return batch.records.map((record) => ({
    topic,
    partition,
    offset: Number(batch.firstOffset) + record.offsetDelta,
    timestamp: Number(appendTime ? batch.maxTimestamp : batch.firstTimestamp + record.timestampDelta),
    key: record.key,
    value: record.value,
    headers: record.headers,
  }))
}

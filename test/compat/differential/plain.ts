// An answer in the form in which two brokers' answers are compared: what a broker chose by itself (ids, addresses, the
// time of its clock) by name instead of by value, record sets as what they hold.
import { inspect } from 'node:util'
import { type Api, createTopics, initProducerId, ZERO_UUID } from '../../../ts/protocol/index.js'
import { crc32c } from '../../record-batch.js'
import type { Side } from './side.js'
import { recompresses, type ScriptTopic, stampsTime } from './topics.js'

export interface Context {
  readonly side: Side
  readonly api: Api
  readonly topics: ReadonlyMap<string, ScriptTopic>
}

const HOUR = 3_600_000
const isNow = (value: unknown): boolean => typeof value === 'number' && Math.abs(value - Date.now()) < HOUR

/** The answer with everything replaced that only that broker can know. */
export function plain(context: Context, answer: unknown): unknown {
  return walk(context, answer, undefined)
}

function walk(context: Context, value: unknown, topic: ScriptTopic | undefined): unknown {
  if (Buffer.isBuffer(value)) return recordSet(value, topic)
  if (Array.isArray(value)) return byPlace(context, value) ?? value.map((item) => walk(context, item, topic))
  if (value === null || typeof value !== 'object') return value
  const fields = Object.entries(value)
  const inner = topicOf(context, value as Record<string, unknown>) ?? topic
  return Object.fromEntries(fields.map(([name, field]) => [name, named(context, name, field, inner)]))
}

function topicOf(context: Context, value: Record<string, unknown>): ScriptTopic | undefined {
  const { topicId, name: byName, topic: byTopic } = value
  const named = byName ?? byTopic
  const name = named || (typeof topicId === 'string' ? context.side.nameOf(topicId) : undefined)
  return typeof name === 'string' ? context.topics.get(name) : undefined
}

/** Partitions in topics by name: no client may depend on their order, and Kafka's comes out of hash maps. */
function byPlace(context: Context, topics: readonly unknown[]): Record<string, unknown> | undefined {
  const out: Record<string, unknown> = {}
  for (const item of topics) {
    if (item === null || typeof item !== 'object') return undefined
    const { name, topic, topicId, ...rest } = item as Record<string, unknown>
    const partitions = rest.partitionResponses ?? rest.partitions
    if (!Array.isArray(partitions)) return undefined
    const label = name || topic || (typeof topicId === 'string' && context.side.nameOf(topicId)) || topicId
    for (const partition of partitions) {
      const index = partition.index ?? partition.partitionIndex ?? partition.partition
      let place = `${label}-${index}`
      while (place in out) place += ' again'
      out[place] = walk(context, partition, context.topics.get(String(label)))
    }
  }
  return topics.length === 0 ? undefined : out
}

function named(context: Context, name: string, field: unknown, topic: ScriptTopic | undefined): unknown {
  switch (name) {
    case 'host':
    case 'port':
    case 'clusterId':
      return name
    case 'sessionId':
      return field === 0 ? 0 : 'a session'
    case 'topicId':
      if (context.api === createTopics && field !== ZERO_UUID) return 'an id'
      return (typeof field === 'string' && context.side.nameOf(field)) || field
    case 'logAppendTimeMs':
      return isNow(field) ? 'now' : field
    case 'timestamp':
    case 'lastTimestamp':
      return topic && stampsTime(topic) && isNow(field) ? 'now' : field
    case 'errorMessage':
    case 'batchIndexErrorMessage':
      return typeof field === 'string' ? field.replace(/within \[-?\d+, -?\d+\]/, 'within […]') : field
    case 'producerId':
      return context.api === initProducerId && Number(field) >= 0 ? 'an id' : field
    case 'activeProducers':
      return sorted(walk(context, field, topic))
    default:
      return walk(context, field, topic)
  }
}

/** Kafka lists producers in no order. */
function sorted(producers: unknown): unknown {
  return Array.isArray(producers) ? producers.map((producer) => inspect(producer)).sort() : producers
}

/** The batches of a record set: byte for byte where the broker keeps what the client sent, else what each declares. */
export function recordSet(bytes: Buffer, topic: ScriptTopic | undefined): unknown {
  const exact = topic === undefined || !(recompresses(topic) || stampsTime(topic))
  const out: unknown[] = []
  let at = 0
  while (at + 61 <= bytes.length && at + 12 + bytes.readInt32BE(at + 8) <= bytes.length) {
    const batch = bytes.subarray(at, at + 12 + bytes.readInt32BE(at + 8))
    out.push(exact ? exactly(batch) : described(batch, topic))
    at += batch.length
  }
  if (at < bytes.length) out.push(`${exact ? bytes.length - at : 'some'} bytes of the next`)
  return out
}

function exactly(batch: Buffer): string {
  const fine = crc32c(batch.subarray(21)) === batch.readUInt32BE(17) ? '' : ' with a wrong CRC'
  const body = batch.length > 400 ? `${batch.length} bytes` : batch.subarray(61).toString('hex')
  return `${header(batch, false)} crc=${batch.readUInt32BE(17)}${fine} ${body}`
}

function described(batch: Buffer, topic: ScriptTopic): string {
  const fine = crc32c(batch.subarray(21)) === batch.readUInt32BE(17) ? 'right' : 'wrong'
  const size = recompresses(topic) ? '' : ` ${batch.length} bytes`
  return `${header(batch, stampsTime(topic))} crc ${fine}${size}`
}

function header(batch: Buffer, stamped: boolean): string {
  const time = (at: number) => {
    const value = Number(batch.readBigInt64BE(at))
    return stamped && isNow(value) ? 'now' : value
  }
  return [
    `base=${batch.readBigInt64BE(0)} epoch=${batch.readInt32BE(12)} magic=${batch.readInt8(16)}`,
    `attributes=${batch.readInt16BE(21)} lastDelta=${batch.readInt32BE(23)} times=${time(27)}..${time(35)}`,
    `producer=${batch.readBigInt64BE(43)}/${batch.readInt16BE(51)}/${batch.readInt32BE(53)}`,
    `count=${batch.readInt32BE(57)}`,
  ].join(' ')
}

// Draws what a script puts into a Produce: honest batches, sequences of idempotent producers, and batches in which
// something lies. Every byte comes from the seed and from the script's clock.

import { type BatchFields, type NewRecord, recordBatch, setCrc } from '../../record-batch.js'
import type { Random } from '../../sim/random.js'
import { type Codec, codecBits, pack } from './pack.js'
import type { ScriptTopic } from './topics.js'

/** Bits of the batch's attributes. */
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const DELETE_HORIZON = 0x40

const MINUTE = 60_000
const codecs: readonly Codec[] = ['none', 'none', 'gzip', 'snappy', 'lz4', 'zstd']

interface Plan {
  records: NewRecord[]
  fields: BatchFields & { attributes: number }
}

function drawTimestamp(random: Random, clock: number): number {
  const usual = clock - random.below(50) * MINUTE
  switch (
    random.weighted({ usual: 20, clock: 4, old: 2, veryOld: 1, ahead: 1, far: 1, none: 1, negative: 0.05 })
  ) {
    case 'clock':
      return clock
    case 'old':
      return clock - 120 * MINUTE
    case 'veryOld':
      return random.below(1000)
    case 'ahead':
      return clock + 30 * MINUTE
    case 'far':
      return clock + 600 * MINUTE
    case 'none':
      return -1
    case 'negative':
      return -2
    default:
      return usual
  }
}

function drawText(random: Random, longest: number): string {
  return random.bytes(random.below(longest)).toString('hex')
}

function drawRecord(random: Random, clock: number, keyed: boolean): NewRecord {
  const headers = Array.from(
    { length: random.chance(0.2) ? random.below(4) : 0 },
    (_, n) => [`h${n}`, random.chance(0.3) ? null : drawText(random, 5)] as const,
  )
  return {
    key: keyed || random.chance(0.5) ? `k${random.below(5)}` : null,
    value: random.chance(0.1) ? null : drawText(random, random.chance(0.1) ? 400 : 20),
    timestamp: drawTimestamp(random, clock),
    headers,
  }
}

function drawPlan(random: Random, topic: ScriptTopic, clock: number): Plan {
  const compacted = topic.configs['cleanup.policy']?.includes('compact') ?? false
  const keyed = compacted && !random.chance(0.15)
  // Timestamps far apart in one batch are rare; refused ones must not make up most of a script.
  const wild = random.chance(0.3)
  const records = Array.from({ length: random.between(1, random.chance(0.1) ? 40 : 5) }, () => {
    const record = drawRecord(random, clock, keyed)
    return wild ? record : { ...record, timestamp: clock - random.below(30 * MINUTE) }
  })
  if (topic.configs['segment.bytes'] && random.chance(0.4)) {
    records.push({ key: 'big', value: 'x'.repeat(random.between(100_000, 500_000)), timestamp: clock })
  }
  const codec = random.pick(codecs)
  const first = records[0]?.timestamp ?? clock
  return {
    records,
    fields: { attributes: codecBits[codec], pack: pack[codec], baseTimestamp: first },
  }
}

/** Sequences as a producer would number them, or as it must not. The ids are the script's own: no broker gave them. */
function number(random: Random, topic: ScriptTopic, partition: number, plan: Plan): Plan {
  const producerId = 5000 + random.below(3)
  const producers = topic.sequences[partition] ?? new Map()
  const known = producers.get(producerId) ?? { epoch: 0, next: 0 }
  const count = plan.records.length
  let { epoch, next } = known
  switch (
    random.weighted({ next: 12, repeat: 3, gap: 1, bump: 1, bumpWithGap: 0.5, stale: 1, wrap: 0.3, old: 1 })
  ) {
    case 'repeat':
      next = Math.max(0, next - count)
      break
    case 'gap':
      next += random.between(1, 5)
      break
    case 'bump':
      epoch += 1
      next = 0
      break
    case 'bumpWithGap':
      epoch += 1
      next += 3
      break
    case 'stale':
      epoch = Math.max(0, epoch - 1)
      break
    case 'wrap':
      next = 0x7fff_ffff
      break
    case 'old':
      next = random.below(next + 1)
      break
    default:
      producers.set(producerId, { epoch, next: next + count })
  }
  if (epoch > known.epoch && next === 0) producers.set(producerId, { epoch, next: count })
  return { ...plan, fields: { ...plan.fields, producerId, producerEpoch: epoch, baseSequence: next } }
}

/** Each makes one thing of a batch a lie. */
const lies: Readonly<Record<string, (random: Random, plan: Plan) => Plan>> = {
  crc: (_, plan) => add(plan, { wrongCrc: true }),
  magic: (random, plan) => add(plan, { magic: random.pick([0, 1, 3, -1, 127]) }),
  count: (random, plan) =>
    add(plan, { count: random.pick([0, -1, 1, plan.records.length + 1, 0x7fff_ffff]) }),
  lastOffsetDelta: (random, plan) =>
    add(plan, { lastOffsetDelta: random.pick([-1, 0, plan.records.length, 0x7fff_ffff]) }),
  countAndDelta: (_, plan) =>
    add(plan, { count: plan.records.length + 1, lastOffsetDelta: plan.records.length }),
  fewerThanThere: (_, plan) =>
    add(plan, { count: plan.records.length - 1, lastOffsetDelta: plan.records.length - 2 }),
  length: (random, plan) =>
    add(plan, { declaredLength: random.pick([0, -1, 48, 49, 60, 10_000, 0x7fff_ffff]) }),
  empty: (_, plan) => add({ ...plan, records: [] }, { count: 0, lastOffsetDelta: -1 }),
  emptyKept: (_, plan) => add({ ...plan, records: [] }, { count: 0, lastOffsetDelta: 0 }),
  logAppendTime: (_, plan) => mark(plan, LOG_APPEND_TIME),
  control: (_, plan) => mark(plan, CONTROL),
  transactional: (_, plan) => mark(plan, TRANSACTIONAL),
  transactionalControl: (_, plan) => mark(plan, TRANSACTIONAL | CONTROL),
  deleteHorizon: (_, plan) => mark(plan, DELETE_HORIZON),
  unusedAttributes: (random, plan) => mark(plan, 1 << random.between(7, 14)),
  unknownCodec: (random, plan) => add(plan, { attributes: random.between(5, 7) }),
  otherCodec: (random, plan) => add(plan, { attributes: random.between(0, 4) }),
  baseOffset: (random, plan) => add(plan, { baseOffset: random.pick([1n, -1n, 5n, 0x7fff_ffff_ffff_ffffn]) }),
  leaderEpoch: (random, plan) => add(plan, { leaderEpoch: random.pick([0, 7, -2]) }),
  maxTimestamp: (random, plan) =>
    add(plan, { maxTimestamp: random.pick([-1, 0, 1_700_000_000_000, 2 ** 52]) }),
  idWithoutEpoch: (_, plan) => add(plan, { producerId: 6000, producerEpoch: -1, baseSequence: 0 }),
  idWithoutSequence: (_, plan) => add(plan, { producerId: 5000, producerEpoch: 0, baseSequence: -1 }),
  sequenceAlone: (_, plan) => add(plan, { baseSequence: 3 }),
  epochAlone: (_, plan) => add(plan, { producerEpoch: 3 }),
  negativeId: (_, plan) => add(plan, { producerId: -5, producerEpoch: 0, baseSequence: 0 }),
  payload: (random, plan) => add(plan, { payload: random.bytes(random.below(60)) }),
}

/** Kafka takes these and we do not: a script ends there, so they are rare. */
const PARTING = ['logAppendTime', 'idWithoutEpoch']
const COMMON = Object.keys(lies).filter((label) => !PARTING.includes(label))

function add(plan: Plan, fields: Partial<BatchFields>): Plan {
  return { ...plan, fields: { ...plan.fields, ...fields } }
}

function mark(plan: Plan, bits: number): Plan {
  return add(plan, { attributes: plan.fields.attributes | bits })
}

export interface Drawn {
  /** What was drawn, for whoever reads a difference. */
  readonly label: string
  readonly bytes: Buffer | null
}

/** The records of one partition of a Produce. */
export function drawRecords(random: Random, topic: ScriptTopic, partition: number, clock: number): Drawn {
  const plan = drawPlan(random, topic, clock)
  const honest = () => recordBatch(plan.records, plan.fields)
  const drawn = drawBytes(random, topic, partition, plan, honest)
  const negative = plan.records.some(({ timestamp = 0 }) => timestamp < -1)
  return negative ? { ...drawn, label: `${drawn.label}, a timestamp below −1` } : drawn
}

function drawBytes(
  random: Random,
  topic: ScriptTopic,
  partition: number,
  plan: Plan,
  honest: () => Buffer,
): Drawn {
  switch (
    random.weighted({
      honest: 10,
      idempotent: 9,
      lie: 7,
      flip: 1,
      cut: 0.5,
      longer: 0.5,
      two: 0.5,
      none: 0.3,
    })
  ) {
    case 'idempotent': {
      const numbered = number(random, topic, partition, plan)
      const { producerId, producerEpoch, baseSequence } = numbered.fields
      const label = `producer ${producerId} epoch ${producerEpoch} sequence ${baseSequence} count ${plan.records.length}`
      return { label, bytes: recordBatch(numbered.records, numbered.fields) }
    }
    case 'lie': {
      const label = random.chance(0.03) ? random.pick(PARTING) : random.pick(COMMON)
      const lying = lies[label]?.(random, plan) ?? plan
      return { label, bytes: recordBatch(lying.records, lying.fields) }
    }
    case 'flip': {
      const bytes = honest()
      const at = 61 + random.below(bytes.length - 61)
      bytes[at] = random.below(256)
      setCrc(bytes)
      return { label: `records differ at ${at}`, bytes }
    }
    case 'cut': {
      const bytes = honest()
      return { label: 'cut', bytes: bytes.subarray(0, random.below(bytes.length)) }
    }
    case 'longer':
      return {
        label: 'bytes after it',
        bytes: Buffer.concat([honest(), random.bytes(random.between(1, 30))]),
      }
    case 'two':
      return { label: 'two batches', bytes: Buffer.concat([honest(), honest()]) }
    case 'none':
      return { label: 'none', bytes: Buffer.alloc(0) }
    default:
      return { label: `honest, attributes ${plan.fields.attributes}`, bytes: honest() }
  }
}

// Looks at a broker that came back, holds everything it tells against an account, and lets it work on: the answer is an
// account of its own, of what is there now and therefore has to stay.
import { describeConfigs, fetch, metadata, offsetFetch } from '../../../ts/protocol/index.js'
import { readRecords } from '../../record-batch.js'
import { Violation } from '../history.js'
import { Account, type BatchAct, type PartitionAct, RETENTION_MS, TopicAct } from './account.js'
import type { Caller } from './caller.js'
import {
  append,
  CONFIG,
  commit,
  createTopic,
  cut,
  deleteTopic,
  EARLIEST,
  expectNone,
  GROUP,
  LATEST,
  newProducerId,
  offsetsOf,
  setConfig,
  TOPIC_RESOURCE,
  untilLoaded,
} from './requests.js'

/** Always: before every crash that is to come. */
const ALWAYS = { sent: -1, acked: -1 }

/** What is to be found is what the account says of the moment after `calls`. */
export interface Moment {
  readonly account: Account
  readonly calls: number
  /** What was not synced may be gone. */
  readonly powerLost: boolean
}

export function inspect(caller: Caller, moment: Moment): Account {
  return new Inspection(caller, moment).run()
}

/** Where a partition's log begins, and the batches that are in it, whole or from their middle on. */
interface Found {
  readonly partition: PartitionAct
  readonly start: number
  readonly batches: readonly BatchAct[]
}

class Inspection {
  private readonly found = new Account()

  constructor(
    private readonly caller: Caller,
    private readonly moment: Moment,
  ) {}

  run(): Account {
    const { account, calls } = this.moment
    const topics = this.topics()
    const partitions = topics.flatMap((topic) => topic.partitions)
    const found = this.logs(partitions)
    this.checkConfigs(topics)
    for (const topic of topics) {
      const again = new TopicAct(topic.name, topic.kind, topic.partitions.length, -1)
      Object.assign(again, { id: topic.id, created: ALWAYS })
      const configs = this.candidates(topic.configs)
      again.configs.push(...configs.filter(({ value }) => value === this.configs.get(topic.name)))
      this.found.topics.push(again)
      for (const [index, partition] of again.partitions.entries()) {
        const log = found.find((one) => one.partition === topic.partitions[index])
        if (log === undefined) continue
        partition.batches.push(...log.batches)
        partition.cuts.push({ ...ALWAYS, offset: log.start })
      }
    }
    this.found.producerIds.push(...account.producerIds.filter(({ acked }) => acked <= calls))
    this.checkCommits(partitions)
    return this.found
  }

  private readonly configs = new Map<string, string>()

  /** Those that exist, as the account knows them. */
  private topics(): TopicAct[] {
    const { account, calls } = this.moment
    const reply = this.caller.call(metadata, 12, { topics: null, allowAutoTopicCreation: false })
    const told = reply.topics.filter(({ isInternal }) => !isInternal)
    const topics: TopicAct[] = []
    for (const topic of account.topics) {
      const fate = topic.fate(calls)
      const there = told.find(
        ({ name, topicId }) => name === topic.name && (topic.id === '' || topicId === topic.id),
      )
      if (fate === 'there' && there === undefined)
        throw new Violation(`topic ${topic.name} (${topic.id}) is gone`)
      if (there === undefined) continue
      if (fate === 'gone') throw new Violation(`topic ${topic.name} (${topic.id}) is there again`)
      if (there.partitions.length !== topic.partitions.length)
        throw new Violation(`${topic.name} has ${there.partitions.length} partitions`)
      for (const { errorCode, partitionIndex } of there.partitions)
        expectNone(`Metadata of ${topic.name}-${partitionIndex}`, errorCode)
      told.splice(told.indexOf(there), 1)
      topics.push(topic)
    }
    const [unknown] = told
    if (unknown !== undefined)
      throw new Violation(
        `nobody asked for topic ${unknown.name} (${unknown.topicId}), or not for it any more`,
      )
    return topics
  }

  private logs(partitions: readonly PartitionAct[]): Found[] {
    const starts = offsetsOf(this.caller, partitions, EARLIEST)
    const ends = offsetsOf(this.caller, partitions, LATEST)
    const values = this.read(partitions, starts, ends)
    return partitions.map((partition, index) => {
      const start = starts[index] ?? -1
      this.checkStart(partition, start, ends[index] ?? -1)
      const batches = this.checkRecords(partition, start, values[index] ?? [])
      return { partition, start, batches }
    })
  }

  private checkStart(partition: PartitionAct, start: number, end: number): void {
    const [least, most] = partition.startAfter(this.moment.calls)
    // A log that was never synced may be gone as a whole, and another one stand in its place; as in Kafka.
    const isNew = this.moment.powerLost && partition.topic.kind === 'lazy' && end === 0
    if (start < least && !isNew)
      throw new Violation(`${partition.name} begins at ${start}: what was deleted below ${least} is back`)
    if (start > most)
      throw new Violation(`${partition.name} begins at ${start}: nobody deleted beyond ${most}`)
  }

  /** Every record from the starts to the ends, by partition. */
  private read(partitions: readonly PartitionAct[], starts: readonly number[], ends: readonly number[]) {
    const values: (string | null)[][] = partitions.map(() => [])
    const position = (index: number) => (starts[index] ?? 0) + (values[index]?.length ?? 0)
    for (;;) {
      const open = [...partitions.entries()].filter(([index]) => position(index) < (ends[index] ?? 0))
      if (open.length === 0) return values
      const topics = open.map(([index, partition]) => ({
        topic: partition.topic.name,
        partitions: [
          { partition: partition.index, fetchOffset: position(index), partitionMaxBytes: 1 << 20 },
        ],
      }))
      const { errorCode, responses } = this.caller.call(fetch, 12, {
        maxWaitMs: 0,
        minBytes: 1,
        topics,
        forgottenTopicsData: [],
      })
      expectNone('Fetch', errorCode)
      const before = open.reduce((sum, [index]) => sum + position(index), 0)
      for (const [index, partition] of open) {
        const told = responses
          .filter(({ topic }) => topic === partition.topic.name)
          .flatMap((topic) => topic.partitions)
          .find(({ partitionIndex }) => partitionIndex === partition.index)
        expectNone(`Fetch of ${partition.name} at ${position(index)}`, told?.errorCode)
        for (const { offset, value } of readRecords(told?.records ?? Buffer.alloc(0))) {
          if (offset < position(index)) continue
          if (offset !== position(index))
            throw new Violation(`${partition.name} goes on at ${offset}, not at ${position(index)}`)
          values[index]?.push(value)
        }
      }
      // A partition whose bytes are still being checked lets others go first.
      if (open.reduce((sum, [index]) => sum + position(index), 0) === before) {
        const names = open.map(([index, { name }]) => `${name} ends at ${ends[index]}`).join(', ')
        throw new Violation(`${names}, but nothing is read of it`)
      }
    }
  }

  /** The batches that the values are of, with their base offsets; all that had to be there are. */
  private checkRecords(
    partition: PartitionAct,
    start: number,
    values: readonly (string | null)[],
  ): BatchAct[] {
    const { calls } = this.moment
    const sent = new Map<string, { batch: BatchAct; at: number }>()
    for (const batch of partition.batches)
      for (const [at, value] of batch.values.entries()) sent.set(value, { batch, at })
    const bases = new Map<BatchAct, number>()
    for (const [index, value] of values.entries()) {
      const offset = start + index
      const where = `${partition.name}@${offset}`
      const known = value === null ? undefined : sent.get(value)
      if (known === undefined) throw new Violation(`${where}: nobody sent ${short(value)}`)
      const { batch, at } = known
      if (batch.sent >= calls) throw new Violation(`${where}: ${short(value)} was not sent yet`)
      const base = offset - at
      const expected = batch.acked <= calls ? batch.baseOffset : (bases.get(batch) ?? base)
      if (base !== expected)
        throw new Violation(`${where}: ${short(value)} belongs to offset ${expected + at}`)
      if (!bases.has(batch) && at > 0 && index > 0) throw new Violation(`${where}: half a batch`)
      bases.set(batch, base)
    }
    const end = start + values.length
    const last = [...bases].at(-1)
    if (last !== undefined && last[1] + last[0].values.length !== end)
      throw new Violation(`${partition.name} ends at ${end}, within a batch`)
    for (const batch of partition.batches) this.checkKept(partition, batch, start, bases)
    return [...bases].map(([batch, baseOffset]) => ({ ...batch, ...ALWAYS, baseOffset }))
  }

  private checkKept(
    partition: PartitionAct,
    batch: BatchAct,
    start: number,
    found: ReadonlyMap<BatchAct, number>,
  ): void {
    const { calls, powerLost } = this.moment
    const { kind } = partition.topic
    if (batch.acked > calls || found.has(batch)) return
    if (powerLost && kind === 'lazy') return
    const what = `${partition.name}: ${short(batch.values[0] ?? '')} was acked at ${batch.baseOffset}`
    if (batch.baseOffset + batch.values.length > start) throw new Violation(`${what} and is lost`)
    const age = this.caller.machine.wallMs - batch.timestamp
    const [, most] = partition.startAfter(calls)
    if (
      kind === 'retained' &&
      age < RETENTION_MS &&
      batch.baseOffset + batch.values.length > this.cutTo(partition)
    )
      throw new Violation(`${what}, ${age} ms ago, and retention took it (${start}, ${most})`)
  }

  /** As far as DeleteRecords may have gone. */
  private cutTo(partition: PartitionAct): number {
    const offsets = partition.cuts.filter(({ sent }) => sent < this.moment.calls).map(({ offset }) => offset)
    return Math.max(0, ...offsets)
  }

  private candidates<T extends { sent: number; acked: number }>(acts: readonly T[]): readonly T[] {
    const { calls } = this.moment
    const last = acts.findLastIndex(({ acked }) => acked <= calls)
    return acts.slice(Math.max(0, last)).filter(({ sent }) => sent < calls)
  }

  private checkConfigs(topics: readonly TopicAct[]): void {
    const resources = topics.map(({ name }) => ({
      resourceType: TOPIC_RESOURCE,
      resourceName: name,
      configurationKeys: [CONFIG],
    }))
    const { results } = this.caller.call(describeConfigs, 4, { resources })
    for (const topic of topics) {
      const told = results.find(({ resourceName }) => resourceName === topic.name)
      expectNone(`DescribeConfigs of ${topic.name}`, told?.errorCode)
      const value = told?.configs[0]?.value ?? ''
      const acts = this.candidates(topic.configs)
      const isSet = acts.some((act) => act.value === value)
      const mustBeSet = acts.some(({ acked }) => acked <= this.moment.calls)
      const wasSet = topic.configs.some((act) => act.value === value)
      if (!isSet && (mustBeSet || wasSet))
        throw new Violation(
          `${CONFIG} of ${topic.name} is ${value}, not one of ${acts.map((act) => act.value)}`,
        )
      this.configs.set(topic.name, value)
    }
  }

  private checkCommits(partitions: readonly PartitionAct[]): void {
    const committed = partitions.filter(({ commits }) => commits.length > 0)
    if (committed.length === 0) return
    const topics = committed.map(({ topic, index }) => ({ name: topic.name, partitionIndexes: [index] }))
    let told: { name: string; partitions: { partitionIndex: number; committedOffset: number }[] }[] = []
    untilLoaded(this.caller, () => {
      const { groups } = this.caller.call(offsetFetch, 8, { groups: [{ groupId: GROUP, topics }] })
      told = groups[0]?.topics ?? []
      return { what: 'OffsetFetch', errorCode: groups[0]?.errorCode ?? -1 }
    })
    for (const partition of committed) {
      const offset =
        told
          .filter(({ name }) => name === partition.topic.name)
          .flatMap((topic) => topic.partitions)
          .find(({ partitionIndex }) => partitionIndex === partition.index)?.committedOffset ?? -1
      const acts = this.candidates(partition.commits)
      const may = acts.map((act) => act.offset)
      if (!acts.some(({ acked }) => acked <= this.moment.calls)) may.push(-1)
      if (!may.includes(offset))
        throw new Violation(`the committed offset of ${partition.name} is ${offset}, not one of ${may}`)
      const again = this.found.topics.find(({ name }) => name === partition.topic.name)
      if (offset >= 0) again?.partitions[partition.index]?.commits.push({ ...ALWAYS, offset })
    }
  }
}

/** Goes on working with what was found, and enters it into the account: as users do who noticed nothing. */
export function workOn(caller: Caller, account: Account, mark: string): void {
  const partitions = account.topics.flatMap((topic) => topic.partitions)
  resend(caller, partitions)
  const ends = offsetsOf(caller, partitions, LATEST)
  const batches = partitions.map((partition) => ({ partition, batch: nextBatch(caller, partition, mark) }))
  append(caller, batches, (index, baseOffset) => {
    const one = batches[index]
    if (one === undefined) return
    if (baseOffset !== ends[index])
      throw new Violation(`${one.partition.name} ended at ${ends[index]}, a new record is at ${baseOffset}`)
    one.partition.batches.push({ ...one.batch, baseOffset })
  })
  caller.settle()
  const producerId = newProducerId(caller)
  if (account.producerIds.some(({ id }) => id === producerId))
    throw new Violation(`producer id ${producerId} was given twice`)
  account.producerIds.push({ acked: -1, id: producerId })
  const [home] = account.topics
  const partition = home?.partitions[0]
  if (home === undefined || partition === undefined) return
  const offset = 1_000_000 + caller.machine.starts
  commit(caller, partition, offset)
  partition.commits.push({ ...ALWAYS, offset })
  setConfig(caller, home.name, '777777')
  home.configs.push({ ...ALWAYS, value: '777777' })
  partition.cuts.push({ ...ALWAYS, offset: cut(caller, partition, -1) })
  const fresh = new TopicAct(`${mark}-topic`, 'durable', 1, -1)
  fresh.id = createTopic(caller, fresh)
  fresh.created = ALWAYS
  account.topics.push(fresh)
  const old = account.topics.find((topic) => topic !== home && topic !== fresh)
  if (old === undefined) return
  deleteTopic(caller, old.name)
  old.deleted = ALWAYS
}

/** The last batch of every idempotent producer once more: it is known, and stays where it is. */
function resend(caller: Caller, partitions: readonly PartitionAct[]): void {
  const again = partitions.flatMap((partition) => {
    const batch = partition.batches.findLast(({ stamp }) => stamp !== null)
    return batch === undefined ? [] : [{ partition, batch }]
  })
  if (again.length === 0) return
  append(caller, again, (index, baseOffset) => {
    const one = again[index]
    if (one === undefined || one.batch.baseOffset === baseOffset) return
    throw new Violation(
      `${one.partition.name}: a batch that stands at ${one.batch.baseOffset} was sent again and is at ${baseOffset} as well`,
    )
  })
  caller.settle()
}

/** It follows the last one of an idempotent producer, where there was one. */
function nextBatch(caller: Caller, { name, batches }: PartitionAct, mark: string): BatchAct {
  const last = batches.findLast(({ stamp }) => stamp !== null)
  const stamp =
    last?.stamp == null
      ? null
      : {
          producerId: last.stamp.producerId,
          baseSequence: last.stamp.baseSequence + last.values.length,
        }
  return {
    ...ALWAYS,
    values: [`${name}/${mark}`],
    timestamp: caller.machine.wallMs,
    stamp,
    baseOffset: -1,
  }
}

const short = (value: string | null) => value?.replace(/x+$/, '') ?? 'null'

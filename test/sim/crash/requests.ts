// The requests of the script and of whoever looks at what a crash left, each a call with the answer checked for errors.
import {
  createTopics,
  deleteRecords,
  deleteTopics,
  Errors,
  findCoordinator,
  incrementalAlterConfigs,
  initProducerId,
  listOffsets,
  offsetCommit,
  produce,
} from '../../../ts/protocol/index.js'
import { recordBatch } from '../../record-batch.js'
import { Violation } from '../history.js'
import type { BatchAct, PartitionAct, TopicAct, TopicKind } from './account.js'
import { RETENTION_MS } from './account.js'
import type { Caller } from './caller.js'

export const GROUP = 'readers'
export const TOPIC_RESOURCE = 2
export const CONFIG = 'max.message.bytes'
export const EARLIEST = -2
export const LATEST = -1

const QUICK_ROLLS = { 'segment.ms': '300', 'file.delete.delay.ms': '200' }
/** Topics sync every append, by the broker's default. */
const CONFIGS: Readonly<Record<TopicKind, Readonly<Record<string, string>>>> = {
  durable: QUICK_ROLLS,
  lazy: { ...QUICK_ROLLS, 'flush.messages': '1000000' },
  retained: { ...QUICK_ROLLS, 'retention.ms': String(RETENTION_MS) },
}

export function expectNone(what: string, errorCode: number | undefined): void {
  if (errorCode !== Errors.NONE) throw new Violation(`${what} was answered with error ${errorCode}`)
}

/** The new topic's id. */
export function createTopic(caller: Caller, topic: Pick<TopicAct, 'name' | 'kind' | 'partitions'>): string {
  const configs = Object.entries(CONFIGS[topic.kind]).map(([name, value]) => ({ name, value }))
  const { name, partitions } = topic
  const { topics } = caller.call(createTopics, 7, {
    topics: [{ name, numPartitions: partitions.length, replicationFactor: 1, assignments: [], configs }],
    timeoutMs: 30_000,
  })
  expectNone(`CreateTopics of ${name}`, topics[0]?.errorCode)
  return topics[0]?.topicId ?? ''
}

export function deleteTopic(caller: Caller, name: string): void {
  const { responses } = caller.call(deleteTopics, 5, { topicNames: [name], timeoutMs: 30_000 })
  expectNone(`DeleteTopics of ${name}`, responses[0]?.errorCode)
}

/** The low watermark. −1 means the high watermark. */
export function cut(caller: Caller, { topic, index, name }: PartitionAct, offset: number): number {
  const topics = [{ name: topic.name, partitions: [{ partitionIndex: index, offset: BigInt(offset) }] }]
  const answer = caller.call(deleteRecords, 2, { topics, timeoutMs: 30_000 }).topics[0]?.partitions[0]
  expectNone(`DeleteRecords of ${name} to ${offset}`, answer?.errorCode)
  return answer?.lowWatermark ?? -1
}

export function setConfig(caller: Caller, topic: string, value: string): void {
  const configs = [{ name: CONFIG, configOperation: 0, value }]
  const resources = [{ resourceType: TOPIC_RESOURCE, resourceName: topic, configs }]
  const { responses } = caller.call(incrementalAlterConfigs, 1, { resources, validateOnly: false })
  expectNone(`IncrementalAlterConfigs of ${topic}`, responses[0]?.errorCode)
}

export function newProducerId(caller: Caller): number {
  const request = { transactionalId: null, transactionTimeoutMs: 60_000 }
  const { errorCode, producerId } = caller.call(initProducerId, 4, request)
  expectNone('InitProducerId', errorCode)
  return producerId
}

export function bytesOf({ values, timestamp, stamp }: BatchAct): Buffer {
  const records = values.map((value) => ({ value, timestamp }))
  return recordBatch(records, stamp === null ? {} : { ...stamp, producerEpoch: 0 })
}

/** One batch for each of some partitions, in one request; `onOffset` gets each base offset. */
export function append(
  caller: Caller,
  batches: readonly { readonly partition: PartitionAct; readonly batch: BatchAct }[],
  onOffset: (index: number, baseOffset: number) => void,
): void {
  const topicData = batches.map(({ partition, batch }) => ({
    name: partition.topic.name,
    partitionData: [{ index: partition.index, records: bytesOf(batch) }],
  }))
  caller.send(produce, 9, { acks: -1, timeoutMs: 30_000, topicData }, ({ responses }) => {
    for (const [index, { partition }] of batches.entries()) {
      const answer = responses
        .filter(({ name }) => name === partition.topic.name)
        .flatMap(({ partitionResponses }) => partitionResponses)
        .find((told) => told.index === partition.index)
      expectNone(`Produce to ${partition.name}`, answer?.errorCode)
      onOffset(index, answer?.baseOffset ?? -1)
    }
  })
}

export function commit(caller: Caller, { topic, index, name }: PartitionAct, offset: number): void {
  const partitions = [{ partitionIndex: index, committedOffset: offset, committedMetadata: null }]
  const request = { groupId: GROUP, memberId: '', topics: [{ name: topic.name, partitions }] }
  untilLoaded(caller, () => {
    const answer = caller.call(offsetCommit, 8, request).topics[0]?.partitions[0]
    return { what: `OffsetCommit of ${name}`, errorCode: answer?.errorCode ?? -1 }
  })
}

const LOADING: readonly number[] = [
  Errors.COORDINATOR_LOAD_IN_PROGRESS,
  Errors.NOT_COORDINATOR,
  Errors.COORDINATOR_NOT_AVAILABLE,
]

/** Asks again while the coordinator's topic is being made, or it reads its log. */
export function untilLoaded(caller: Caller, ask: () => { what: string; errorCode: number }): void {
  for (let attempt = 0; ; attempt++) {
    const { what, errorCode } = ask()
    if (LOADING.includes(errorCode) && attempt < 50) {
      caller.call(findCoordinator, 2, { key: GROUP, keyType: 0 })
      caller.pass(20)
      continue
    }
    expectNone(what, errorCode)
    return
  }
}

/** An offset of each partition, in their order. */
export function offsetsOf(caller: Caller, partitions: readonly PartitionAct[], timestamp: number): number[] {
  if (partitions.length === 0) return []
  const topics = partitions.map(({ topic, index }) => ({
    name: topic.name,
    partitions: [{ partitionIndex: index, timestamp }],
  }))
  const answer = caller.call(listOffsets, 7, { replicaId: -1, topics })
  return partitions.map(({ topic, index, name }) => {
    const told = answer.topics
      .filter((one) => one.name === topic.name)
      .flatMap((one) => one.partitions)
      .find(({ partitionIndex }) => partitionIndex === index)
    expectNone(`ListOffsets of ${name}`, told?.errorCode)
    return told?.offset ?? -1
  })
}

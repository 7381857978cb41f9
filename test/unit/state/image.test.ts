// The metadata image: what a delta tells, that versions do not disturb each other, and what clients are shown of it.
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import { emptyImage, partitionsSorted, topicByName, topicsSorted } from '../../../ts/state/image.js'
import { applyRecords } from '../../../ts/state/image-delta.js'
import { aliveBrokers, partitionView } from '../../../ts/state/image-view.js'
import { metadataRecord } from '../../../ts/state/metadata-records.js'
import { partitionRecord } from '../../../ts/state/topics.js'
import { broker, TestController, topic, uuid } from './metadata-fixture.js'

const topicRecord = (name: string, id: number) => metadataRecord('TopicRecord', { name, topicId: uuid(id) })
const remove = (id: number) => metadataRecord('RemoveTopicRecord', { topicId: uuid(id) })
const config = (resourceName: string, name: string, value: string | null) =>
  metadataRecord('ConfigRecord', { resourceType: 2, resourceName, name, value })

const controllerWith = (...names: string[]) => {
  const controller = new TestController().withBrokers(broker(1))
  controller.create(names.map((name) => topic(name)))
  return controller
}

describe('a delta', () => {
  it('tells created topics, changed partitions, configs, brokers and features apart', () => {
    const { log } = controllerWith('a', 'b')
    const { image, delta } = applyRecords(emptyImage(), 41, 3, log)
    expect(image).toMatchObject({ offset: 41, epoch: 3 })
    expect(
      [...delta.topics.values()].map(({ topic, created, partitions }) => [
        topic.name,
        created,
        partitions.size,
      ]),
    ).toEqual([
      ['a', true, 2],
      ['b', true, 2],
    ])
    expect([...delta.brokers]).toEqual([1])
    const change = metadataRecord('PartitionChangeRecord', {
      partitionId: 1,
      topicId: uuid(2),
      isr: null,
      leader: -1,
      replicas: null,
      removingReplicas: null,
      addingReplicas: null,
      leaderRecoveryState: -1,
      directories: null,
      eligibleLeaderReplicas: null,
      lastKnownElr: null,
    })
    const next = applyRecords(image, 43, 3, [change, config('a', 'k', 'v')])
    const told = [...next.delta.topics.values()].map((one) => [
      one.topic.name,
      one.created,
      [...one.partitions],
      one.configsChanged,
    ])
    expect(told).toEqual([
      ['b', false, [1], false],
      ['a', false, [], true],
    ])
    expect(next.delta.configs).toEqual([{ resourceType: 2, resourceName: 'a' }])
    expect(topicByName(next.image, 'b')?.partitions.get(1)).toMatchObject({
      leader: -1,
      leaderEpoch: 1,
      partitionEpoch: 1,
    })
    expect(topicByName(image, 'b')?.partitions.get(1)).toMatchObject({
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
    })
  })

  it('does not mention a topic that came and went within it, and tells a replaced one twice', () => {
    const first = applyRecords(emptyImage(), 0, 0, [topicRecord('t', 1)]).image
    const { delta } = applyRecords(first, 9, 0, [
      topicRecord('brief', 2),
      remove(2),
      remove(1),
      topicRecord('t', 3),
      partitionRecord(first, uuid(3), 0, [1]),
    ])
    expect(delta.removedTopics).toEqual([{ name: 't', topicId: uuid(1) }])
    expect([...delta.topics.keys()]).toEqual([uuid(3)])
    expect(delta.topics.get(uuid(3))?.created).toBe(true)
  })

  it('removes a config with a null value', () => {
    const start = applyRecords(emptyImage(), 1, 0, [topicRecord('t', 1), config('t', 'k', 'v')]).image
    const { image } = applyRecords(start, 2, 0, [config('t', 'k', null)])
    expect(start.configs.size).toBe(1)
    expect(image.configs.size).toBe(0)
  })

  it('refuses records about a topic that is not there', () => {
    expect(() => applyRecords(emptyImage(), 0, 0, [remove(1)])).toThrow('does not exist')
  })
})

describe('a large image', () => {
  it('shares what a change does not touch', () => {
    const records = Array.from({ length: 10_000 }, (_, index) => topicRecord(`t${index}`, index + 1))
    const before = applyRecords(emptyImage(), 9_999, 0, records).image
    const after = applyRecords(before, 10_000, 0, [partitionRecord(before, uuid(7), 0, [1])]).image
    const untouched = topicsSorted(before).filter((one) => after.topicsById.get(one.topicId) === one)
    expect(untouched).toHaveLength(9_999)
    expect(topicByName(before, 't6')?.partitions.size).toBe(0)
    expect(topicByName(after, 't6')?.partitions.size).toBe(1)
  })

  it('keeps the partitions of a wide topic in order', () => {
    const controller = new TestController().withBrokers(broker(1))
    controller.create([topic('wide', { numPartitions: 1_000 })])
    const wide = topicByName(controller.image, 'wide')
    const indexes = wide === undefined ? [] : partitionsSorted(wide).map(({ partition }) => partition)
    expect(indexes).toEqual(Array.from({ length: 1_000 }, (_, index) => index))
  })
})

describe('what a client is shown', () => {
  it('are live brokers with its listener, and leaders that it can reach', () => {
    const inside = { name: 'INSIDE', host: 'in', port: 1, securityProtocol: 0 }
    const controller = new TestController().withBrokers(
      broker(2),
      broker(1, { endPoints: [inside] }),
      broker(3, { fenced: true }),
    )
    const assignments = [
      { partitionIndex: 0, brokerIds: [2, 3] },
      { partitionIndex: 1, brokerIds: [1, 2] },
    ]
    controller.create([topic('t', { assignments })])
    const { image } = controller
    expect(aliveBrokers(image, 'PLAINTEXT')).toEqual([
      { brokerId: 2, host: 'host-2', port: 9092, rack: null },
    ])
    const view = (index: number, version = 12) => {
      const partition = topicByName(image, 't')?.partitions.get(index)
      if (partition === undefined) throw new Error('no such partition')
      return partitionView(image, partition, 'PLAINTEXT', version)
    }
    expect(view(0)).toMatchObject({
      errorCode: 0,
      leaderId: 2,
      leaderEpoch: 0,
      isrNodes: [2],
      offlineReplicas: [3],
    })
    expect(view(1)).toMatchObject({ errorCode: Errors.LISTENER_NOT_FOUND, leaderId: -1 })
    expect(view(1, 5)).toMatchObject({ errorCode: Errors.LEADER_NOT_AVAILABLE, leaderId: -1 })
  })
})

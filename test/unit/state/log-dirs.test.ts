// What the controller does when a broker says that it lost a log directory, and when it comes back with it.
import { beforeEach, describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import { partitionsSorted, topicByName } from '../../../ts/state/image.js'
import { partitionView } from '../../../ts/state/image-view.js'
import { broker, TestController, topic, uuid } from './metadata-fixture.js'

const [FIRST, SECOND] = [uuid(0xd1), uuid(0xd2)]
const UNPLACED = uuid(0)
const logDirs = [FIRST, SECOND]

let controller: TestController
beforeEach(() => {
  controller = new TestController().withBrokers(broker(1, { logDirs }), broker(2))
})

const created = (assignments: readonly (readonly number[])[]) => {
  controller.create([
    topic('t', {
      numPartitions: -1,
      replicationFactor: -1,
      assignments: assignments.map((brokerIds, partitionIndex) => ({
        partitionIndex,
        brokerIds: [...brokerIds],
      })),
    }),
  ])
  return topicByName(controller.image, 't')?.topicId ?? ''
}
const lose = (partitions: readonly (readonly [topicId: string, partition: number])[], epoch?: number) =>
  controller.ask({
    kind: 'log-dirs-offline',
    body: {
      brokerId: 1,
      brokerEpoch: epoch ?? controller.image.brokers.get(1)?.epoch ?? -1,
      offline: [SECOND],
      placed: partitions.map(([topicId, partition]) => ({ topicId, partition, directoryId: SECOND })),
    },
  }).records
const partitions = () => {
  const found = topicByName(controller.image, 't')
  return found === undefined ? [] : partitionsSorted(found)
}
const shown = () =>
  partitions().map((partition) => partitionView(controller.image, partition, 'PLAINTEXT', 12))

describe('a log directory that is offline', () => {
  it('leaves what the broker led there alone without a leader, and nothing else', () => {
    const topicId = created([[1], [1]])
    lose([[topicId, 1]])
    expect(partitions()).toMatchObject([
      { leader: 1, leaderEpoch: 0, isr: [1], directories: [UNPLACED] },
      { leader: -1, leaderEpoch: 1, isr: [1], directories: [SECOND] },
    ])
    expect(shown()).toMatchObject([
      { errorCode: Errors.NONE, leaderId: 1, offlineReplicas: [] },
      { errorCode: Errors.LEADER_NOT_AVAILABLE, leaderId: -1, offlineReplicas: [1] },
    ])
    expect(controller.image.brokers.get(1)).toMatchObject({ logDirs: [FIRST], fenced: false })
  })

  it('has another in-sync replica lead, and takes a follower out of the ISR', () => {
    const topicId = created([
      [1, 2],
      [2, 1],
    ])
    lose([
      [topicId, 0],
      [topicId, 1],
    ])
    expect(partitions()).toMatchObject([
      { leader: 2, leaderEpoch: 1, isr: [2] },
      { leader: 2, leaderEpoch: 0, isr: [2] },
    ])
    expect(shown()).toMatchObject([{ offlineReplicas: [1] }, { offlineReplicas: [1] }])
  })

  it('takes along what the metadata says is there, named or not', () => {
    const topicId = created([[1], [1]])
    lose([[topicId, 0]])
    controller.withBrokers(broker(1, { logDirs, incarnationId: uuid(7) }))
    expect(partitions()).toMatchObject([{ leader: 1 }, { leader: 1 }])
    lose([])
    expect(partitions()).toMatchObject([{ leader: -1 }, { leader: 1 }])
  })

  it('is told once: said again, by an incarnation that is gone or of a topic that is gone, it changes nothing', () => {
    const topicId = created([[1], [1]])
    expect(lose([[topicId, 0]], 999)).toEqual([])
    expect(lose([[topicId, 0]]).length).toBe(2)
    expect(lose([[topicId, 0]])).toEqual([])
    expect(lose([[uuid(77), 0]])).toEqual([])
  })

  it('cannot be led from by any election', () => {
    const topicId = created([[1]])
    lose([[topicId, 0]])
    for (const electionType of [0, 1]) {
      const body = { electionType, topicPartitions: [{ topic: 't', partitions: [0] }], timeoutMs: 0 }
      expect(controller.ask({ kind: 'elect-leaders', to: 1, body }).records).toEqual([])
    }
  })

  it('takes no new replica', () => {
    lose([])
    created([[1]])
    expect(partitions()).toMatchObject([{ leader: 1, directories: [FIRST] }])
  })

  it('is led from again once the broker has registered with it, and not before', () => {
    const topicId = created([[1]])
    lose([[topicId, 0]])
    controller.withBrokers(broker(1, { logDirs: [FIRST], incarnationId: uuid(8) }))
    expect(partitions()).toMatchObject([{ leader: -1 }])
    controller.withBrokers(broker(1, { logDirs, incarnationId: uuid(9) }))
    expect(partitions()).toMatchObject([{ leader: 1, isr: [1] }])
    expect(shown()).toMatchObject([{ errorCode: Errors.NONE, offlineReplicas: [] }])
  })

  it('is left by what was moved out of it: that is led from where it is now', () => {
    const topicId = created([[1], [1]])
    lose([
      [topicId, 0],
      [topicId, 1],
    ])
    controller.withBrokers(broker(1, { logDirs: [FIRST], incarnationId: uuid(8) }))
    expect(partitions()).toMatchObject([{ leader: -1 }, { leader: -1 }])
    const brokerEpoch = controller.image.brokers.get(1)?.epoch ?? -1
    const placed = [{ topicId, partition: 0, directoryId: FIRST }]
    const body = { brokerId: 1, brokerEpoch, offline: [], placed }
    expect(controller.ask({ kind: 'log-dirs-offline', body }).records.length).toBe(1)
    expect(controller.ask({ kind: 'log-dirs-offline', body }).records).toEqual([])
    expect(partitions()).toMatchObject([{ leader: 1, directories: [FIRST] }, { leader: -1 }])
  })
})

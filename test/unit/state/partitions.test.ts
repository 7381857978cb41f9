// Dialogues with the metadata controller about partitions: more of them, other leaders, other orders of replicas.
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import { partitionsSorted, topicByName } from '../../../ts/state/image.js'
import type { CreatePartitionsResponse } from '../../../ts/state/partitions.js'
import type { ElectLeadersResponse, ReassignResponse } from '../../../ts/state/reassignments.js'
import { broker, TestController, topic, uuid } from './metadata-fixture.js'

const replicasOf = (controller: TestController, name: string) => {
  const found = topicByName(controller.image, name)
  return found === undefined ? [] : partitionsSorted(found).map(({ replicas }) => replicas)
}

/** A controller with brokers 1 and 2 and a topic `t` of two partitions. */
function cluster(): TestController {
  const controller = new TestController().withBrokers(broker(1), broker(2))
  const assignments = [
    { partitionIndex: 0, brokerIds: [1, 2] },
    { partitionIndex: 1, brokerIds: [2, 1] },
  ]
  controller.create([topic('t', { assignments })])
  return controller
}

describe('CreatePartitions', () => {
  type Grown = { name?: string; count: number; assignments?: number[][] }
  const grow = (controller: TestController, topics: Grown[], validateOnly = false) => {
    const body = {
      topics: topics.map(({ name = 't', count, assignments }) => ({
        name,
        count,
        assignments: assignments?.map((brokerIds) => ({ brokerIds })) ?? null,
      })),
      timeoutMs: 1_000,
      validateOnly,
    }
    const { reply } = controller.ask({ kind: 'create-partitions', to: 1, body })
    const { results } = reply as CreatePartitionsResponse
    return results.map(({ errorCode, errorMessage }) => [errorCode, errorMessage])
  }
  const FINE = [Errors.NONE, null]

  it('adds partitions with as many replicas as the topic has, and leaves the others alone', () => {
    const controller = cluster()
    expect(grow(controller, [{ count: 4 }])).toEqual([FINE])
    const replicas = replicasOf(controller, 't')
    expect(replicas.slice(0, 2)).toEqual([
      [1, 2],
      [2, 1],
    ])
    expect(replicas.slice(2).map((ids) => [...ids].sort())).toEqual([
      [1, 2],
      [1, 2],
    ])
    // They go on around the ring.
    expect(replicas[2]?.[0]).not.toBe(replicas[3]?.[0])
  })

  it('places them as it is told', () => {
    const controller = cluster()
    expect(grow(controller, [{ count: 3, assignments: [[2, 1]] }])).toEqual([FINE])
    expect(topicByName(controller.image, 't')?.partitions.get(2)).toMatchObject({
      replicas: [2, 1],
      isr: [2, 1],
      leader: 2,
      leaderEpoch: 0,
    })
  })

  it('only looks when it validates', () => {
    const controller = cluster()
    expect(grow(controller, [{ count: 9 }], true)).toEqual([FINE])
    expect(replicasOf(controller, 't')).toHaveLength(2)
  })

  const prefix = 'The manual partition assignment includes'
  it.each([
    [{ count: 2 }, Errors.INVALID_PARTITIONS, 'Topic already has 2 partition(s).'],
    [
      { count: 1 },
      Errors.INVALID_PARTITIONS,
      'The topic t currently has 2 partition(s); 1 would not be an increase.',
    ],
    [
      { name: 'nope', count: 1 },
      Errors.UNKNOWN_TOPIC_OR_PARTITION,
      'This server does not host this topic-partition.',
    ],
    [
      { count: 4, assignments: [[1, 2]] },
      Errors.INVALID_REPLICA_ASSIGNMENT,
      'Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.',
    ],
    [
      { count: 3, assignments: [[1, 7]] },
      Errors.INVALID_REPLICA_ASSIGNMENT,
      `${prefix} broker 7, but no such broker is registered.`,
    ],
    [
      { count: 3, assignments: [[1, 1]] },
      Errors.INVALID_REPLICA_ASSIGNMENT,
      `${prefix} the broker 1 more than once.`,
    ],
    [
      { count: 3, assignments: [[1]] },
      Errors.INVALID_REPLICA_ASSIGNMENT,
      `${prefix} a partition with 1 replica(s), but this is not consistent with previous partitions, which have 2 replica(s).`,
    ],
    [
      { count: 2_000_000_000 },
      Errors.POLICY_VIOLATION,
      'Excessively large number of partitions per request.',
    ],
  ] as [Grown, number, string][])('refuses %j', (grown, code, message) => {
    const controller = cluster()
    expect(grow(controller, [grown])).toEqual([[code, message]])
    expect(replicasOf(controller, 't')).toHaveLength(2)
  })

  it('refuses a topic that stands in the request twice, and grows the others', () => {
    const controller = cluster()
    controller.create([topic('u')])
    const answers = grow(controller, [{ count: 3 }, { name: 'u', count: 3 }, { count: 4 }])
    expect(answers).toEqual([FINE, [Errors.INVALID_REQUEST, 'Duplicate topic name.']])
    expect([replicasOf(controller, 't').length, replicasOf(controller, 'u').length]).toEqual([2, 3])
  })
})

describe('ElectLeaders', () => {
  const elect = (controller: TestController, partitions: [string, number][] | null, electionType = 0) => {
    const topicPartitions = partitions?.map(([name, index]) => ({ topic: name, partitions: [index] })) ?? null
    const body = { electionType, topicPartitions, timeoutMs: 1_000 }
    const { reply } = controller.ask({ kind: 'elect-leaders', to: 1, body })
    const { errorCode, replicaElectionResults } = reply as ElectLeadersResponse
    return {
      errorCode,
      results: replicaElectionResults.flatMap(({ topic: name, partitionResult }) =>
        partitionResult.map((one) => [name, one.partitionId, one.errorCode]),
      ),
    }
  }

  it('says where no election is needed, and is silent about it when all partitions are asked for', () => {
    expect(elect(cluster(), [['t', 0]]).results).toEqual([['t', 0, Errors.ELECTION_NOT_NEEDED]])
    expect(elect(cluster(), null).results).toEqual([])
  })

  it('knows no other topics and partitions', () => {
    expect(
      elect(cluster(), [
        ['x', 0],
        ['t', 9],
      ]).results,
    ).toEqual([
      ['x', 0, Errors.UNKNOWN_TOPIC_OR_PARTITION],
      ['t', 9, Errors.UNKNOWN_TOPIC_OR_PARTITION],
    ])
    expect(elect(cluster(), [['t', 0]], 7).errorCode).toBe(Errors.INVALID_REQUEST)
  })

  it('gives the lead to the preferred replica where that is in sync, in a new epoch', () => {
    const controller = cluster()
    reassign(controller, [2, 1])
    expect(elect(controller, null).results).toEqual([['t', 0, Errors.NONE]])
    expect(topicByName(controller.image, 't')?.partitions.get(0)).toMatchObject({ leader: 2, leaderEpoch: 1 })
    // After a restart broker 1 is out of the ISR.
    controller.withBrokers(broker(1, { incarnationId: uuid(9) }))
    reassign(controller, [1, 2])
    expect(elect(controller, [['t', 0]]).results).toEqual([['t', 0, Errors.PREFERRED_LEADER_NOT_AVAILABLE]])
  })
})

function reassign(controller: TestController, replicas: number[] | null, name = 't', partitionIndex = 0) {
  const body = {
    timeoutMs: 1_000,
    allowReplicationFactorChange: true,
    topics: [{ name, partitions: [{ partitionIndex, replicas }] }],
  }
  const { reply } = controller.ask({ kind: 'reassign', to: 1, body })
  const [result] = (reply as ReassignResponse).responses[0]?.partitions ?? []
  return [result?.errorCode, result?.errorMessage]
}

describe('AlterPartitionReassignments', () => {
  it('puts replicas into another order, each with its directory', () => {
    const controller = cluster()
    expect(reassign(controller, [2, 1])).toEqual([Errors.NONE, null])
    expect(topicByName(controller.image, 't')?.partitions.get(0)).toMatchObject({
      replicas: [2, 1],
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 1,
    })
  })

  it.each([
    [null, 't', 0, Errors.NO_REASSIGNMENT_IN_PROGRESS, 'No partition reassignment is in progress.'],
    [[1], 'x', 0, Errors.UNKNOWN_TOPIC_OR_PARTITION, 'Unable to find a topic named x.'],
    [[1], 't', 9, Errors.UNKNOWN_TOPIC_OR_PARTITION, 'Unable to find partition t:9.'],
    [
      [],
      't',
      0,
      Errors.INVALID_REPLICA_ASSIGNMENT,
      'The manual partition assignment includes an empty replica list.',
    ],
    [
      [1, 9],
      't',
      0,
      Errors.INVALID_REPLICA_ASSIGNMENT,
      'The manual partition assignment includes broker 9, but no such broker is registered.',
    ],
    [
      [1],
      't',
      0,
      Errors.INVALID_REPLICA_ASSIGNMENT,
      'Replicas cannot be moved between brokers, only be put into another order.',
    ],
  ] as [number[] | null, string, number, number, string][])(
    'refuses %j for %s-%s',
    (replicas, name, index, code, message) => {
      expect(reassign(cluster(), replicas, name, index)).toEqual([code, message])
    },
  )
})

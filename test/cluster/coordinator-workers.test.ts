// Group coordinators on worker threads: a worker that dies takes nothing with it but the requests that it had in hand.
import { afterEach, expect, it } from 'vitest'
import { BrokerConfig } from '../../ts/config/broker-config.js'
import {
  describeGroups,
  findCoordinator,
  heartbeat,
  joinGroup,
  listGroups,
  offsetCommit,
  offsetFetch,
  syncGroup,
} from '../../ts/protocol/index.js'
import { RunningBroker } from '../../ts/runtime/broker.js'
import type { WorkerHandle } from '../../ts/runtime/worker-coordinators.js'
import { startWorker } from '../../ts/runtime/worker-thread.js'
import { dataFolder } from './broker-process.js'
import { RawClient } from './raw-client.js'

const silent = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }
const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A broker in this process whose workers can be ended as if they had died. */
async function start(threads: number) {
  const folder = dataFolder()
  const workers = new Map<number, WorkerHandle>()
  const settings = {
    'log.dirs': folder.path,
    listeners: 'PLAINTEXT://127.0.0.1:0',
    'coordinator.threads': String(threads),
    'offsets.topic.num.partitions': '8',
    'group.initial.rebalance.delay.ms': '0',
  }
  const config = new BrokerConfig(
    Object.entries(settings).map(([key, text]) => ({ key, text, origin: 'test' })),
  )
  const broker = await RunningBroker.start(config, { log: silent, onFault() {} }, (start, ...hooks) => {
    const handle = startWorker(start, ...hooks)
    workers.set(start.worker, handle)
    return handle
  })
  cleanups.push(
    () => folder.remove(),
    () => broker.close(),
  )
  const port = [...broker.addresses.values()][0]?.port ?? 0
  return { workers, connect: () => RawClient.open(port), broker }
}

type Started = Awaited<ReturnType<typeof start>>

/** Asks again, on a new connection where the old one was closed, until the answer is no passing one. */
async function persist<T>(
  { connect }: Started,
  ask: (client: RawClient) => Promise<T>,
  errorOf: (answer: T) => number,
): Promise<T> {
  for (;;) {
    const client = await connect()
    try {
      const answer = await ask(client)
      // COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR
      if (![14, 15, 16].includes(errorOf(answer))) return answer
    } catch {
      // Closed: its worker has died.
    } finally {
      client.close()
    }
  }
}

const commit = (started: Started, groupId: string, committedOffset: number) =>
  persist(
    started,
    (client) =>
      client.request(offsetCommit, 7, {
        groupId,
        topics: [
          { name: 'work', partitions: [{ partitionIndex: 0, committedOffset, committedMetadata: groupId }] },
        ],
      }),
    (answer) => answer.topics[0]?.partitions[0]?.errorCode ?? -1,
  )

const committed = async (started: Started, groupIds: readonly string[]) => {
  const groups = groupIds.map((groupId) => ({ groupId, topics: null }))
  const answer = await persist(
    started,
    (client) => client.request(offsetFetch, 8, { groups }),
    (one) => one.groups.map((group) => group.errorCode).find((code) => code !== 0) ?? 0,
  )
  return answer.groups.map((group) => group.topics[0]?.partitions[0]?.committedOffset)
}

async function withGroups(started: Started, count: number): Promise<string[]> {
  const client = await started.connect()
  await client.createTopic('work')
  client.close()
  const groups = Array.from({ length: count }, (_, n) => `group-${n}`)
  await persist(
    started,
    (one) => one.request(findCoordinator, 3, { key: 'group-0', keyType: 0 }),
    (answer) => answer.errorCode,
  )
  for (const [n, group] of groups.entries()) await commit(started, group, n)
  return groups
}

it('groups of every worker are found, listed and described together', async () => {
  const started = await start(3)
  const groups = await withGroups(started, 12)
  expect(started.workers.size).toBe(3)
  const client = await started.connect()
  const listed = await client.request(listGroups, 4, {})
  expect(listed.groups.map((group) => group.groupId).sort()).toEqual([...groups].sort())
  const described = await client.request(describeGroups, 4, { groups })
  expect(described.groups.map(({ groupId, groupState }) => [groupId, groupState])).toEqual(
    groups.map((group) => [group, 'Empty']),
  )
  expect(await committed(started, groups)).toEqual(groups.map((_, n) => n))
  client.close()
})

it('a worker that dies is replaced, and its groups are all there again', async () => {
  const started = await start(2)
  const groups = await withGroups(started, 8)
  const before = new Map(started.workers)
  for (const handle of before.values()) await handle.end()
  for (const [n, group] of groups.entries()) await commit(started, group, 100 + n)
  expect(await committed(started, groups)).toEqual(groups.map((_, n) => 100 + n))
  for (const [worker, handle] of before) expect(started.workers.get(worker)).not.toBe(handle)
})

it('who waits for a worker that dies is closed, and nobody else', async () => {
  const started = await start(1)
  await withGroups(started, 1)
  const join = (memberId: string) => ({
    groupId: 'group-0',
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 30_000,
    memberId,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.alloc(0) }],
  })
  const member = await started.connect()
  const joined = await member.request(joinGroup, 3, join(''))
  const assignments = [{ memberId: joined.memberId, assignment: Buffer.from('a') }]
  const { generationId, memberId } = joined
  await member.request(syncGroup, 2, { groupId: 'group-0', generationId, memberId, assignments })
  // A second member makes a rebalance that waits for the first one.
  const waiting = await started.connect()
  waiting.send(waiting.frame(joinGroup, 3, join('')))
  await persist(
    started,
    (client) => client.request(heartbeat, 3, { groupId: 'group-0', generationId, memberId }),
    // Until the rebalance has begun: REBALANCE_IN_PROGRESS.
    (answer) => (answer.errorCode === 27 ? 0 : 14),
  )
  await started.workers.get(0)?.end()
  expect(await waiting.closed()).toHaveLength(0)
  // The first member had nothing open: its connection goes on, and so does its membership.
  const answer = await persist(
    started,
    () => member.request(heartbeat, 3, { groupId: 'group-0', generationId, memberId }),
    (one) => one.errorCode,
  )
  expect(answer.errorCode).toBe(0)
})

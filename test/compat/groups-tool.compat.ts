// Kafka's own kafka-consumer-groups and kafka-get-offsets, driven as a person would, and what they print.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Consumer, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BrokerProcess, dataFolder } from '../cluster/broker-process.js'
import { succeeded, ToolRunner } from './tools.js'

const OLD = Date.UTC(2024, 0, 1)
const RECORDS = 10

const folder = dataFolder()
const scratch = mkdtempSync(join(tmpdir(), 'millrace-groups-'))
let broker: BrokerProcess
let runner: ToolRunner
let kafka: Kafka
let member: Consumer

/** The topic has two partitions; in each, five records are of the first seconds of 2024 and five of today. */
beforeAll(async () => {
  runner = ToolRunner.start()
  broker = await BrokerProcess.start({ folder: folder.path })
  kafka = new Kafka({ brokers: [broker.bootstrap], clientId: 'reader', logLevel: logLevel.ERROR })
  const admin = kafka.admin()
  await admin.connect()
  for (const topic of ['orders', 'left']) {
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true })
  }
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  const now = Date.now()
  for (const partition of [0, 1]) {
    const messages = Array.from({ length: RECORDS }, (_, i) => {
      return { partition, value: `v${i}`, timestamp: String(i < 5 ? OLD + i * 1_000 : now + i) }
    })
    await producer.send({ topic: 'orders', messages })
  }
  await producer.disconnect()
})

afterAll(async () => {
  await member?.disconnect()
  await runner?.stop()
  await broker?.kill()
  folder.remove()
  rmSync(scratch, { recursive: true, force: true })
})

async function groups(...args: string[]): Promise<string> {
  return succeeded(await runner.run('kafka-consumer-groups', broker.bootstrap, args))
}

/** The cells of every line of a printed table, without its heading. */
function rows(printed: string, heading: string): string[][] {
  const lines = printed.split('\n').map((line) => line.trim().split(/\s+/))
  const start = lines.findIndex(([first]) => first === heading)
  if (start < 0) throw new Error(`no table in:\n${printed}`)
  return lines.slice(start + 1).filter(([first]) => first !== '')
}

/** Moves group `readers` and gives the new offset of both partitions of `orders`. */
async function reset(...strategy: string[]): Promise<(string | undefined)[]> {
  const args = ['--group', 'readers', '--topic', 'orders', '--reset-offsets', ...strategy]
  const printed = rows(await groups(...args), 'GROUP')
  expect(printed.map(([group, topic, partition]) => [group, topic, partition])).toEqual([
    ['readers', 'orders', '0'],
    ['readers', 'orders', '1'],
  ])
  return printed.map(([, , , offset]) => offset)
}

/** `partition current end lag` of group `readers`. */
async function positions(): Promise<string[]> {
  const printed = rows(await groups('--describe', '--group', 'readers'), 'GROUP')
  expect(printed.map((cells) => cells.slice(6))).toEqual([
    ['-', '-', '-'],
    ['-', '-', '-'],
  ])
  return printed.map((cells) => cells.slice(1, 6).join(' '))
}

describe('kafka-consumer-groups --reset-offsets', () => {
  it('lists nothing before there is a group', async () => {
    expect((await groups('--list')).trim()).toBe('')
  })

  it('moves a group by every strategy', async () => {
    expect(await reset('--to-offset', '7', '--execute')).toEqual(['7', '7'])
    expect(await positions()).toEqual(['orders 0 7 10 3', 'orders 1 7 10 3'])
    expect(await reset('--shift-by', '-3', '--execute')).toEqual(['4', '4'])
    expect(await reset('--to-latest', '--execute')).toEqual(['10', '10'])
    expect(await reset('--to-earliest', '--dry-run')).toEqual(['0', '0'])
    expect(await positions()).toEqual(['orders 0 10 10 0', 'orders 1 10 10 0'])
    expect(await reset('--to-earliest', '--execute')).toEqual(['0', '0'])
    expect(await reset('--to-datetime', '2024-01-01T00:00:02.000', '--execute')).toEqual(['2', '2'])
    expect(await reset('--by-duration', 'PT1H', '--execute')).toEqual(['5', '5'])
    expect(await reset('--to-current', '--execute')).toEqual(['5', '5'])
    expect(await positions()).toEqual(['orders 0 5 10 5', 'orders 1 5 10 5'])
  })

  it('keeps to the log: an offset beyond its end becomes the end', async () => {
    expect(await reset('--to-offset', '1000', '--dry-run')).toEqual(['10', '10'])
    expect(await reset('--shift-by', '-1000', '--dry-run')).toEqual(['0', '0'])
  })

  it('exports a plan and executes one from a file', async () => {
    const args = ['--group', 'readers', '--topic', 'orders', '--reset-offsets', '--to-current', '--export']
    const plan = (await groups(...args, '--dry-run')).trim()
    expect(plan.split('\n').sort()).toEqual(['orders,0,5', 'orders,1,5'])
    const file = join(scratch, 'plan.csv')
    writeFileSync(file, 'orders,0,1\norders,1,8\n')
    const from = ['--group', 'readers', '--reset-offsets', '--from-file', file, '--execute']
    expect(rows(await groups(...from), 'GROUP').map(([, , , offset]) => offset)).toEqual(['1', '8'])
    expect(await positions()).toEqual(['orders 0 1 10 9', 'orders 1 8 10 2'])
  })
})

describe('kafka-consumer-groups with a live member', () => {
  beforeAll(async () => {
    const leftover = ['--group', 'live', '--topic', 'left', '--reset-offsets', '--to-earliest', '--execute']
    await groups(...leftover)
    member = kafka.consumer({ groupId: 'live' })
    await member.connect()
    await member.subscribe({ topic: 'orders', fromBeginning: true })
    let seen = 0
    const done = new Promise<void>((resolve, reject) => {
      member.on(member.events.CRASH, ({ payload }) => reject(payload.error))
      const run = member.run({
        eachMessage: () => {
          seen += 1
          if (seen === 2 * RECORDS) resolve()
          return Promise.resolve()
        },
      })
      run.catch(reject)
    })
    await done
    for (const partition of [0, 1]) {
      await member.commitOffsets([{ topic: 'orders', partition, offset: String(RECORDS) }])
    }
  })

  it('lists groups with states and types, filtered by either', async () => {
    expect((await groups('--list')).trim().split('\n').sort()).toEqual(['live', 'readers'])
    const states = rows(await groups('--list', '--state'), 'GROUP').sort()
    expect(states).toEqual([
      ['live', 'Stable'],
      ['readers', 'Empty'],
    ])
    expect(rows(await groups('--list', '--state', 'Empty'), 'GROUP')).toEqual([['readers', 'Empty']])
    expect(rows(await groups('--list', '--type', 'classic'), 'GROUP').sort()).toEqual([
      ['live', 'Classic'],
      ['readers', 'Classic'],
    ])
  })

  it('describes offsets with the member that reads them', async () => {
    const described = rows(await groups('--describe', '--group', 'live', '--offsets'), 'GROUP').sort()
    const [, , , , , , consumerId = ''] = described.find(([, topic]) => topic === 'orders') ?? []
    expect(consumerId).toMatch(/^reader-[0-9a-f-]{36}$/)
    expect(described).toEqual([
      ['live', 'left', '0', '0', '0', '0', '-', '-', '-'],
      ['live', 'left', '1', '0', '0', '0', '-', '-', '-'],
      ['live', 'orders', '0', '10', '10', '0', consumerId, '/127.0.0.1', 'reader'],
      ['live', 'orders', '1', '10', '10', '0', consumerId, '/127.0.0.1', 'reader'],
    ])
  })

  it('describes members with their assignments, and the state with its coordinator', async () => {
    const members = rows(await groups('--describe', '--group', 'live', '--members', '--verbose'), 'GROUP')
    expect(members).toHaveLength(1)
    expect(members[0]?.filter((_, cell) => cell !== 1)).toEqual([
      'live',
      '/127.0.0.1',
      'reader',
      '2',
      '-',
      'orders:0,1',
      '-',
      '-',
    ])
    const [state] = rows(await groups('--describe', '--group', 'live', '--state'), 'GROUP')
    expect(state).toEqual(['live', broker.bootstrap, '(0)', 'RoundRobinAssigner', 'Stable', '1'])
  })

  it('will not move, delete or rob a group that is at work', async () => {
    const move = ['--group', 'live', '--topic', 'orders', '--reset-offsets', '--to-earliest', '--execute']
    expect(await groups(...move)).toContain(
      "Assignments can only be reset if the group 'live' is inactive, but the current state is Stable.",
    )
    expect(await groups('--delete', '--group', 'live')).toContain(
      "Group 'live' could not be deleted due to: org.apache.kafka.common.errors.GroupNotEmptyException: The group is not empty.",
    )
    const robbed = await groups('--delete-offsets', '--group', 'live', '--topic', 'orders')
    expect(robbed).toContain('GroupSubscribedToTopicException')
  })

  it('deletes offsets of a topic that nobody in the group reads any more', async () => {
    const printed = await groups('--delete-offsets', '--group', 'live', '--topic', 'left')
    expect(rows(printed, 'TOPIC')).toEqual([
      ['left', '0', 'Successful'],
      ['left', '1', 'Successful'],
    ])
    const rest = rows(await groups('--describe', '--group', 'live'), 'GROUP')
    expect(rest.map(([, topic]) => topic)).toEqual(['orders', 'orders'])
  })
})

describe('kafka-consumer-groups --delete', () => {
  it('deletes a group that is Empty for good, and says what it could not delete', async () => {
    const printed = await groups('--delete', '--group', 'readers', '--group', 'nobody')
    expect(printed).toContain("These consumer groups were deleted successfully: 'readers'")
    expect(printed).toContain("Group 'nobody' could not be deleted due to: ")
    expect(printed).toContain('GroupIdNotFoundException')
    await member.disconnect()
    await broker.stop()
    broker = await BrokerProcess.start({ folder: folder.path, port: broker.port })
    const states = rows(await groups('--list', '--state'), 'GROUP')
    expect(states).toEqual([['live', 'Empty']])
  })
})

describe('kafka-get-offsets', () => {
  const offsets = async (...args: string[]) => {
    return succeeded(await runner.run('kafka-get-offsets', broker.bootstrap, args))
      .trim()
      .split('\n')
  }

  it('finds the ends, the starts and the first record since a time', async () => {
    expect(await offsets('--topic', 'orders')).toEqual(['orders:0:10', 'orders:1:10'])
    expect(await offsets('--topic', 'orders', '--time', 'earliest')).toEqual(['orders:0:0', 'orders:1:0'])
    expect(await offsets('--topic', 'orders', '--time', String(OLD + 3_000))).toEqual([
      'orders:0:3',
      'orders:1:3',
    ])
    expect(await offsets('--topic-partitions', 'orders:1', '--time', 'max-timestamp')).toEqual(['orders:1:9'])
    expect(await offsets('--exclude-internal-topics')).toEqual([
      'left:0:0',
      'left:1:0',
      'orders:0:10',
      'orders:1:10',
    ])
  })
})

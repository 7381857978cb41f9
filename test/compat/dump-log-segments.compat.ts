// Kafka's own eyes on our files: DumpLogSegments over every file of a data directory that had a varied life (rolls,
// retention, deletes, idempotent producers, all codecs, group commits, metadata snapshots, a crash), without a mismatch.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createPartitions,
  createTopics,
  deleteRecords,
  deleteTopics,
  findCoordinator,
  incrementalAlterConfigs,
  offsetCommit,
} from '../../ts/protocol/index.js'
import { BrokerProcess, dataFolder } from '../cluster/broker-process.js'
import { RawClient } from '../cluster/raw-client.js'
import { Random } from '../sim/random.js'
import { drawRecords } from './differential/batches.js'
import { drawTopic, type ScriptTopic } from './differential/topics.js'
import { kafkaJars, kafkaToolAndErrors } from './toolchains.js'

const folder = dataFolder()
const settings = {
  'log.retention.check.interval.ms': '200',
  'log.segment.delete.delay.ms': '0',
  'metadata.log.max.record.bytes.between.snapshots': '4096',
}
const random = new Random(11)
const ROUNDS = 30

beforeAll(async () => {
  kafkaJars()
  let broker = await BrokerProcess.start({ folder: folder.path, settings })
  await live(broker, 'before')
  await broker.kill()
  broker = await BrokerProcess.start({ folder: folder.path, settings })
  await live(broker, 'after')
  await broker.stop()
})

afterAll(() => folder.remove())

/** Topics of every kind, produced to by three clients at once, with all else that changes files between. */
async function live(broker: BrokerProcess, name: string): Promise<void> {
  const drawn = Array.from({ length: 9 }, (_, n) => drawTopic(random, `${name}-${n}`))
  const topics: ScriptTopic[] = [
    ...drawn,
    { ...drawTopic(random, `${name}-synced`), configs: { 'flush.messages': '1' } },
    {
      ...drawTopic(random, `${name}-rolled`),
      configs: { 'segment.index.bytes': '24', 'index.interval.bytes': '0' },
    },
    {
      ...drawTopic(random, `${name}-short`),
      configs: { 'retention.bytes': '1048576', 'segment.bytes': '1048576' },
    },
  ]
  const admin = await RawClient.open(broker.port)
  const wanted = topics.map(({ name, partitions, configs }) => ({
    name,
    numPartitions: partitions,
    replicationFactor: 1,
    assignments: [],
    configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
  }))
  const created = await admin.request(createTopics, 7, {
    topics: wanted,
    timeoutMs: 30_000,
    validateOnly: false,
  })
  expect(created.topics.map(({ errorCode }) => errorCode)).toEqual(topics.map(() => 0))
  await Promise.all([0, 1, 2].map((client) => produceTo(broker, topics, client)))
  await commitOffsets(admin, topics, name)
  await change(admin, topics)
  admin.close()
}

async function produceTo(
  broker: BrokerProcess,
  topics: readonly ScriptTopic[],
  client: number,
): Promise<void> {
  const producer = await RawClient.open(broker.port)
  const own = topics.filter((_, n) => n % 3 === client)
  for (const topic of own) {
    for (let n = 0; n < ROUNDS; n++) {
      const partition = random.below(topic.partitions)
      const { bytes } = drawRecords(random, topic, partition, Date.now())
      if (bytes !== null) await producer.produce(topic.name, bytes, partition)
    }
  }
  producer.close()
}

async function commitOffsets(admin: RawClient, topics: readonly ScriptTopic[], name: string): Promise<void> {
  // Whoever asks for its coordinator creates the topic of the offsets.
  const groups = Array.from({ length: 10 }, (_, n) => `${name}-group-${n}`)
  const request = { key: '', keyType: 0, coordinatorKeys: groups }
  for (;;) {
    const { coordinators } = await admin.request(findCoordinator, 4, request)
    if (coordinators.every(({ errorCode }) => errorCode === 0)) break
  }
  for (let group = 0; group < 10; group++) {
    const committed = await admin.request(offsetCommit, 8, {
      groupId: groups[group] ?? '',
      generationIdOrMemberEpoch: -1,
      memberId: '',
      topics: topics.map((topic) => ({
        name: topic.name,
        partitions: [{ partitionIndex: 0, committedOffset: group, committedMetadata: 'here' }],
      })),
    })
    if (committed.topics[0]?.partitions[0]?.errorCode !== 0) group -= 1
  }
}

async function change(admin: RawClient, topics: readonly ScriptTopic[]): Promise<void> {
  const names = topics.map(({ name }) => name)
  await admin.request(createPartitions, 3, {
    topics: names.slice(0, 3).map((name) => ({ name, count: 5, assignments: null })),
    timeoutMs: 30_000,
    validateOnly: false,
  })
  await admin.request(incrementalAlterConfigs, 1, {
    resources: names.map((resourceName) => ({
      resourceType: 2,
      resourceName,
      configs: [{ name: 'retention.ms', configOperation: 0, value: '9000000000' }],
    })),
    validateOnly: false,
  })
  await admin.request(deleteRecords, 2, {
    topics: names.slice(3, 8).map((name) => ({ name, partitions: [{ partitionIndex: 0, offset: -1n }] })),
    timeoutMs: 30_000,
  })
  await admin.request(deleteTopics, 5, { topics: [], topicNames: names.slice(0, 2), timeoutMs: 30_000 })
}

/** Every file of that ending, in a folder of a topic that `of` takes. */
function files(ending: string, of: (topic: string) => boolean = () => true): string[] {
  const all = readdirSync(folder.path, { recursive: true, withFileTypes: true })
  return all
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => ({
      folder: entry.parentPath.split('/').at(-1) ?? '',
      path: join(entry.parentPath, entry.name),
    }))
    .filter(({ folder }) => !/-delete$|-stray$/.test(folder) && of(folder.replace(/-\d+$/, '')))
    .map(({ path }) => path)
    .sort()
}

/** What the tool prints of these files; it says itself when something does not fit. */
async function dump(paths: readonly string[], ...options: string[]): Promise<string> {
  const said = await kafkaToolAndErrors('org.apache.kafka.tools.DumpLogSegments', [
    '--files',
    paths.join(','),
    ...options,
  ])
  expect(said).not.toMatch(/mismatch|corrupt|exception|out of order|isvalid: false|not found|could not/i)
  expect(said.match(/^Dumping /gm)).toHaveLength(paths.length)
  return said
}

const isInternal = (topic: string) => topic.startsWith('__')

describe('DumpLogSegments finds nothing wrong in', () => {
  it('the logs, record by record', async () => {
    const said = await dump(
      files('.log', (topic) => !isInternal(topic)),
      '--deep-iteration',
      '--print-data-log',
    )
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
      expect(said).toContain(`compresscodec: ${codec}`)
    expect(said).toContain('LogAppendTime')
    expect(said).toMatch(/producerId: 500\d/)
  })

  it('the committed offsets', async () => {
    const logs = files('.log', (topic) => topic === '__consumer_offsets')
    const said = await dump(logs, '--deep-iteration', '--offsets-decoder')
    expect(said).toContain('before-group-3')
    expect(said).toContain('after-group-9')
  })

  it('the metadata log', async () => {
    const logs = files('.log', (topic) => topic === '__cluster_metadata')
    const said = await dump(logs, '--deep-iteration', '--cluster-metadata-decoder')
    expect(said).toContain('TOPIC_RECORD')
    expect(said).toContain('REMOVE_TOPIC_RECORD')
  })

  it('the snapshots of the metadata', async () => {
    const said = await dump(files('.checkpoint'), '--cluster-metadata-decoder')
    expect(said).toContain('SnapshotHeader')
    expect(said).toContain('SnapshotFooter')
  })

  it('the indexes, against their logs and by themselves', async () => {
    const indexes = files('.index')
    expect(indexes.length).toBeGreaterThan(30)
    await dump(indexes)
    await dump(indexes, '--index-sanity-check')
    await dump(indexes, '--verify-index-only')
  })

  it('the time indexes', async () => {
    const indexes = files('.timeindex')
    await dump(indexes)
    await dump(indexes, '--index-sanity-check')
    await dump(indexes, '--verify-index-only')
  })

  it('what is kept of producers', async () => {
    expect(await dump(files('.snapshot'))).toMatch(/producerId: 500\d producerEpoch: \d/)
    const aborted = files('.txnindex')
    if (aborted.length > 0) await dump(aborted)
  })
})

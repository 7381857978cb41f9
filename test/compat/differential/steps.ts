// Draws the requests of a differential script: every version and field of the APIs that touch records, at usual and at
// extreme values. A step is drawn once and built for each broker with that broker's own topic ids and sessions.
import {
  type Api,
  createTopics,
  deleteRecords,
  deleteTopics,
  describeProducers,
  type EncodableRequest,
  fetch,
  initProducerId,
  listOffsets,
  metadata,
  offsetForLeaderEpoch,
  produce,
  ZERO_UUID,
} from '../../../ts/protocol/index.js'
import type { Random } from '../../sim/random.js'
import { type Drawn, drawRecords } from './batches.js'
import type { Side } from './side.js'
import { recompresses, type ScriptTopic } from './topics.js'

export interface Step<A extends Api = Api> {
  readonly api: A
  readonly version: number
  readonly label: string
  /** The request as that broker must get it. */
  readonly build: (side: Side) => EncodableRequest<A>
  /** Whether no reply will come unless the broker refuses something. */
  readonly silent?: boolean
  /** Made to the frame before it is sent. */
  readonly change?: (frame: Buffer) => Buffer
}

export interface World {
  readonly random: Random
  readonly topics: readonly ScriptTopic[]
  /** Milliseconds since 1970 when the script began. */
  readonly clock: number
  /** Begins the names that only this script uses. */
  readonly prefix: string
  /** The epoch that the next Fetch of the followed session must carry; 0 = there is none. */
  sessionEpoch: number
}

const INT_MAX = 0x7fff_ffff
const UNKNOWN_ID = 'MDEyMzQ1Njc4OWFiY2RlZg'

interface TopicDraw {
  readonly topic: ScriptTopic | undefined
  readonly name: string
  id(side: Side): string
}

function drawTopic({ random, topics, prefix }: World): TopicDraw {
  if (random.chance(0.04)) {
    const id = random.chance(0.5) ? ZERO_UUID : UNKNOWN_ID
    return { topic: undefined, name: `${prefix}-absent`, id: () => id }
  }
  const topic = random.pick(topics)
  return { topic, name: topic.name, id: (side) => side.topicId(topic.name) }
}

/** Different topics, and in each different partitions, hardly ever one that is not there. */
function drawPlaces(world: World): { topic: TopicDraw; indexes: number[] }[] {
  const { random } = world
  const drawn = Array.from({ length: random.between(1, 2) }, () => drawTopic(world))
  const once = new Map(drawn.map((topic) => [topic.name, topic]))
  return [...once.values()].map((topic) => {
    const there = Array.from({ length: topic.topic?.partitions ?? 1 }, (_, index) => index)
    const indexes = random.some(there, random.between(1, there.length))
    if (random.chance(0.03)) indexes.push(random.pick([-1, 7, INT_MAX]))
    return { topic, indexes }
  })
}

const version = (random: Random, api: Api, first = api.minVersion) => random.between(first, api.maxVersion)
const epoch = (random: Random) =>
  random.chance(0.85) ? random.pick([-1, 0]) : random.pick([1, 5, -2, INT_MAX])

function drawOffset(random: Random, topic: ScriptTopic | undefined, index: number): number {
  const end = topic?.ends[index] ?? 0
  if (random.chance(0.08)) return random.pick([-1, -2, end + 1, end + 100, Number.MAX_SAFE_INTEGER])
  return random.below(end + 1)
}

function drawProduce(world: World): Step<typeof produce> {
  const { random, clock } = world
  const places = drawPlaces(world)
  const labels: string[] = []
  let drawn = places.map(({ topic, indexes }) => ({
    topic,
    partitions: indexes.map((index) => {
      const some = topic.topic ?? world.topics[0]
      const records: Drawn = some ? drawRecords(random, some, index, clock) : { label: '', bytes: null }
      labels.push(`${topic.name}-${index}: ${records.label}`)
      return { index, records: records.bytes }
    }),
  }))
  // Kafka fails over these as a whole: mostly they come alone.
  const broken = labels.find((label) =>
    /: (length|magic|bytes after it|unknownCodec|idWithoutEpoch|logAppendTime|none)/.test(label),
  )
  if (broken !== undefined && random.chance(0.97)) {
    drawn = drawn.flatMap(({ topic, partitions }) => {
      const alone = partitions.filter(({ index }) => broken.startsWith(`${topic.name}-${index}:`))
      return alone.length > 0 ? [{ topic, partitions: alone }] : []
    })
    labels.splice(0, labels.length, broken)
  }
  const acks = random.chance(0.9) ? random.pick([-1, -1, 1]) : random.pick([0, 2, -2, 32_767])
  const transactionalId = random.chance(0.03) ? '' : null
  return {
    api: produce,
    version: version(random, produce),
    label: `acks ${acks} ${labels.join('; ')}`,
    silent: acks === 0,
    build: (side) => ({
      transactionalId,
      acks,
      timeoutMs: 10_000,
      topicData: drawn.map(({ topic, partitions }) => ({
        name: topic.name,
        topicId: topic.id(side),
        partitionData: partitions,
      })),
    }),
  }
}

function drawFetch(world: World): Step<typeof fetch> {
  const { random } = world
  const places = drawPlaces(world)
  // Where compressed anew, two brokers' batches differ in size: limits would fall on other batches.
  const sized = !places.some(({ topic }) => topic.topic && recompresses(topic.topic))
  const limit = () => (sized ? random.pick([0, 1, 61, 100, 500, 3000, 1_000_000, INT_MAX]) : INT_MAX)
  const followed = world.sessionEpoch > 0 && sized
  const mode = random.weighted({
    none: 10,
    begin: 2,
    next: followed ? 12 : 0,
    wrongEpoch: followed ? 1 : 0,
    unknown: 0.5,
    end: followed ? 1 : 0,
  })
  const topics = places.map(({ topic, indexes }) => ({
    topic,
    partitions: indexes.map((partition) => ({
      partition,
      currentLeaderEpoch: epoch(random),
      fetchOffset: drawOffset(random, topic.topic, partition),
      lastFetchedEpoch: random.chance(0.7) ? -1 : epoch(random),
      logStartOffset: random.chance(0.9) ? -1 : random.below(5),
      partitionMaxBytes: random.chance(0.5)
        ? 1_000_000
        : mode === 'none' && random.chance(0.01)
          ? -1
          : limit(),
    })),
  }))
  const isNext = mode === 'next' && random.chance(0.4)
  const forgotten = mode === 'next' && random.chance(0.2) ? drawPlaces(world) : []
  const common = {
    replicaId: mode !== 'none' || random.chance(0.97) ? -1 : random.pick([-2, 5]),
    maxWaitMs: random.chance(0.9) ? 0 : random.pick([1, -1]),
    minBytes: random.pick([0, 1, 1, 100, -1]),
    maxBytes: random.chance(0.6) ? 1_000_000 : limit(),
    isolationLevel: random.chance(0.99) ? random.below(2) : 2,
    rackId: random.chance(0.5) ? '' : 'rack',
  }
  const sessionEpoch = {
    none: -1,
    begin: 0,
    next: world.sessionEpoch,
    wrongEpoch: world.sessionEpoch + 3,
    unknown: 4,
    end: -1,
  }[mode]
  const carried = isNext ? [] : topics
  return {
    api: fetch,
    version: version(random, fetch, mode === 'none' ? 4 : 7),
    label: `session ${mode}`,
    build: (side) => ({
      ...common,
      sessionId: mode === 'none' || mode === 'begin' ? 0 : mode === 'unknown' ? 987_654 : side.sessionId,
      sessionEpoch,
      topics: carried.map(({ topic, partitions }) => ({
        topic: topic.name,
        topicId: topic.id(side),
        partitions,
      })),
      forgottenTopicsData: forgotten.map(({ topic, indexes }) => ({
        topic: topic.name,
        topicId: topic.id(side),
        partitions: indexes,
      })),
    }),
  }
}

function drawListOffsets(world: World): Step<typeof listOffsets> {
  const { random, clock } = world
  const timestamp = () => {
    if (random.chance(0.6)) return random.pick([-1, -2, -3, -4, -5, -6])
    return random.chance(0.8)
      ? clock - random.below(50 * 60_000)
      : random.pick([0, -7, 1, clock + 10 ** 9, 2 ** 52])
  }
  const topics = drawPlaces(world).map(({ topic, indexes }) => ({
    name: topic.name,
    partitions: indexes.map((partitionIndex) => ({
      partitionIndex,
      currentLeaderEpoch: epoch(random),
      timestamp: timestamp(),
    })),
  }))
  const request = {
    replicaId: random.chance(0.95) ? -1 : random.pick([-2, 5]),
    isolationLevel: random.chance(0.97) ? random.below(2) : 2,
    topics,
    timeoutMs: 5000,
  }
  return { api: listOffsets, version: version(random, listOffsets, 1), label: '', build: () => request }
}

function drawOffsetForLeaderEpoch(world: World): Step<typeof offsetForLeaderEpoch> {
  const { random } = world
  const topics = drawPlaces(world).map(({ topic, indexes }) => ({
    topic: topic.name,
    partitions: indexes.map((partition) => ({
      partition,
      currentLeaderEpoch: epoch(random),
      leaderEpoch: epoch(random),
    })),
  }))
  const request = { replicaId: random.pick([-1, -2, -2]), topics }
  return {
    api: offsetForLeaderEpoch,
    version: version(random, offsetForLeaderEpoch, 2),
    label: '',
    build: () => request,
  }
}

function drawDescribeProducers(world: World): Step<typeof describeProducers> {
  const topics = drawPlaces(world).map(({ topic, indexes }) => ({
    name: topic.name,
    partitionIndexes: indexes,
  }))
  return { api: describeProducers, version: 0, label: '', build: () => ({ topics }) }
}

function drawDeleteRecords(world: World): Step<typeof deleteRecords> {
  const { random } = world
  const topics = drawPlaces(world).map(({ topic, indexes }) => ({
    name: topic.name,
    partitions: indexes.map((partitionIndex) => ({
      partitionIndex,
      offset: BigInt(drawOffset(random, topic.topic, partitionIndex)),
    })),
  }))
  const request = { topics, timeoutMs: 10_000 }
  return { api: deleteRecords, version: version(random, deleteRecords), label: '', build: () => request }
}

function drawInitProducerId({ random }: World): Step<typeof initProducerId> {
  const request = {
    transactionalId: random.chance(0.9) ? null : '',
    transactionTimeoutMs: random.pick([0, 60_000, INT_MAX, -1]),
    producerId: random.chance(0.8) ? -1n : random.pick([-2n, 5000n]),
    producerEpoch: random.chance(0.8) ? -1 : random.pick([-2, 0, 32_767]),
  }
  return { api: initProducerId, version: version(random, initProducerId), label: '', build: () => request }
}

function drawMetadata(world: World): Step<typeof metadata> {
  const { random } = world
  const asked = version(random, metadata)
  const names = drawPlaces(world).map(({ topic }) => topic)
  const byId = asked >= 12 && random.chance(0.4)
  const includeClusterAuthorizedOperations = random.chance(0.5)
  return {
    api: metadata,
    version: asked,
    label: byId ? 'by id' : 'by name',
    build: (side) => ({
      topics: names.map((topic) =>
        byId ? { topicId: topic.id(side), name: null } : { topicId: ZERO_UUID, name: topic.name },
      ),
      allowAutoTopicCreation: false,
      includeClusterAuthorizedOperations,
      includeTopicAuthorizedOperations: true,
    }),
  }
}

/** Topics that cannot be created, or are only tried: what a script keeps was created at its start. */
function drawCreateTopics(world: World): Step<typeof createTopics> {
  const { random, prefix } = world
  const configs = random.some(
    [
      { name: 'retention.ms', value: '1000' },
      { name: 'compression.type', value: random.pick(['zstd', 'brotli', '']) },
      { name: 'cleanup.policy', value: random.pick(['compact', 'delete', 'keep']) },
      { name: 'segment.bytes', value: random.pick(['1048576', '14', '-1', 'many']) },
      { name: 'max.message.bytes', value: random.pick(['0', '-1', '1000']) },
      { name: 'message.timestamp.type', value: random.pick(['CreateTime', 'logappendtime', 'Now']) },
      { name: 'no.such.config', value: '1' },
      { name: 'flush.messages', value: null },
    ],
    1,
  )
  const name = random.pick([
    `${prefix}-tried`,
    random.pick(world.topics).name,
    '',
    '.',
    '..',
    'a b',
    'x'.repeat(249),
    'x'.repeat(250),
    '__consumer_offsets',
  ])
  const topic = {
    name,
    numPartitions: random.pick([1, 3, -1, 0, -2]),
    replicationFactor: random.pick([1, 1, -1, 0, 2, -2]),
    assignments: random.chance(0.85)
      ? []
      : random.pick([
          [{ partitionIndex: 0, brokerIds: [0] }],
          [{ partitionIndex: 1, brokerIds: [0] }],
          [{ partitionIndex: 0, brokerIds: [0, 0] }],
          [{ partitionIndex: 0, brokerIds: [9] }],
          [{ partitionIndex: 0, brokerIds: [] }],
        ]),
    configs,
  }
  const request = {
    topics: random.chance(0.9) ? [topic] : [topic, topic],
    timeoutMs: 30_000,
    validateOnly: true,
  }
  return { api: createTopics, version: version(random, createTopics, 2), label: '', build: () => request }
}

/** Topics that are not there. */
function drawDeleteTopics({ random, prefix }: World): Step<typeof deleteTopics> {
  const name = random.pick([`${prefix}-gone`, '', '..'])
  const byId = random.chance(0.5)
  const topic = byId
    ? { name: null, topicId: random.pick([UNKNOWN_ID, ZERO_UUID]) }
    : { name, topicId: ZERO_UUID }
  const request = {
    topics: random.chance(0.85) ? [topic] : [topic, topic],
    topicNames: [name],
    timeoutMs: 30_000,
  }
  return { api: deleteTopics, version: version(random, deleteTopics, 1), label: '', build: () => request }
}

const draws = {
  produce: { weight: 50, draw: drawProduce },
  fetch: { weight: 26, draw: drawFetch },
  listOffsets: { weight: 8, draw: drawListOffsets },
  offsetForLeaderEpoch: { weight: 3, draw: drawOffsetForLeaderEpoch },
  describeProducers: { weight: 4, draw: drawDescribeProducers },
  deleteRecords: { weight: 3, draw: drawDeleteRecords },
  initProducerId: { weight: 2, draw: drawInitProducerId },
  metadata: { weight: 3, draw: drawMetadata },
  createTopics: { weight: 3, draw: drawCreateTopics },
  deleteTopics: { weight: 1, draw: drawDeleteTopics },
} as const

const weights = Object.fromEntries(
  Object.entries(draws).map(([name, { weight }]) => [name, weight]),
) as Record<keyof typeof draws, number>

export function drawStep(world: World): Step {
  return draws[world.random.weighted(weights)].draw(world) as unknown as Step
}

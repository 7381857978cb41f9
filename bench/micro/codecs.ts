// What encoding and decoding the control plane's messages takes, and the packed boundary's.

import { broker, TestController, topic } from '../../test/unit/state/metadata-fixture.js'
import { describedTopic } from '../../ts/api/described-topics.js'
import { decodeCommands, encodeCommand } from '../../ts/native/commands.js'
import { decodeEvents, encodeEvent } from '../../ts/native/events.js'
import {
  type Api,
  apiVersions,
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  type EncodableRequest,
  type EncodableResponse,
  encodeRequest,
  encodeRequestFrame,
  encodeResponse,
  findCoordinator,
  heartbeat,
  joinGroup,
  metadata,
  OPERATIONS_OMITTED,
  offsetCommit,
} from '../../ts/protocol/index.js'
import { topicByName } from '../../ts/state/image.js'
import { type Costs, cheapest } from './measure.js'

export function codecs(): Costs {
  const frame = encodeRequestFrame(heartbeat, 4, 1, 'client', beat).subarray(4)
  const batch = Buffer.concat(Array.from({ length: 100 }, () => encodeEvent(event(frame))))
  const answer = encodeResponse(heartbeat, 4, { errorCode: 0 })
  const command = { kind: 'respond', conn: 1, token: 2, response: answer } as const
  const commands = Buffer.concat(Array.from({ length: 100 }, () => encodeCommand(command)))
  return {
    'request header, decode': cheapest(() => decodeRequestHeader(frame)),
    'Heartbeat v4, decode request': decoding(heartbeat, 4, beat),
    'JoinGroup v9, decode request': decoding(joinGroup, 9, join),
    'OffsetCommit v9 of 10 partitions, decode request': decoding(offsetCommit, 9, commit),
    'OffsetCommit v9 of 10 partitions, encode response': encoding(offsetCommit, 9, committed),
    'FindCoordinator v4, decode request': decoding(findCoordinator, 4, { coordinatorKeys: ['group'] }),
    'ApiVersions v4, encode response': encoding(apiVersions, 4, versions),
    'Metadata v12 of 1,000 partitions, encode response': encoding(metadata, 12, thousandPartitions()),
    'event, decode (of 100)': cheapest(() => decodeEvents(batch)) / 100,
    'command, encode': cheapest(() => encodeCommand(command)),
    'command, decode (of 100)': cheapest(() => decodeCommands(commands)) / 100,
  }
}

function decoding<A extends Api>(api: A, version: number, message: EncodableRequest<A>): number {
  const bytes = encodeRequest(api, version, message)
  return cheapest(() => decodeRequest(api, version, bytes))
}

function encoding<A extends Api>(api: A, version: number, message: EncodableResponse<A>): number {
  decodeResponse(api, version, encodeResponse(api, version, message))
  return cheapest(() => encodeResponse(api, version, message))
}

const memberId = 'consumer-1-5c3f2c5e-8d5b-4b1c-9a5e-0123456789ab'
const beat = { groupId: 'group', generationId: 3, memberId, groupInstanceId: null }
const join = {
  groupId: 'group',
  sessionTimeoutMs: 45_000,
  rebalanceTimeoutMs: 300_000,
  memberId,
  groupInstanceId: null,
  protocolType: 'consumer',
  protocols: ['range', 'cooperative-sticky'].map((name) => ({ name, metadata: Buffer.alloc(40) })),
  reason: null,
}
const commit = {
  groupId: 'group',
  generationIdOrMemberEpoch: 3,
  memberId,
  groupInstanceId: null,
  topics: [
    {
      name: 'topic',
      partitions: Array.from({ length: 10 }, (_, partitionIndex) => ({
        partitionIndex,
        committedOffset: 1_000_000 + partitionIndex,
        committedLeaderEpoch: 4,
        committedMetadata: '',
      })),
    },
  ],
}
const committed = {
  topics: [
    {
      name: 'topic',
      partitions: Array.from({ length: 10 }, (_, partitionIndex) => ({ partitionIndex, errorCode: 0 })),
    },
  ],
}
const versions = {
  errorCode: 0,
  apiKeys: Array.from({ length: 60 }, (_, apiKey) => ({ apiKey, minVersion: 0, maxVersion: 9 })),
  finalizedFeaturesEpoch: 100,
}

function thousandPartitions(): EncodableResponse<typeof metadata> {
  const controller = new TestController().withBrokers(broker(1))
  controller.create([topic('t', { numPartitions: 1000 })])
  const { image } = controller
  const found = topicByName(image, 't')
  if (found === undefined) throw new Error('the topic was not created')
  return {
    brokers: [{ nodeId: 1, host: 'localhost', port: 9092 }],
    clusterId: 'clusterAAAAAAAAAAAAAAA',
    controllerId: 1,
    topics: [describedTopic(image, found, 'PLAINTEXT', 12, OPERATIONS_OMITTED)],
  }
}

function event(frame: Buffer) {
  return {
    kind: 'control-request',
    conn: 1,
    token: 2,
    apiKey: heartbeat.key,
    apiVersion: 4,
    listener: 'PLAINTEXT',
    peer: '127.0.0.1:55012',
    principal: 'User:ANONYMOUS',
    arrivalMonotonicMs: 1000,
    arrivalWallMs: 1_700_000_000_000,
    frame,
  } as const
}

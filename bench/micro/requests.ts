// Whole requests of the control plane through both planes on one thread, without sockets: the frame in, the reply out.
// With more of them in a turn, what a turn costs is shared.

import { SimBroker } from '../../test/unit/api/sim-broker.js'
import {
  type Api,
  apiVersions,
  createTopics,
  decodeResponse,
  type EncodableRequest,
  Errors,
  encodeRequestFrame,
  findCoordinator,
  heartbeat,
  joinGroup,
  metadata,
  offsetCommit,
  syncGroup,
} from '../../ts/protocol/index.js'
import { type Costs, cheapest } from './measure.js'

const topic = 'micro'
const groupId = 'group'

export function requests(): Costs {
  const broker = new SimBroker()
  const conn = broker.connect()
  broker.ask(conn, createTopics, 5, {
    topics: [{ name: topic, numPartitions: 1000, replicationFactor: 1, assignments: [], configs: [] }],
  })
  const member = joined(broker, conn)
  const commit = {
    groupId,
    generationIdOrMemberEpoch: member.generationId,
    memberId: member.memberId,
    topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 7, committedMetadata: '' }] }],
  }
  const all = { topics: [{ name: topic }], includeTopicAuthorizedOperations: false }
  const costs: Costs = {
    'ApiVersions v3': together(
      broker,
      apiVersions,
      3,
      { clientSoftwareName: 'c', clientSoftwareVersion: '1' },
      1,
    ),
    'Metadata v12 of 1,000 partitions': together(broker, metadata, 12, all, 1),
  }
  for (const count of [1, 10, 100]) {
    costs[`Heartbeat v4, ${count} in a turn`] = together(broker, heartbeat, 4, member, count)
    costs[`OffsetCommit v8, ${count} in a turn`] = together(broker, offsetCommit, 8, commit, count)
  }
  return costs
}

/** The only member of a group, with its assignment. */
function joined(broker: SimBroker, conn: number) {
  for (;;) {
    broker.ask(conn, findCoordinator, 3, { key: groupId })
    const { errorCode, memberId, generationId } = broker.ask(conn, joinGroup, 3, {
      groupId,
      sessionTimeoutMs: 300_000,
      rebalanceTimeoutMs: 60_000,
      memberId: '',
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: Buffer.alloc(24) }],
    })
    if (errorCode !== Errors.NONE) continue
    const member = { groupId, generationId, memberId }
    const assignments = [{ memberId, assignment: Buffer.alloc(32) }]
    broker.ask(conn, syncGroup, 3, { ...member, assignments })
    return member
  }
}

/** Nanoseconds of each of `count` requests that come together, on connections of their own. */
function together<A extends Api>(
  broker: SimBroker,
  api: A,
  version: number,
  message: EncodableRequest<A>,
  count: number,
): number {
  const frame = encodeRequestFrame(api, version, 1, 'client', message)
  const conns = Array.from({ length: count }, () => broker.connect())
  const once = () => {
    for (const conn of conns) broker.feed(conn, frame)
    broker.settle()
    return conns.map((conn) => broker.output(conn))
  }
  for (const reply of once()) decodeResponse(api, version, reply, replyHeaderBytes(api, version))
  const ns = cheapest(once) / count
  for (const conn of conns) broker.disconnect(conn)
  return ns
}

/** Size, correlation id and, in flexible versions of all but ApiVersions, no tags. */
function replyHeaderBytes(api: Api, version: number): number {
  return version >= api.firstFlexible && api.key !== apiVersions.key ? 9 : 8
}

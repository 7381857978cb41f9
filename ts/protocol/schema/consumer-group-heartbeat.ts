/**
 * ConsumerGroupHeartbeat (key 68): a member of a consumer group joins, stays, leaves and is told its assignment
 * (KIP-848). Null means unchanged since the last heartbeat; an epoch of 0 joins, −1 leaves, −2 leaves for a while.
 * Flexible from v0 · v1 subscription by regular expression, the member chooses its own id (KIP-1082).
 */
import { array, int16, int32, nested, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const consumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexible: 0,
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    instanceId: string({ nullable: true, default: null }),
    rackId: string({ nullable: true, default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    subscribedTopicNames: array(string(), { nullable: true, default: null }),
    subscribedTopicRegex: string({ since: 1, nullable: true, default: null }),
    serverAssignor: string({ nullable: true, default: null }),
    topicPartitions: array(
      { topicId: uuid(), partitions: array(int32()) },
      { nullable: true, default: null },
    ),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    memberId: string({ nullable: true, default: null }),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    assignment: nested(
      { topicPartitions: array({ topicId: uuid(), partitions: array(int32()) }) },
      { nullable: true, default: null },
    ),
  },
})

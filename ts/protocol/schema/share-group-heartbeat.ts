/**
 * ShareGroupHeartbeat (key 76): a member of a share group joins, stays, leaves and is told its assignment (KIP-932).
 * Null means unchanged since the last heartbeat.
 * Flexible throughout · v0 was early access and is gone · v1 the first stable one.
 */
import { array, int16, int32, nested, string, uuid } from '../notation.js'
import { api } from '../table.js'

export const shareGroupHeartbeat = api({
  key: 76,
  name: 'ShareGroupHeartbeat',
  versions: [1, 1],
  flexible: 0,
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    rackId: string({ nullable: true, default: null }),
    subscribedTopicNames: array(string(), { nullable: true, default: null }),
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

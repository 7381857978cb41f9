/**
 * ConsumerGroupDescribe (key 69): consumer groups with epochs, members, current and target assignments (KIP-848).
 * Flexible from v0 · v1 whether a member speaks the classic or the consumer protocol (KIP-1099).
 */
import { array, bool, int8, int16, int32, nested, string, uuid } from '../notation.js'
import { api } from '../table.js'
import { OPERATIONS_OMITTED } from './metadata.js'

const assignment = {
  topicPartitions: array({ topicId: uuid(), topicName: string(), partitions: array(int32()) }),
}

export const consumerGroupDescribe = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: [0, 1],
  flexible: 0,
  request: {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    groups: array({
      errorCode: int16(),
      errorMessage: string({ nullable: true, default: null }),
      groupId: string(),
      groupState: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      assignorName: string(),
      members: array({
        memberId: string(),
        instanceId: string({ nullable: true, default: null }),
        rackId: string({ nullable: true, default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        subscribedTopicRegex: string({ nullable: true, default: null }),
        assignment: nested(assignment),
        targetAssignment: nested(assignment),
        memberType: int8({ since: 1, default: -1 }),
      }),
      authorizedOperations: int32({ default: OPERATIONS_OMITTED }),
    }),
  },
})

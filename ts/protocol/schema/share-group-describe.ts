/**
 * ShareGroupDescribe (key 77): share groups with epochs, members and assignments (KIP-932). Flexible throughout.
 * v0 was early access and is gone · v1 the first stable one.
 */
import { array, bool, int16, int32, nested, string, uuid } from '../notation.js'
import { api } from '../table.js'
import { OPERATIONS_OMITTED } from './metadata.js'

export const shareGroupDescribe = api({
  key: 77,
  name: 'ShareGroupDescribe',
  versions: [1, 1],
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
        rackId: string({ nullable: true, default: null }),
        memberEpoch: int32(),
        clientId: string(),
        clientHost: string(),
        subscribedTopicNames: array(string()),
        assignment: nested({
          topicPartitions: array({ topicId: uuid(), topicName: string(), partitions: array(int32()) }),
        }),
      }),
      authorizedOperations: int32({ default: OPERATIONS_OMITTED }),
    }),
  },
})

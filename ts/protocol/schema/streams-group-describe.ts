/**
 * StreamsGroupDescribe (key 89): streams groups with topology, members and their tasks (KIP-1071). Flexible from v0.
 * v1 the full description of the topology on request (KIP-1331), the task assignor (KIP-1357).
 */
import { array, bool, int8, int16, int32, nested, string } from '../notation.js'
import { api } from '../table.js'
import { OPERATIONS_OMITTED } from './metadata.js'
import { endpoint, keyValue, taskIds, taskOffset, topicInfo, topologyDescription } from './streams-structs.js'

const assignment = { activeTasks: array(taskIds), standbyTasks: array(taskIds), warmupTasks: array(taskIds) }

export const streamsGroupDescribe = api({
  key: 89,
  name: 'StreamsGroupDescribe',
  versions: [0, 1],
  flexible: 0,
  request: {
    groupIds: array(string()),
    includeAuthorizedOperations: bool(),
    includeTopologyDescription: bool({ since: 1 }),
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
      topology: nested(
        {
          epoch: int32(),
          subtopologies: array(
            {
              subtopologyId: string(),
              sourceTopics: array(string()),
              repartitionSinkTopics: array(string()),
              stateChangelogTopics: array(topicInfo),
              repartitionSourceTopics: array(topicInfo),
            },
            { nullable: true, default: null },
          ),
        },
        { nullable: true, default: null },
      ),
      members: array({
        memberId: string(),
        memberEpoch: int32(),
        instanceId: string({ nullable: true, default: null }),
        rackId: string({ nullable: true, default: null }),
        clientId: string(),
        clientHost: string(),
        topologyEpoch: int32(),
        processId: string(),
        userEndpoint: nested(endpoint, { nullable: true, default: null }),
        clientTags: array(keyValue),
        taskOffsets: array(taskOffset),
        taskEndOffsets: array(taskOffset),
        assignment: nested(assignment),
        targetAssignment: nested(assignment),
        isClassic: bool(),
      }),
      authorizedOperations: int32({ default: OPERATIONS_OMITTED }),
      topologyDescription: nested(topologyDescription, { since: 1, nullable: true, default: null }),
      topologyDescriptionStatus: int8({ since: 1 }),
      assignorName: string({ since: 1, nullable: true, default: null }),
    }),
  },
})

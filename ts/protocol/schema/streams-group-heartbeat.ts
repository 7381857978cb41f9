/**
 * StreamsGroupHeartbeat (key 88): a Kafka Streams client joins with its topology, stays, leaves and is told its tasks
 * (KIP-1071). Null means unchanged since the last heartbeat.
 * Flexible from v0 · v1 the broker may ask for the topology's description (KIP-1331), the acceptable lag in 64 bits.
 */
import { array, bool, int8, int16, int32, int64, nested, string } from '../notation.js'
import { api } from '../table.js'
import { endpoint, keyValue, taskIds, taskOffset, topicInfo } from './streams-structs.js'

const topicPartition = { topic: string(), partitions: array(int32()) }

export const streamsGroupHeartbeat = api({
  key: 88,
  name: 'StreamsGroupHeartbeat',
  versions: [0, 1],
  flexible: 0,
  request: {
    groupId: string(),
    memberId: string(),
    memberEpoch: int32(),
    endpointInformationEpoch: int32(),
    instanceId: string({ nullable: true, default: null }),
    rackId: string({ nullable: true, default: null }),
    rebalanceTimeoutMs: int32({ default: -1 }),
    topology: nested(
      {
        epoch: int32(),
        subtopologies: array({
          subtopologyId: string(),
          sourceTopics: array(string()),
          sourceTopicRegex: array(string()),
          stateChangelogTopics: array(topicInfo),
          repartitionSinkTopics: array(string()),
          repartitionSourceTopics: array(topicInfo),
          copartitionGroups: array({
            sourceTopics: array(int16()),
            sourceTopicRegex: array(int16()),
            repartitionSourceTopics: array(int16()),
          }),
        }),
      },
      { nullable: true, default: null },
    ),
    activeTasks: array(taskIds, { nullable: true, default: null }),
    standbyTasks: array(taskIds, { nullable: true, default: null }),
    warmupTasks: array(taskIds, { nullable: true, default: null }),
    processId: string({ nullable: true, default: null }),
    userEndpoint: nested(endpoint, { nullable: true, default: null }),
    clientTags: array(keyValue, { nullable: true, default: null }),
    taskOffsets: array(taskOffset, { nullable: true, default: null }),
    taskEndOffsets: array(taskOffset, { nullable: true, default: null }),
    shutdownApplication: bool({ default: false }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16(),
    errorMessage: string({ nullable: true, default: null }),
    memberId: string(),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    acceptableRecoveryLagLegacy: int32({ until: 0 }),
    taskOffsetIntervalMs: int32(),
    acceptableRecoveryLag: int64({ since: 1, default: -1 }),
    status: array({ statusCode: int8(), statusDetail: string() }, { nullable: true }),
    activeTasks: array(taskIds, { nullable: true, default: null }),
    standbyTasks: array(taskIds, { nullable: true, default: null }),
    warmupTasks: array(taskIds, { nullable: true, default: null }),
    topologyDescriptionRequired: bool({ since: 1 }),
    endpointInformationEpoch: int32(),
    partitionsByUserEndpoint: array(
      {
        userEndpoint: nested(endpoint),
        activePartitions: array(topicPartition),
        standbyPartitions: array(topicPartition),
      },
      { nullable: true, default: null },
    ),
  },
})

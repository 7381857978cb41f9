// What every API answers to who is not allowed, and the ACLs that change it: one table for this broker and for Kafka's.
// Peers of the loopback are different hosts: an administrator at 127.0.0.1, somebody without rights at 127.0.0.3.
import {
  alterConfigs,
  alterPartitionReassignments,
  alterReplicaLogDirs,
  createAcls,
  createPartitions,
  createTopics,
  deleteAcls,
  deleteGroups,
  deleteRecords,
  deleteTopics,
  describeAcls,
  describeCluster,
  describeConfigs,
  describeGroups,
  describeLogDirs,
  describeProducers,
  describeQuorum,
  describeTopicPartitions,
  Errors,
  electLeaders,
  fetch,
  findCoordinator,
  heartbeat,
  incrementalAlterConfigs,
  initProducerId,
  joinGroup,
  leaveGroup,
  listConfigResources,
  listGroups,
  listOffsets,
  listPartitionReassignments,
  metadata,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  offsetForLeaderEpoch,
  produce,
  syncGroup,
  unregisterBroker,
  updateFeatures,
  ZERO_UUID,
} from '../../ts/protocol/index.js'
import { AclOperation, PatternType, PermissionType, ResourceType } from '../../ts/state/acl.js'
import { recordBatch } from '../record-batch.js'
import { produceRequest, type RawClient } from './raw-client.js'

const ADMIN = '127.0.0.1'
export const STRANGER = '127.0.0.3'

/** A permission of the stranger: `READ TOPIC t`; with `*` behind the name it is a prefix. */
type Grant = `${keyof typeof AclOperation} ${keyof typeof ResourceType} ${string}`

export interface Denial {
  readonly what: string
  readonly ask: (stranger: RawClient, ids: Ids) => Promise<unknown>
  /** The part of the answer that says no, and hides what is to be hidden. */
  readonly denied: (ids: Ids) => unknown
  /** Of a version that Kafka no longer serves: it closes the connection. */
  readonly isOld?: boolean
  /** What the stranger has all along. */
  readonly has?: readonly Grant[]
  /** With any one line of these the answer is another. */
  readonly needs: readonly (readonly Grant[])[]
}

/** Topic ids by name. */
type Ids = Readonly<Record<'t' | 'gone', string>>

const TOPIC_DENIED = Errors.TOPIC_AUTHORIZATION_FAILED
const GROUP_DENIED = Errors.GROUP_AUTHORIZATION_FAILED
const CLUSTER_DENIED = Errors.CLUSTER_AUTHORIZATION_FAILED
const CLUSTER = 'kafka-cluster'

const always = (denied: unknown) => () => denied
const partition = (errorCode: number) => ({ partitions: [{ errorCode }] })
const creatable = (name: string) => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
})
const commit = {
  groupId: 'g',
  generationIdOrMemberEpoch: -1,
  memberId: '',
  topics: [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: '' }] }],
}
const fetched = { maxWaitMs: 0, minBytes: 0, forgottenTopicsData: [] }
const fetchedPartitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
const named = (name: string, allowAutoTopicCreation = false) => ({
  topics: [{ name }],
  allowAutoTopicCreation,
  includeTopicAuthorizedOperations: false,
})
const anyAcl = {
  resourceTypeFilter: ResourceType.ANY,
  resourceNameFilter: null,
  patternTypeFilter: PatternType.ANY,
  principalFilter: 'User:nobody',
  hostFilter: null,
  operation: AclOperation.ANY,
  permissionType: PermissionType.ANY,
}
const resource = (resourceType: number, resourceName: string) => ({ resourceType, resourceName })
const RESOURCES = [
  { type: 2, name: 't', needs: 'TOPIC t', code: TOPIC_DENIED, key: 'retention.ms' },
  { type: 4, name: '0', needs: `CLUSTER ${CLUSTER}`, code: CLUSTER_DENIED, key: 'log.retention.ms' },
  { type: 32, name: 'g', needs: 'GROUP g', code: GROUP_DENIED, key: 'consumer.session.timeout.ms' },
] as const

export const denials: readonly Denial[] = [
  {
    what: 'Produce',
    ask: (c) => c.request(produce, 9, produceRequest('t', recordBatch([{ value: 'x' }]))),
    denied: always({ responses: [{ name: 't', partitionResponses: [{ errorCode: TOPIC_DENIED }] }] }),
    needs: [['WRITE TOPIC t'], ['ALL TOPIC t*'], ['WRITE TOPIC *']],
  },
  {
    what: 'Produce to a topic that does not exist',
    ask: (c) => c.request(produce, 9, produceRequest('nothing', recordBatch([{ value: 'x' }]))),
    denied: always({ responses: [{ partitionResponses: [{ errorCode: TOPIC_DENIED }] }] }),
    needs: [['WRITE TOPIC nothing']],
  },
  {
    what: 'Fetch by name',
    ask: (c) => c.request(fetch, 12, { ...fetched, topics: [{ topic: 't', partitions: fetchedPartitions }] }),
    denied: always({ errorCode: 0, responses: [{ topic: 't', ...partition(TOPIC_DENIED) }] }),
    needs: [['READ TOPIC t']],
  },
  {
    what: 'Fetch by id',
    ask: (c, { t }) => {
      return c.request(fetch, 17, { ...fetched, topics: [{ topicId: t, partitions: fetchedPartitions }] })
    },
    denied: ({ t }) => ({ errorCode: 0, responses: [{ topicId: t, ...partition(TOPIC_DENIED) }] }),
    needs: [['READ TOPIC t']],
  },
  {
    what: 'Fetch as a replica',
    has: ['READ TOPIC t'],
    ask: (c) => {
      const topics = [{ topic: 't', partitions: fetchedPartitions }]
      return c.request(fetch, 12, { ...fetched, replicaId: 9, topics })
    },
    denied: always({ responses: [partition(TOPIC_DENIED)] }),
    needs: [[`CLUSTER_ACTION CLUSTER ${CLUSTER}`]],
  },
  ...[0, 7].map(
    (version): Denial => ({
      what: `ListOffsets v${version}`,
      isOld: version === 0,
      ask: (c) => {
        const partitions = [{ partitionIndex: 0, timestamp: -1 }]
        return c.request(listOffsets, version, { replicaId: -1, topics: [{ name: 't', partitions }] })
      },
      denied: always({ topics: [{ name: 't', ...partition(TOPIC_DENIED) }] }),
      needs: [['DESCRIBE TOPIC t'], ['ALTER TOPIC t']],
    }),
  ),
  {
    what: 'OffsetForLeaderEpoch',
    ask: (c) => {
      const topics = [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 0 }] }]
      return c.request(offsetForLeaderEpoch, 4, { topics })
    },
    denied: always({ topics: [partition(TOPIC_DENIED)] }),
    needs: [['DESCRIBE TOPIC t'], [`CLUSTER_ACTION CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'DescribeProducers',
    has: ['DESCRIBE TOPIC t'],
    ask: (c) => c.request(describeProducers, 0, { topics: [{ name: 't', partitionIndexes: [0] }] }),
    denied: always({ topics: [{ partitions: [{ errorCode: TOPIC_DENIED, activeProducers: [] }] }] }),
    needs: [['READ TOPIC t']],
  },
  {
    what: 'Metadata of a topic by name',
    ask: (c) => c.request(metadata, 12, named('t')),
    denied: always({ topics: [{ errorCode: TOPIC_DENIED, name: 't', topicId: ZERO_UUID, partitions: [] }] }),
    needs: [['DESCRIBE TOPIC t'], ['WRITE TOPIC t']],
  },
  {
    what: 'Metadata of a topic by id',
    ask: (c, { t }) => {
      const topics = [{ name: null, topicId: t }]
      return c.request(metadata, 12, { ...named('t'), topics })
    },
    denied: ({ t }) => ({ topics: [{ errorCode: TOPIC_DENIED, name: null, topicId: t, partitions: [] }] }),
    needs: [['DESCRIBE TOPIC t']],
  },
  {
    what: 'Metadata of a topic that does not exist',
    ask: (c) => c.request(metadata, 12, named('nothing')),
    denied: always({ topics: [{ errorCode: TOPIC_DENIED, name: 'nothing' }] }),
    needs: [['DESCRIBE TOPIC nothing']],
  },
  {
    what: 'Metadata of all topics',
    ask: (c) => c.request(metadata, 12, { ...named('t'), topics: null }),
    denied: always({ topics: [] }),
    needs: [['DESCRIBE TOPIC t']],
  },
  {
    what: 'Metadata that creates a topic',
    has: ['DESCRIBE TOPIC fresh'],
    ask: (c) => c.request(metadata, 12, named('fresh', true)),
    denied: always({ topics: [{ errorCode: TOPIC_DENIED, name: 'fresh' }] }),
    needs: [['CREATE TOPIC fresh']],
  },
  {
    what: 'the operations of the cluster in Metadata',
    ask: (c) =>
      c.request(metadata, 9, { ...named('t'), topics: [], includeClusterAuthorizedOperations: true }),
    denied: always({ clusterAuthorizedOperations: 0 }),
    needs: [[`DESCRIBE CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'OffsetCommit to a group',
    has: ['READ TOPIC t'],
    ask: (c) => c.request(offsetCommit, 8, commit),
    denied: always({ topics: [partition(GROUP_DENIED)] }),
    needs: [['READ GROUP g']],
  },
  {
    what: 'OffsetCommit of a topic',
    has: ['READ GROUP g'],
    ask: (c) => c.request(offsetCommit, 8, commit),
    denied: always({ topics: [partition(TOPIC_DENIED)] }),
    needs: [['READ TOPIC t']],
  },
  {
    what: 'OffsetFetch of a group',
    has: ['DESCRIBE TOPIC t'],
    ask: (c) => {
      const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }]
      return c.request(offsetFetch, 8, { groups })
    },
    denied: always({ groups: [{ groupId: 'g', errorCode: GROUP_DENIED, topics: [] }] }),
    needs: [['DESCRIBE GROUP g'], ['READ GROUP g']],
  },
  {
    what: 'OffsetFetch of a group before version 8',
    ask: (c) => c.request(offsetFetch, 7, { groupId: 'g', topics: [] }),
    denied: always({ errorCode: GROUP_DENIED, topics: [] }),
    needs: [['DESCRIBE GROUP g']],
  },
  {
    what: 'OffsetFetch of a topic',
    has: ['DESCRIBE GROUP g'],
    ask: (c) => {
      const groups = [{ groupId: 'g', topics: [{ name: 't', partitionIndexes: [0] }] }]
      return c.request(offsetFetch, 8, { groups })
    },
    denied: always({
      groups: [
        { errorCode: 0, topics: [{ partitions: [{ errorCode: TOPIC_DENIED, committedOffset: -1 }] }] },
      ],
    }),
    needs: [['DESCRIBE TOPIC t']],
  },
  {
    what: 'OffsetFetch of all topics',
    has: ['DESCRIBE GROUP g'],
    ask: (c) => c.request(offsetFetch, 8, { groups: [{ groupId: 'g', topics: null }] }),
    denied: always({ groups: [{ errorCode: 0, topics: [] }] }),
    needs: [['DESCRIBE TOPIC t']],
  },
  {
    what: 'FindCoordinator',
    ask: (c) => c.request(findCoordinator, 4, { coordinatorKeys: ['g'] }),
    denied: always({ coordinators: [{ key: 'g', errorCode: GROUP_DENIED, nodeId: -1 }] }),
    needs: [['DESCRIBE GROUP g']],
  },
  {
    what: 'JoinGroup',
    ask: (c) => {
      const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }]
      const body = {
        groupId: 'g',
        sessionTimeoutMs: 10_000,
        memberId: '',
        protocolType: 'consumer',
        protocols,
      }
      return c.request(joinGroup, 5, { ...body, rebalanceTimeoutMs: 10_000 })
    },
    denied: always({ errorCode: GROUP_DENIED, memberId: '' }),
    needs: [['READ GROUP g']],
  },
  {
    what: 'SyncGroup',
    ask: (c) => c.request(syncGroup, 3, { groupId: 'g', generationId: 1, memberId: 'm', assignments: [] }),
    denied: always({ errorCode: GROUP_DENIED }),
    needs: [['READ GROUP g']],
  },
  {
    what: 'Heartbeat',
    ask: (c) => c.request(heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' }),
    denied: always({ errorCode: GROUP_DENIED }),
    needs: [['READ GROUP g']],
  },
  {
    what: 'LeaveGroup',
    ask: (c) => c.request(leaveGroup, 4, { groupId: 'g', members: [{ memberId: 'm' }] }),
    denied: always({ errorCode: GROUP_DENIED }),
    needs: [['READ GROUP g']],
  },
  {
    what: 'DescribeGroups',
    ask: (c) => c.request(describeGroups, 5, { groups: ['g'] }),
    denied: always({ groups: [{ groupId: 'g', errorCode: GROUP_DENIED, members: [] }] }),
    needs: [['DESCRIBE GROUP g']],
  },
  {
    what: 'ListGroups',
    ask: (c) => c.request(listGroups, 4, { statesFilter: [] }),
    denied: always({ errorCode: 0, groups: [] }),
    needs: [['DESCRIBE GROUP g'], [`DESCRIBE CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'OffsetDelete of a group',
    ask: (c) => {
      const topics = [{ name: 'nothing', partitions: [{ partitionIndex: 0 }] }]
      return c.request(offsetDelete, 0, { groupId: 'g', topics })
    },
    denied: always({ errorCode: GROUP_DENIED, topics: [] }),
    needs: [['DELETE GROUP g']],
  },
  {
    what: 'OffsetDelete of a topic',
    has: ['DELETE GROUP g'],
    ask: (c) => {
      const topics = [{ name: 'nothing', partitions: [{ partitionIndex: 0 }] }]
      return c.request(offsetDelete, 0, { groupId: 'g', topics })
    },
    denied: always({ errorCode: 0, topics: [partition(TOPIC_DENIED)] }),
    needs: [['READ TOPIC nothing']],
  },
  {
    what: 'DeleteGroups',
    ask: (c) => c.request(deleteGroups, 2, { groupsNames: ['passing'] }),
    denied: always({ results: [{ groupId: 'passing', errorCode: GROUP_DENIED }] }),
    needs: [['DELETE GROUP passing']],
  },
  {
    what: 'CreateTopics',
    ask: (c) =>
      c.request(createTopics, 7, { topics: [creatable('made')], timeoutMs: 5000, validateOnly: true }),
    denied: always({ topics: [{ name: 'made', errorCode: TOPIC_DENIED, topicId: ZERO_UUID }] }),
    needs: [['CREATE TOPIC made'], ['CREATE TOPIC m*'], [`CREATE CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'the configs of a created topic',
    has: ['CREATE TOPIC made'],
    ask: (c) =>
      c.request(createTopics, 7, { topics: [creatable('made')], timeoutMs: 5000, validateOnly: true }),
    denied: always({ topics: [{ errorCode: 0, topicConfigErrorCode: TOPIC_DENIED, numPartitions: -1 }] }),
    needs: [['DESCRIBE_CONFIGS TOPIC made'], ['ALTER_CONFIGS TOPIC made']],
  },
  {
    what: 'DeleteTopics by name, of one that does not exist',
    ask: (c) => c.request(deleteTopics, 5, { topicNames: ['nothing'], timeoutMs: 5000 }),
    denied: always({ responses: [{ name: 'nothing', errorCode: TOPIC_DENIED }] }),
    needs: [['DELETE TOPIC nothing'], [`DELETE CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'DeleteTopics by id, whose name stays hidden',
    ask: (c, { gone }) => c.request(deleteTopics, 6, { topics: [{ topicId: gone }], timeoutMs: 5000 }),
    denied: ({ gone }) => ({ responses: [{ name: null, topicId: gone, errorCode: TOPIC_DENIED }] }),
    needs: [['DESCRIBE TOPIC gone']],
  },
  {
    what: 'DeleteTopics by id',
    has: ['DESCRIBE TOPIC gone'],
    ask: (c, { gone }) => c.request(deleteTopics, 6, { topics: [{ topicId: gone }], timeoutMs: 5000 }),
    denied: ({ gone }) => ({ responses: [{ name: 'gone', topicId: gone, errorCode: TOPIC_DENIED }] }),
    needs: [['DELETE TOPIC gone']],
  },
  {
    what: 'DeleteRecords',
    has: ['WRITE TOPIC t'],
    ask: (c) => {
      const topics = [{ name: 't', partitions: [{ partitionIndex: 0, offset: 0n }] }]
      return c.request(deleteRecords, 2, { topics, timeoutMs: 5000 })
    },
    denied: always({ topics: [{ name: 't', partitions: [{ lowWatermark: -1, errorCode: TOPIC_DENIED }] }] }),
    needs: [['DELETE TOPIC t']],
  },
  {
    what: 'InitProducerId without a transactional id',
    ask: (c) => c.request(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1000 }),
    denied: always({ errorCode: CLUSTER_DENIED, producerId: -1 }),
    needs: [[`IDEMPOTENT_WRITE CLUSTER ${CLUSTER}`], ['WRITE TOPIC whatever'], ['ALL TOPIC w*']],
  },
  {
    what: 'CreatePartitions',
    ask: (c) => {
      const topics = [{ name: 't', count: 1, assignments: null }]
      return c.request(createPartitions, 3, { topics, timeoutMs: 5000, validateOnly: true })
    },
    denied: always({ results: [{ name: 't', errorCode: TOPIC_DENIED }] }),
    needs: [['ALTER TOPIC t']],
  },
  ...RESOURCES.flatMap(({ type, name, needs, code, key }): Denial[] => [
    {
      what: `DescribeConfigs of ${needs}`,
      ask: (c) => {
        const resources = [{ ...resource(type, name), configurationKeys: [key] }]
        return c.request(describeConfigs, 4, { resources })
      },
      denied: always({ results: [{ ...resource(type, name), errorCode: code, configs: [] }] }),
      needs: [[`DESCRIBE_CONFIGS ${needs}`], [`ALTER_CONFIGS ${needs}`]],
    },
    {
      what: `AlterConfigs of ${needs}`,
      ask: (c) => {
        const resources = [{ ...resource(type, name), configs: [] }]
        return c.request(alterConfigs, 2, { resources, validateOnly: true })
      },
      denied: always({ responses: [{ ...resource(type, name), errorCode: code }] }),
      needs: [[`ALTER_CONFIGS ${needs}`]],
    },
    {
      what: `IncrementalAlterConfigs of ${needs}`,
      ask: (c) => {
        const configs = [{ name: key, configOperation: 0, value: '60000' }]
        const resources = [{ ...resource(type, name), configs }]
        return c.request(incrementalAlterConfigs, 1, { resources, validateOnly: true })
      },
      denied: always({ responses: [{ ...resource(type, name), errorCode: code }] }),
      needs: [[`ALTER_CONFIGS ${needs}`]],
    },
  ]),
  {
    what: 'ListConfigResources',
    ask: (c) => c.request(listConfigResources, 1, { resourceTypes: [] }),
    denied: always({ errorCode: CLUSTER_DENIED, configResources: [] }),
    needs: [[`DESCRIBE_CONFIGS CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'ElectLeaders',
    ask: (c) => {
      const topicPartitions = [{ topic: 't', partitions: [0] }]
      return c.request(electLeaders, 2, { electionType: 0, topicPartitions, timeoutMs: 5000 })
    },
    denied: always({ errorCode: CLUSTER_DENIED }),
    needs: [[`ALTER CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'AlterPartitionReassignments',
    ask: (c) => c.request(alterPartitionReassignments, 0, { timeoutMs: 5000, topics: [] }),
    denied: always({ errorCode: CLUSTER_DENIED }),
    needs: [[`ALTER CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'ListPartitionReassignments',
    ask: (c) => c.request(listPartitionReassignments, 0, { timeoutMs: 5000, topics: null }),
    denied: always({ errorCode: CLUSTER_DENIED, topics: [] }),
    needs: [[`DESCRIBE CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'UpdateFeatures',
    ask: (c) => {
      const featureUpdates = [{ feature: 'metadata.version', maxVersionLevel: 30, upgradeType: 1 }]
      return c.request(updateFeatures, 2, { timeoutMs: 5000, featureUpdates, validateOnly: true })
    },
    denied: always({ errorCode: CLUSTER_DENIED }),
    needs: [[`ALTER CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'UnregisterBroker',
    ask: (c) => c.request(unregisterBroker, 0, { brokerId: 4711 }),
    denied: always({ errorCode: CLUSTER_DENIED }),
    needs: [[`ALTER CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'DescribeTopicPartitions',
    ask: (c) => c.request(describeTopicPartitions, 0, { topics: [{ name: 't' }], cursor: null }),
    denied: always({ topics: [{ errorCode: TOPIC_DENIED, name: 't', topicId: ZERO_UUID, partitions: [] }] }),
    needs: [['DESCRIBE TOPIC t']],
  },
  {
    what: 'DescribeTopicPartitions of all topics',
    ask: (c) => c.request(describeTopicPartitions, 0, { topics: [], cursor: null }),
    denied: always({ topics: [] }),
    needs: [['DESCRIBE TOPIC t']],
  },
  {
    what: 'DescribeLogDirs',
    ask: (c) => c.request(describeLogDirs, 4, { topics: null }),
    denied: always({ errorCode: CLUSTER_DENIED, results: [] }),
    needs: [[`DESCRIBE CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'AlterReplicaLogDirs',
    ask: (c) => {
      const dirs = [{ path: '/nowhere', topics: [{ name: 't', partitions: [0] }] }]
      return c.request(alterReplicaLogDirs, 2, { dirs })
    },
    denied: always({
      results: [{ topicName: 't', partitions: [{ partitionIndex: 0, errorCode: CLUSTER_DENIED }] }],
    }),
    needs: [[`ALTER CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'DescribeQuorum',
    ask: (c) => {
      const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
      return c.request(describeQuorum, 1, { topics })
    },
    denied: always({ errorCode: CLUSTER_DENIED, topics: [] }),
    needs: [[`DESCRIBE CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'the operations of the cluster in DescribeCluster',
    ask: (c) => c.request(describeCluster, 1, { includeClusterAuthorizedOperations: true }),
    denied: always({ errorCode: 0, clusterAuthorizedOperations: 0 }),
    needs: [[`DESCRIBE CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'DescribeAcls',
    ask: (c) => c.request(describeAcls, 3, anyAcl),
    denied: always({ errorCode: CLUSTER_DENIED, resources: [] }),
    needs: [[`DESCRIBE CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'CreateAcls',
    // Once it is allowed this is refused for its name: nothing comes of it.
    ask: (c) => c.request(createAcls, 3, { creations: [creation('READ CLUSTER other', '*')] }),
    denied: always({ results: [{ errorCode: CLUSTER_DENIED }] }),
    needs: [[`ALTER CLUSTER ${CLUSTER}`]],
  },
  {
    what: 'DeleteAcls',
    ask: (c) => c.request(deleteAcls, 3, { filters: [anyAcl] }),
    denied: always({ filterResults: [{ errorCode: CLUSTER_DENIED, matchingAcls: [] }] }),
    needs: [[`ALTER CLUSTER ${CLUSTER}`]],
  },
]

function creation(grant: Grant, host: string) {
  const [operation, type, name = ''] = grant.split(' ') as [
    keyof typeof AclOperation,
    keyof typeof ResourceType,
    string,
  ]
  const isPrefix = name.length > 1 && name.endsWith('*')
  return {
    resourceType: ResourceType[type],
    resourceName: isPrefix ? name.slice(0, -1) : name,
    resourcePatternType: isPrefix ? PatternType.PREFIXED : PatternType.LITERAL,
    principal: 'User:ANONYMOUS',
    host,
    operation: AclOperation[operation],
    permissionType: PermissionType.ALLOW,
  }
}

/** A coordinator may still be on its way. */
async function untilDone(what: string, attempt: () => Promise<number | undefined>): Promise<void> {
  const passing: unknown[] = [
    Errors.COORDINATOR_NOT_AVAILABLE,
    Errors.COORDINATOR_LOAD_IN_PROGRESS,
    Errors.NOT_COORDINATOR,
  ]
  for (let code = await attempt(); code !== Errors.NONE; code = await attempt()) {
    if (!passing.includes(code)) throw new Error(`${what}: error ${code}`)
  }
}

/** Makes the topics, the group and the ACLs of the administrator; from then on everybody else has no right at all. */
export async function shutOutStrangers(admin: RawClient): Promise<Ids> {
  for (const name of ['t', 'gone']) await admin.createTopic(name)
  await untilDone('FindCoordinator', async () => {
    const { coordinators } = await admin.request(findCoordinator, 4, { coordinatorKeys: ['g'] })
    return coordinators[0]?.errorCode
  })
  for (const groupId of ['g', 'passing']) {
    await untilDone('OffsetCommit', async () => {
      const { topics } = await admin.request(offsetCommit, 8, { ...commit, groupId })
      return topics[0]?.partitions[0]?.errorCode
    })
  }
  const all: Grant[] = ['ALL TOPIC *', 'ALL GROUP *', `ALL CLUSTER ${CLUSTER}`, 'ALL TRANSACTIONAL_ID *']
  await grant(admin, all, ADMIN)
  return { t: await admin.topicId('t'), gone: await admin.topicId('gone') }
}

export async function grant(admin: RawClient, grants: readonly Grant[], host = STRANGER): Promise<void> {
  if (grants.length === 0) return
  const { results } = await admin.request(createAcls, 3, {
    creations: grants.map((one) => creation(one, host)),
  })
  const failed = results.find(({ errorCode }) => errorCode !== Errors.NONE)
  if (failed !== undefined) throw new Error(`CreateAcls: ${failed.errorMessage}`)
}

/** Takes every right of the stranger back. */
export async function revokeAll(admin: RawClient): Promise<void> {
  const filters = [{ ...anyAcl, principalFilter: null, hostFilter: STRANGER }]
  const { filterResults } = await admin.request(deleteAcls, 3, { filters })
  if (filterResults[0]?.errorCode !== Errors.NONE) throw new Error('DeleteAcls failed')
}

// Denials of topics, configs, the cluster and its ACLs to those who administer them.
import {
  alterConfigs,
  alterPartitionReassignments,
  alterReplicaLogDirs,
  createAcls,
  createPartitions,
  createTopics,
  deleteAcls,
  deleteRecords,
  deleteTopics,
  describeAcls,
  describeCluster,
  describeConfigs,
  describeLogDirs,
  describeQuorum,
  describeTopicPartitions,
  electLeaders,
  incrementalAlterConfigs,
  initProducerId,
  listConfigResources,
  listPartitionReassignments,
  unregisterBroker,
  updateFeatures,
  ZERO_UUID,
} from '../../../ts/protocol/index.js'
import { always, CLUSTER, CLUSTER_DENIED, type Denial, GROUP_DENIED, TOPIC_DENIED } from './denial.js'
import { anyAcl, creation } from './rights.js'

const creatable = (name: string) => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
})
const resource = (resourceType: number, resourceName: string) => ({ resourceType, resourceName })
const RESOURCES = [
  { type: 2, name: 't', needs: 'TOPIC t', code: TOPIC_DENIED, key: 'retention.ms' },
  { type: 4, name: '0', needs: `CLUSTER ${CLUSTER}`, code: CLUSTER_DENIED, key: 'log.retention.ms' },
  { type: 32, name: 'g', needs: 'GROUP g', code: GROUP_DENIED, key: 'consumer.session.timeout.ms' },
] as const

export const administrationDenials: readonly Denial[] = [
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

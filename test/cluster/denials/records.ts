// Denials of what reads and writes records, and of what tells where they are.
import {
  describeProducers,
  fetch,
  listOffsets,
  metadata,
  offsetForLeaderEpoch,
  produce,
  ZERO_UUID,
} from '../../../ts/protocol/index.js'
import { recordBatch } from '../../record-batch.js'
import { produceRequest } from '../raw-client.js'
import { always, CLUSTER, type Denial, partition, TOPIC_DENIED } from './denial.js'

const named = (name: string, allowAutoTopicCreation = false) => ({
  topics: [{ name }],
  allowAutoTopicCreation,
  includeTopicAuthorizedOperations: false,
})
const fetched = { maxWaitMs: 0, minBytes: 0, forgottenTopicsData: [] }
const fetchedPartitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]

export const recordDenials: readonly Denial[] = [
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
]

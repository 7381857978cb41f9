/**
 * AddPartitionsToTxn (key 24): takes partitions into an ongoing transaction.
 * v2 PRODUCER_FENCED · v3 flexible · v4 for brokers alone: several transactions in one request, and verifying without
 * adding · v5 TRANSACTION_ABORTABLE (KIP-890). Clients stay at v3, hence the fields that end there.
 */
import { array, bool, int16, int32, int64, string } from '../notation.js'
import { api } from '../table.js'

const topic = { name: string(), partitions: array(int32()) }

const topicResult = {
  name: string(),
  resultsByPartition: array({ partitionIndex: int32(), partitionErrorCode: int16() }),
}

export const addPartitionsToTxn = api({
  key: 24,
  name: 'AddPartitionsToTxn',
  versions: [0, 5],
  flexible: 3,
  request: {
    transactions: array(
      {
        transactionalId: string(),
        producerId: int64(),
        producerEpoch: int16(),
        verifyOnly: bool({ default: false }),
        topics: array(topic),
      },
      { since: 4 },
    ),
    v3AndBelowTransactionalId: string({ until: 3 }),
    v3AndBelowProducerId: int64({ until: 3 }),
    v3AndBelowProducerEpoch: int16({ until: 3 }),
    v3AndBelowTopics: array(topic, { until: 3 }),
  },
  response: {
    throttleTimeMs: int32({ default: 0 }),
    errorCode: int16({ since: 4 }),
    resultsByTransaction: array(
      { transactionalId: string(), topicResults: array(topicResult) },
      { since: 4 },
    ),
    resultsByTopicV3AndBelow: array(topicResult, { until: 3 }),
  },
})

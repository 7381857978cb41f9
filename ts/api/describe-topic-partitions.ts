/**
 * DescribeTopicPartitions (key 75), v0: topics by name, page by page. A page ends where the partition limit is
 * reached; its cursor names the partition to begin with next.
 */
import {
  describeTopicPartitions,
  Errors,
  OPERATIONS_OMITTED,
  type RequestOf,
  type ResponseOf,
  ZERO_UUID,
} from '../protocol/index.js'
import { partitionsSorted, type TopicImage, topicByName, topicsSorted } from '../state/image.js'
import { partitionView } from '../state/image-view.js'
import { isInternalTopic, topicNameError } from '../state/topic-name.js'
import { authorizedOperations } from './authorize.js'
import type { BrokerView } from './broker-view.js'
import { type Call, type Handler, serve } from './handler.js'

/** Kafka's default of max.request.partition.size.limit. */
const MAX_PARTITIONS_PER_PAGE = 2000
/** The newest Metadata version: how partitions without a leader are shown. */
const METADATA_VERSION = 13

type Described = ResponseOf<typeof describeTopicPartitions>['topics'][number]
type Cursor = ResponseOf<typeof describeTopicPartitions>['nextCursor']

export const describeTopicPartitionsHandler: Handler = serve(
  describeTopicPartitions,
  (call, body, broker) => {
    if (body.cursor !== null && body.cursor.partitionIndex < 0) {
      call.close(`the cursor's partition must be valid, and is ${body.cursor.partitionIndex}`)
      return
    }
    const { names, refused } = askedNames(call, body, broker)
    const page = new Page(call, body, broker)
    for (const name of names) if (!page.take(name)) break
    call.reply({ topics: [...page.topics, ...refused], nextCursor: page.nextCursor })
  },
)

/** In order, from the cursor on. What one may not see is left out when all are asked for, else refused. */
function askedNames(
  call: Call<typeof describeTopicPartitions>,
  { topics, cursor }: RequestOf<typeof describeTopicPartitions>,
  { authorizer, image }: BrokerView,
): { names: string[]; refused: Described[] } {
  const all = topics.length === 0
  const asked = all ? topicsSorted(image()).map(({ name }) => name) : topics.map(({ name }) => name)
  const mayDescribe = new Set(
    asked.filter((name) => authorizer.allows(call, 'DESCRIBE', 'TOPIC', name, all ? 'granted' : 'all')),
  )
  const names = [...new Set(asked)].sort().filter((name) => cursor === null || name >= cursor.topicName)
  const hidden = all ? [] : names.filter((name) => !mayDescribe.has(name))
  return {
    names: names.filter((name) => mayDescribe.has(name)),
    refused: hidden.map((name) => failed(name, Errors.TOPIC_AUTHORIZATION_FAILED)),
  }
}

class Page {
  readonly topics: Described[] = []
  nextCursor: Cursor = null
  private room: number

  constructor(
    private readonly call: Call<typeof describeTopicPartitions>,
    private readonly body: RequestOf<typeof describeTopicPartitions>,
    private readonly broker: BrokerView,
  ) {
    this.room = Math.max(1, Math.min(MAX_PARTITIONS_PER_PAGE, body.responsePartitionLimit))
  }

  /** False when the page is full. */
  take(topicName: string): boolean {
    const topic = topicByName(this.broker.image(), topicName)
    if (this.room === 0) {
      this.nextCursor = { topicName, partitionIndex: 0 }
      return false
    }
    if (topic === undefined) {
      const isValid = topicNameError(topicName) === null
      const errorCode = isValid ? Errors.UNKNOWN_TOPIC_OR_PARTITION : Errors.INVALID_TOPIC_EXCEPTION
      this.topics.push(failed(topicName, errorCode))
      return true
    }
    const { cursor } = this.body
    const first = cursor?.topicName === topicName ? cursor.partitionIndex : 0
    const rest = partitionsSorted(topic).filter(({ partition }) => partition >= first)
    const shown = rest.slice(0, this.room)
    this.topics.push(this.describe(topic, shown))
    this.room -= shown.length
    const next = rest[shown.length]
    if (next !== undefined) this.nextCursor = { topicName, partitionIndex: next.partition }
    return next === undefined
  }

  private describe(
    { name, topicId }: TopicImage,
    partitions: ReturnType<typeof partitionsSorted>,
  ): Described {
    const { authorizer, image } = this.broker
    const { call } = this
    return {
      errorCode: Errors.NONE,
      name,
      topicId,
      isInternal: isInternalTopic(name),
      partitions: partitions.map((partition) => {
        const view = partitionView(image(), partition, call.listener, METADATA_VERSION)
        return {
          ...view,
          replicaNodes: [...view.replicaNodes],
          isrNodes: [...view.isrNodes],
          offlineReplicas: [...view.offlineReplicas],
          eligibleLeaderReplicas: [...partition.eligibleLeaderReplicas],
          lastKnownElr: [...partition.lastKnownElr],
        }
      }),
      topicAuthorizedOperations: authorizedOperations(authorizer, call, 'TOPIC', name),
    }
  }
}

function failed(name: string, errorCode: number): Described {
  return {
    errorCode,
    name,
    topicId: ZERO_UUID,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: OPERATIONS_OMITTED,
  }
}

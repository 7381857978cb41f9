/**
 * DescribeLogDirs (key 35) v0–5 and DescribeQuorum (key 55) v0–2: this broker's folders with the sizes of their logs,
 * and the voters of the metadata log. They read a description of the node and change nothing.
 */
import {
  describeLogDirs,
  describeQuorum,
  Errors,
  errorMessage,
  type RequestOf,
  ZERO_UUID,
} from '../protocol/index.js'
import { CLUSTER_METADATA_TOPIC } from '../state/topic-name.js'
import { type Asker, CLUSTER_NAME } from './authorize.js'
import type { BrokerView, DescribedLogDir, DescribedReplica } from './broker-view.js'
import { type Handler, serve } from './handler.js'

const mayDescribe = ({ authorizer }: BrokerView, asker: Asker): boolean =>
  authorizer.allows(asker, 'DESCRIBE', 'CLUSTER', CLUSTER_NAME)

type LogDirsRequest = RequestOf<typeof describeLogDirs>

export const nodeHandlers: readonly Handler[] = [
  serve(describeLogDirs, (call, { topics }, broker) => {
    if (!mayDescribe(broker, call)) {
      call.reply({ errorCode: Errors.CLUSTER_AUTHORIZATION_FAILED, results: [] })
      return
    }
    call.reply({
      errorCode: Errors.NONE,
      results: broker.describeNode().logDirs.map((logDir) => ({
        errorCode: logDir.online ? Errors.NONE : Errors.KAFKA_STORAGE_ERROR,
        logDir: logDir.path,
        topics: logDir.online ? sizesOf(logDir, topics) : [],
        totalBytes: logDir.volume?.totalBytes ?? -1,
        usableBytes: logDir.volume?.usableBytes ?? -1,
        isCordoned: false,
      })),
    })
  }),

  serve(describeQuorum, (call, body, broker) => {
    if (!mayDescribe(broker, call)) {
      const errorCode = Errors.CLUSTER_AUTHORIZATION_FAILED
      call.reply({ errorCode, errorMessage: errorMessage(errorCode), topics: [], nodes: [] })
      return
    }
    const { voters } = broker.describeNode().quorum
    call.reply({
      errorCode: Errors.NONE,
      errorMessage: null,
      topics: body.topics.map(({ topicName, partitions }) => ({
        topicName,
        partitions: partitions.map(({ partitionIndex }) => quorumOf(broker, topicName, partitionIndex)),
      })),
      nodes:
        call.version < 2
          ? []
          : broker
              .brokers(call.listener)
              .filter(({ nodeId }) => voters.some((voter) => voter.nodeId === nodeId))
              .map(({ nodeId, host, port }) => ({
                nodeId,
                listeners: [{ name: call.listener, host, port }],
              })),
    })
  }),
]

/** Null topics: all of them. */
function sizesOf({ partitions }: DescribedLogDir, asked: LogDirsRequest['topics']) {
  const wanted = asked === null ? null : new Map(asked.map((one) => [one.topic, new Set(one.partitions)]))
  const topics = new Map<string, { name: string; partitions: ReturnType<typeof sizeOf>[] }>()
  for (const { topic: name, partition, ...one } of partitions) {
    if (wanted !== null && wanted.get(name)?.has(partition) !== true) continue
    const topic = topics.get(name) ?? { name, partitions: [] }
    topic.partitions.push(sizeOf(partition, one))
    topics.set(name, topic)
  }
  return [...topics.values()]
}

function sizeOf(
  partitionIndex: number,
  {
    size,
    offsetLag,
    isFuture,
  }: Pick<DescribedLogDir['partitions'][number], 'size' | 'offsetLag' | 'isFuture'>,
) {
  return { partitionIndex, partitionSize: size, offsetLag, isFutureKey: isFuture }
}

function quorumOf(broker: BrokerView, topicName: string, partitionIndex: number) {
  const { leaderId, epoch, highWatermark, voters, observers } = broker.describeNode().quorum
  const refuse = (errorCode: number) => ({
    partitionIndex,
    errorCode,
    errorMessage: errorMessage(errorCode),
    leaderId: -1,
    leaderEpoch: 0,
    highWatermark: 0,
    currentVoters: [],
    observers: [],
  })
  if (topicName !== CLUSTER_METADATA_TOPIC || partitionIndex !== 0) {
    return refuse(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  }
  // Only the leader knows how far the others are.
  if (leaderId !== broker.nodeId) return refuse(Errors.NOT_LEADER_OR_FOLLOWER)
  const state = ({ nodeId, logEndOffset }: DescribedReplica) => {
    // The leader has always just caught up with itself.
    const at = nodeId === leaderId ? broker.wallMs() : -1
    return {
      replicaId: nodeId,
      replicaDirectoryId: broker.image().brokers.get(nodeId)?.logDirs[0] ?? ZERO_UUID,
      logEndOffset,
      lastFetchTimestamp: at,
      lastCaughtUpTimestamp: at,
    }
  }
  return {
    partitionIndex,
    errorCode: Errors.NONE,
    errorMessage: null,
    leaderId,
    leaderEpoch: epoch,
    highWatermark,
    currentVoters: voters.map(state),
    observers: observers.map(state),
  }
}

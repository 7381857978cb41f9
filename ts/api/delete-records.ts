/**
 * DeleteRecords (key 21), v0–2: moves the log start offset of partitions up; −1 means the high watermark. The answer
 * comes when every log start is on disk. Refused without DELETE on the topic, for internal topics, where another
 * broker leads, and by the data plane where the topic is not deleted from or the offset is beyond the high watermark.
 */
import { deleteRecords, Errors, type RequestOf, type ResponseOf } from '../protocol/index.js'
import { topicByName } from '../state/image.js'
import { isInternalTopic } from '../state/topic-name.js'
import type { BrokerView } from './broker-view.js'
import { type Call, type Handler, serve } from './handler.js'

type Request = RequestOf<typeof deleteRecords>
type AskedPartition = Request['topics'][number]['partitions'][number]
type DeletedPartition = ResponseOf<typeof deleteRecords>['topics'][number]['partitions'][number]

const NO_LOW_WATERMARK = -1

export const deleteRecordsHandler: Handler = serve(deleteRecords, (call, { topics }, broker) => {
  const answers = topics.map(({ name }) => ({ name, partitions: [] as DeletedPartition[] }))
  let missing = topics.reduce((sum, { partitions }) => sum + partitions.length, 0)
  if (missing === 0) {
    call.reply({ topics: answers })
    return
  }
  topics.forEach(({ name, partitions }, at) => {
    for (const asked of partitions) {
      deleteFrom(call, name, asked, broker, (lowWatermark, errorCode) => {
        answers[at]?.partitions.push({ partitionIndex: asked.partitionIndex, lowWatermark, errorCode })
        missing -= 1
        if (missing === 0) call.reply({ topics: answers })
      })
    }
  })
})

function deleteFrom(
  call: Call<typeof deleteRecords>,
  name: string,
  { partitionIndex, offset }: AskedPartition,
  broker: BrokerView,
  answer: (lowWatermark: number, errorCode: number) => void,
): void {
  const refuse = (errorCode: number) => answer(NO_LOW_WATERMARK, errorCode)
  if (!broker.authorizer.allows(call, 'DELETE', 'TOPIC', name)) {
    refuse(Errors.TOPIC_AUTHORIZATION_FAILED)
    return
  }
  const topic = topicByName(broker.image(), name)
  const partition = topic?.partitions.get(partitionIndex)
  if (topic === undefined || partition === undefined) refuse(Errors.UNKNOWN_TOPIC_OR_PARTITION)
  else if (isInternalTopic(name)) refuse(Errors.INVALID_TOPIC_EXCEPTION)
  else if (partition.leader !== broker.nodeId) refuse(Errors.NOT_LEADER_OR_FOLLOWER)
  else {
    const { leaderEpoch } = partition
    const deletion = {
      topicId: topic.topicId,
      partition: partitionIndex,
      leaderEpoch,
      offset: nearestOffset(offset),
    }
    broker.deleteRecords(deletion, (deleted) => answer(deleted.lowWatermark, deleted.errorCode))
  }
}

/** What is beyond the numbers is beyond every log all the same. */
function nearestOffset(offset: bigint): number {
  return Math.min(Math.max(Number(offset), Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER)
}

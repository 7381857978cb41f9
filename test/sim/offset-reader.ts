// Clients that ask for the committed offsets of groups; members or not, the answer is the group's.
import { Errors, offsetFetch, type ResponseOf } from '../../ts/protocol/index.js'
import { Reader } from './reader.js'
import type { PartitionTruth } from './truth.js'

type Reply = ResponseOf<typeof offsetFetch>
type ToldTopic = Reply['topics'][number] | Reply['groups'][number]['topics'][number]

export abstract class OffsetReader extends Reader {
  /** `onOffsets` gets the offset of each partition, −1 for none, unless there was an error. */
  protected askOffsets(
    group: string,
    partitions: readonly PartitionTruth[],
    onOffsets: (errorCode: number, committed: ReadonlyMap<PartitionTruth, number>) => void,
  ): void {
    const { commits } = this.stage
    const version = this.versionOf(offsetFetch)
    const askedAt = commits.moment()
    const topics = [...new Set(partitions.map(({ topic }) => topic))].map(({ name, topicId }) => ({
      name,
      topicId,
      partitionIndexes: partitions.filter(({ topic }) => topic.name === name).map(({ index }) => index),
    }))
    const request = { groupId: group, topics, groups: [{ groupId: group, topics }] }
    this.ask(offsetFetch, version, request, (reply) => {
      const found = version < 8 ? reply : reply.groups[0]
      const oldError = reply.topics[0]?.partitions[0]?.errorCode ?? 0
      const errorCode = version < 2 ? oldError : (found?.errorCode ?? -1)
      const committed = new Map<PartitionTruth, number>()
      if (errorCode === Errors.NONE) {
        for (const partition of partitions) {
          const told = found?.topics
            .find((topic) => isTopic(topic, partition))
            ?.partitions.find(({ partitionIndex }) => partitionIndex === partition.index)
          if (told === undefined || told.errorCode !== Errors.NONE)
            throw this.unexpected(`OffsetFetch of ${partition.name}`, told?.errorCode ?? -1)
          commits.fetched(group, partition.name, askedAt, told.committedOffset, told.metadata)
          committed.set(partition, told.committedOffset)
        }
      }
      onOffsets(errorCode, committed)
    })
  }
}

/** From version 10 on topics have ids only. */
function isTopic(told: ToldTopic, { topic }: PartitionTruth): boolean {
  return told.name === topic.name || ('topicId' in told && told.topicId === topic.topicId)
}

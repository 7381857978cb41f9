/**
 * Topics as Metadata answers them, encoded once for all answers: what a topic looks like changes with the topic or with
 * the brokers, and clients ask far more often. Authorised operations are nobody else's: such answers are not kept.
 */
import { type Encoded, Errors, encodeElement, metadata, OPERATIONS_OMITTED } from '../protocol/index.js'
import { type MetadataImage, partitionsSorted, type TopicImage } from '../state/image.js'
import { partitionView } from '../state/image-view.js'
import { isInternalTopic } from '../state/topic-name.js'

interface Kept {
  readonly brokers: MetadataImage['brokers']
  /** By version and listener. */
  readonly views: Map<string, Encoded>
}

/** An image that changes has new objects where it does: what is kept of the old ones goes with them. */
const kept = new WeakMap<TopicImage, Kept>()

/** The topic as it is seen through `listener`, for an answer of this version. */
export function encodedTopic(
  image: MetadataImage,
  topic: TopicImage,
  listener: string,
  version: number,
): Encoded {
  let known = kept.get(topic)
  if (known === undefined || known.brokers !== image.brokers) {
    known = { brokers: image.brokers, views: new Map() }
    kept.set(topic, known)
  }
  const key = `${version} ${listener}`
  const view = known.views.get(key)
  if (view !== undefined) return view
  const described = describedTopic(image, topic, listener, version, OPERATIONS_OMITTED)
  const encoded = encodeElement(metadata, version, 'topics', described)
  known.views.set(key, encoded)
  return encoded
}

export function describedTopic(
  image: MetadataImage,
  topic: TopicImage,
  listener: string,
  version: number,
  topicAuthorizedOperations: number,
) {
  return {
    errorCode: Errors.NONE,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: partitionsSorted(topic).map((partition) =>
      partitionView(image, partition, listener, version),
    ),
    topicAuthorizedOperations,
  }
}

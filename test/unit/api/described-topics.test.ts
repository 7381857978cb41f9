/** Topics that are encoded once for all answers: never another's bytes, never yesterday's. */
import { describe, expect, it } from 'vitest'
import { describedTopic, encodedTopic } from '../../../ts/api/described-topics.js'
import { encodeElement, metadata, OPERATIONS_OMITTED } from '../../../ts/protocol/index.js'
import { type MetadataImage, topicByName } from '../../../ts/state/image.js'
import { applyRecords } from '../../../ts/state/image-delta.js'
import { type MetadataRecord, metadataRecord } from '../../../ts/state/metadata-records.js'
import { partitionChange } from '../../../ts/state/partition-change.js'
import { broker, TestController, topic } from '../state/metadata-fixture.js'

const listeners = [
  { name: 'PLAINTEXT', host: 'inside', port: 9092, securityProtocol: 0 },
  { name: 'OUTSIDE', host: 'outside', port: 9093, securityProtocol: 0 },
]

function topicOf(image: MetadataImage, name = 't') {
  const found = topicByName(image, name)
  if (found === undefined) throw new Error(`no topic ${name}`)
  return found
}

/** What is kept, which must be what an encoder says now. */
function kept(image: MetadataImage, listener = 'PLAINTEXT', version = 12): string {
  const { bytes } = encodedTopic(image, topicOf(image), listener, version)
  const now = describedTopic(image, topicOf(image), listener, version, OPERATIONS_OMITTED)
  expect(bytes).toEqual(encodeElement(metadata, version, 'topics', now).bytes)
  return bytes.toString('hex')
}

const started = () => {
  const controller = new TestController().withBrokers(broker(1, { endPoints: listeners }))
  controller.create([topic('t', { numPartitions: 3 })])
  return controller
}

describe('the encoded metadata of a topic', () => {
  it('is kept while neither the topic nor a broker changes', () => {
    const { image } = started()
    const first = encodedTopic(image, topicOf(image), 'PLAINTEXT', 12)
    const elsewhere = applyRecords(image, image.offset + 1, 0, [
      metadataRecord('TopicRecord', { name: 'u', topicId: 'AAAAAAAAAAAAAAAAAAAAKg' }),
    ])
    expect(encodedTopic(elsewhere.image, topicOf(elsewhere.image), 'PLAINTEXT', 12)).toBe(first)
  })

  it('differs by version and by listener', () => {
    const { image } = started()
    const all = [0, 1, 5, 7, 9, 10, 13].map((version) => kept(image, 'PLAINTEXT', version))
    expect(kept(image, 'PLAINTEXT', 0)).toBe(all[0])
    expect(new Set(all).size).toBe(6)
    expect(kept(image, 'NOWHERE')).not.toBe(kept(image))
  })

  it('follows the topic and the brokers', () => {
    const { image } = started()
    const before = kept(image)
    const change = (record: MetadataRecord) => kept(applyRecords(image, image.offset + 1, 0, [record]).image)
    const { topicId } = topicOf(image)
    const led = partitionChange(topicId, 1, { leader: -1 })
    const fenced = metadataRecord('BrokerRegistrationChangeRecord', {
      brokerId: 1,
      brokerEpoch: image.brokers.get(1)?.epoch ?? 0,
      fenced: 1,
      inControlledShutdown: 0,
      logDirs: [],
      cordonedLogDirs: null,
    })
    expect(new Set([before, change(led), change(fenced)]).size).toBe(3)
    expect(kept(image)).toBe(before)
  })
})

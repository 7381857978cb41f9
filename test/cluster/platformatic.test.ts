// @platformatic/kafka, with no setting beyond its brokers, through the whole of first light.
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'
import { describe, it } from 'vitest'
import { type Client, type Consumed, firstLight } from './first-light.js'

const platformatic: Client = {
  async produce(bootstrap, topic, first, count) {
    const producer = new Producer({
      clientId: 'first-light',
      bootstrapBrokers: [bootstrap],
      serializers: stringSerializers,
      idempotent: true,
      autocreateTopics: true,
    })
    let acked = 0
    for (let n = first; n < first + count; n += 5_000) {
      const messages = Array.from({ length: Math.min(5_000, first + count - n) }, (_, i) => ({
        topic,
        key: `k${n + i}`,
        value: `v${n + i}`,
      }))
      await producer.send({ messages })
      acked += messages.length
    }
    await producer.close()
    return acked
  },

  async consume(bootstrap, topic, group, count) {
    const consumer = new Consumer({
      clientId: 'first-light',
      groupId: group,
      bootstrapBrokers: [bootstrap],
      deserializers: stringDeserializers,
    })
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
    })
    const consumed: Consumed[] = []
    const positions = new Map<number, { offset: bigint; leaderEpoch: number }>()
    for await (const message of stream) {
      consumed.push({
        partition: message.partition,
        offset: Number(message.offset),
        value: String(message.value),
      })
      positions.set(message.partition, { offset: message.offset, leaderEpoch: 0 })
      if (consumed.length === count) break
    }
    await consumer.commit({
      offsets: [...positions].map(([partition, position]) => ({
        topic,
        partition,
        offset: position.offset + 1n,
        leaderEpoch: position.leaderEpoch,
      })),
    })
    await stream.close()
    await consumer.close(true)
    return consumed
  },

  async createTopic(bootstrap, topic, partitions) {
    const admin = new Admin({ clientId: 'first-light', bootstrapBrokers: [bootstrap] })
    await admin.createTopics({ topics: [topic], partitions, replicas: 1 })
    await admin.close()
  },
}

const { createTopic: _, ...withAutoCreation } = platformatic

describe('@platformatic/kafka', () => {
  it('produces, consumes in a group and resumes after a stop and after SIGKILL (topic created)', () =>
    firstLight(platformatic, 3))
  it('does the same on a topic that its first request creates', () => firstLight(withAutoCreation, 1))
})

// KafkaJS, with no setting beyond its brokers, through the whole of first light.
import { Kafka, logLevel } from 'kafkajs'
import { describe, it } from 'vitest'
import { type Client, type Consumed, firstLight } from './first-light.js'

const connect = (bootstrap: string) => new Kafka({ brokers: [bootstrap], logLevel: logLevel.ERROR })

const kafkajs: Client = {
  async produce(bootstrap, topic, first, count) {
    const producer = connect(bootstrap).producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    let acked = 0
    for (let n = first; n < first + count; n += 5_000) {
      const messages = Array.from({ length: Math.min(5_000, first + count - n) }, (_, i) => ({
        key: `k${n + i}`,
        value: `v${n + i}`,
      }))
      await producer.send({ topic, messages })
      acked += messages.length
    }
    await producer.disconnect()
    return acked
  },

  async consume(bootstrap, topic, group, count) {
    const consumer = connect(bootstrap).consumer({ groupId: group })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const consumed: Consumed[] = []
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
      const run = consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: async ({ batch, heartbeat, resolveOffset }) => {
          const wanted = batch.messages.slice(0, count - consumed.length)
          for (const [index, message] of wanted.entries()) {
            const offset = Number(message.offset)
            consumed.push({ partition: batch.partition, offset, value: String(message.value) })
            if (index % 1_000 === 0) await heartbeat()
          }
          const last = wanted.at(-1)
          if (last === undefined) return
          // Without it KafkaJS asks for these records again: a commit does not move where it reads.
          resolveOffset(last.offset)
          const offset = String(Number(last.offset) + 1)
          await consumer.commitOffsets([{ topic, partition: batch.partition, offset }])
          if (consumed.length === count) resolve()
        },
      })
      run.catch(reject)
    })
    await consumer.disconnect()
    return consumed
  },

  async createTopic(bootstrap, topic, partitions) {
    const admin = connect(bootstrap).admin()
    await admin.connect()
    await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true })
    await admin.disconnect()
  },
}

const { createTopic: _, ...withAutoCreation } = kafkajs

describe('KafkaJS', () => {
  it('produces, consumes in a group and resumes after a stop and after SIGKILL (topic created)', () =>
    firstLight(kafkajs, 3))
  it('does the same on a topic that its first request creates', () => firstLight(withAutoCreation, 1))
})

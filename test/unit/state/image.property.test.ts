// Random administration: the image is the same however the log is cut into batches, and deltas tell all of it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ZERO_UUID } from '../../../ts/protocol/index.js'
import type { MetadataImage } from '../../../ts/state/image.js'
import {
  CONFIG_TOPIC,
  configsOf,
  emptyImage,
  partitionsSorted,
  topicsSorted,
} from '../../../ts/state/image.js'
import type { MetadataDelta } from '../../../ts/state/image-delta.js'
import { applyRecords } from '../../../ts/state/image-delta.js'
import { broker, TestController, topic, uuid } from './metadata-fixture.js'

const name = fc.constantFrom('a', 'b', 'a.b', 'a_b', 'c')
const operation = fc.oneof(
  fc.record({
    do: fc.constant('create' as const),
    name,
    partitions: fc.integer({ min: 1, max: 40 }),
    value: fc.option(fc.string()),
  }),
  fc.record({ do: fc.constant('delete' as const), name }),
  fc.record({
    do: fc.constant('restart' as const),
    brokerId: fc.integer({ min: 1, max: 3 }),
    fenced: fc.boolean(),
  }),
)

/** Everything that an image says, as plain values. */
const plain = (image: MetadataImage) => ({
  topics: topicsSorted(image).map((one) => ({
    name: one.name,
    topicId: one.topicId,
    partitions: partitionsSorted(one),
    configs: [...configsOf(image, CONFIG_TOPIC, one.name)],
  })),
  ids: [...image.topicIds].sort(),
  configs: [...image.configs.keys()].sort(),
  brokers: [...image.brokers].sort(([a], [b]) => a - b),
})

/** A node that hears of deltas alone, as the data plane does. */
class Follower {
  readonly topics = new Map<
    string,
    { name: string; partitions: Map<number, unknown>; configs: [string, string][] }
  >()

  hear({ topics, removedTopics }: MetadataDelta, image: MetadataImage): void {
    for (const { topicId } of removedTopics)
      expect(this.topics.delete(topicId), 'it knew what goes').toBe(true)
    for (const [topicId, { topic, created, partitions, configsChanged }] of topics) {
      expect(this.topics.has(topicId), 'created means new').toBe(!created)
      const known = this.topics.get(topicId) ?? { name: topic.name, partitions: new Map(), configs: [] }
      for (const index of partitions) known.partitions.set(index, topic.partitions.get(index))
      if (configsChanged) known.configs = [...configsOf(image, CONFIG_TOPIC, topic.name)]
      this.topics.set(topicId, known)
    }
  }

  plain() {
    return [...this.topics]
      .map(([topicId, { name, partitions, configs }]) => ({
        name,
        topicId,
        partitions: [...partitions].sort(([a], [b]) => a - b).map(([, partition]) => partition),
        configs,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}

describe('random administration', () => {
  it('folds to one image in any batches, and to the same topics through deltas', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 40, size: 'max' }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (operations, sizes) => {
          const controller = new TestController().withBrokers(broker(1), broker(2))
          operations.forEach((one, index) => {
            if (one.do === 'create') {
              const configs = one.value === null ? [] : [{ name: 'k', value: one.value }]
              controller.create([topic(one.name, { numPartitions: one.partitions, configs })])
            } else if (one.do === 'delete') {
              const body = { topics: [{ name: one.name, topicId: ZERO_UUID }], topicNames: [], timeoutMs: 0 }
              controller.ask({ kind: 'delete-topics', to: 1, apiVersion: 6, body })
            } else {
              const incarnationId = uuid(5_000 + index)
              controller.withBrokers(broker(one.brokerId, { incarnationId, fenced: one.fenced }))
            }
          })
          const follower = new Follower()
          let image = emptyImage()
          for (let start = 0, turn = 0; start < controller.log.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1
            const batch = controller.log.slice(start, start + size)
            start += batch.length
            const next = applyRecords(image, start - 1, 0, batch)
            image = next.image
            follower.hear(next.delta, image)
          }
          expect(plain(image)).toEqual(plain(controller.image))
          expect(image.offset).toBe(controller.image.offset)
          expect(follower.plain()).toEqual(plain(image).topics)
          const epochs = topicsSorted(image).flatMap((one) =>
            partitionsSorted(one).map(({ isr, leader }) => [isr, leader]),
          )
          for (const [isr, leader] of epochs)
            expect(leader === -1 || (isr as number[]).includes(leader as number)).toBe(true)
        },
      ),
      { numRuns: 100 },
    )
  })
})

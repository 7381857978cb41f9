/** The memory that a control request may take follows the partitions there are. */
import { expect, it } from 'vitest'
import { BASE_BYTES, BYTES_PER_PARTITION, RequestMemory } from '../../../ts/runtime/request-memory.js'
import { emptyImage } from '../../../ts/state/image.js'
import { applyRecords } from '../../../ts/state/image-delta.js'
import { broker, TestController, topic } from '../state/metadata-fixture.js'

it('a request may take more when partitions come, and less when they go', () => {
  const controller = new TestController().withBrokers(broker(1))
  controller.create([topic('a', { numPartitions: 7 }), topic('b', { numPartitions: 3 })])
  const before = controller.log.length
  const topicId = controller.image.topicIds.get('a') ?? ''
  controller.ask({
    kind: 'delete-topics',
    to: 1,
    apiVersion: 6,
    body: { topics: [{ name: null, topicId }], topicNames: [], timeoutMs: 1000 },
  })
  const partitions = (memory: RequestMemory) => (memory.limit - BASE_BYTES) / BYTES_PER_PARTITION
  const memory = new RequestMemory()
  const first = applyRecords(emptyImage(), 0, 0, controller.log.slice(0, before))
  memory.onImage(first.image, null)
  expect(partitions(memory)).toBe(10)
  const second = applyRecords(first.image, 1, 0, controller.log.slice(before))
  memory.onImage(second.image, second.delta)
  expect(partitions(memory)).toBe(3)
  const again = new RequestMemory()
  again.onImage(emptyImage(), null)
  again.onImage(first.image, first.delta)
  expect(partitions(again)).toBe(10)
})

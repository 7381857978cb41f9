// The machine stops at every call that changes the disk while topics are created, grown and deleted: each of them is as it was
// before the request or as it was asked for, never between.
import { expect, it } from 'vitest'
import {
  createPartitions,
  createTopics,
  deleteTopics,
  describeConfigs,
  metadata,
  ZERO_UUID,
} from '../../../ts/protocol/index.js'
import { SimBroker } from './sim-broker.js'

const TOPICS = ['one', 'two']
const PARTITIONS = 4

const topic = (name: string) => ({
  name,
  numPartitions: PARTITIONS,
  replicationFactor: -1,
  assignments: [],
  configs: [{ name: 'retention.ms', value: '4711' }],
})

/** Partitions that can be written to and the config, by topic. */
function found(broker: SimBroker): Record<string, string> {
  const conn = broker.connect()
  const { topics } = broker.ask(conn, metadata, 12, { topics: null, allowAutoTopicCreation: false })
  return Object.fromEntries(
    topics.map(({ name, partitions }) => {
      const led = partitions.filter(({ errorCode, leaderId }) => errorCode === 0 && leaderId === 0).length
      const resources = [{ resourceType: 2, resourceName: name ?? '', configurationKeys: ['retention.ms'] }]
      const [described] = broker.ask(conn, describeConfigs, 4, { resources }).results
      return [name, `${led}/${partitions.length} ${described?.configs[0]?.value}`]
    }),
  )
}

it('a topic is whole or not there, wherever the machine stops', () => {
  const broker = new SimBroker()
  const conn = broker.connect()
  broker.disk.record()
  const steps: { readonly calls: number; readonly after: Record<string, string> }[] = [
    { calls: 0, after: {} },
  ]
  const step = (names: readonly string[], partitions: number) => {
    const after = Object.fromEntries(names.map((name) => [name, `${partitions}/${partitions} 4711`]))
    steps.push({ calls: broker.disk.calls(), after })
  }
  broker.ask(conn, createTopics, 7, { topics: TOPICS.map(topic), timeoutMs: 1000, validateOnly: false })
  step(TOPICS, PARTITIONS)
  const grown = TOPICS.map((name) => ({ name, count: PARTITIONS + 2, assignments: null }))
  broker.ask(conn, createPartitions, 3, { topics: grown, timeoutMs: 1000, validateOnly: false })
  step(TOPICS, PARTITIONS + 2)
  const deleted = TOPICS.map((name) => ({ name, topicId: ZERO_UUID }))
  broker.ask(conn, deleteTopics, 6, { topics: deleted, topicNames: [], timeoutMs: 1000 })
  step([], 0)

  const seen = new Set<string>()
  for (let calls = 0; calls <= broker.disk.calls(); calls += 1) {
    const disk = broker.disk.fork(calls, calls)
    disk.crash(calls)
    const now = JSON.stringify(found(new SimBroker({}, disk)))
    // What was answered stands; what was under way may have happened, as a whole.
    const answered = steps.filter((one) => one.calls <= calls).length - 1
    const allowed = steps.slice(answered, answered + 2).map(({ after }) => JSON.stringify(after))
    expect(
      allowed,
      `after ${calls} calls, the last: ${calls === 0 ? '-' : broker.disk.describeCall(calls - 1)}`,
    ).toContain(now)
    seen.add(now)
  }
  expect(seen.size).toBe(3)
})

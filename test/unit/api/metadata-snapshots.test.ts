// Snapshots of the metadata on a whole broker: due by bytes and by time, and all that a restart needs.
import { beforeEach, describe, expect, it } from 'vitest'
import { createTopics, Errors, metadata } from '../../../ts/protocol/index.js'
import { topicWithDefaults } from '../../../ts/state/topics.js'
import { SimBroker } from './sim-broker.js'

let broker: SimBroker

const create = (...names: string[]) => {
  const topics = names.map((name) => ({ ...topicWithDefaults(name), numPartitions: 20 }))
  const body = { topics, timeoutMs: 1_000, validateOnly: false }
  for (const { errorCode } of broker.ask(broker.connect(), createTopics, 7, body).topics) {
    expect(errorCode).toBe(Errors.NONE)
  }
}
const topics = () =>
  broker
    .ask(broker.connect(), metadata, 12, { topics: null, allowAutoTopicCreation: false })
    .topics.map(({ name, topicId, partitions }) => ({ name, topicId, partitions: partitions.length }))
const said = (text: string) => broker.lines.filter((line) => line.includes(text))
const STANDS = 'a snapshot of the metadata stands'

describe('a snapshot by bytes', () => {
  beforeEach(() => {
    broker = new SimBroker({
      'metadata.log.max.record.bytes.between.snapshots': 3_000,
      'metadata.log.max.snapshot.interval.ms': 0,
      'metadata.max.retention.bytes': 0,
    })
  })

  it('is written as the log grows, and a restart finds every topic in it and in the log after it', () => {
    for (let index = 0; index < 12; index += 1) create(`topic-${index}`)
    expect(said(STANDS).length).toBeGreaterThan(2)
    const before = topics()
    expect(before).toHaveLength(12)
    for (let restart = 0; restart < 3; restart += 1) {
      broker.restart()
      expect(topics()).toEqual(before)
      create(`after-${restart}`)
      expect(topics()).toHaveLength(13 + restart)
      before.push(...topics().filter(({ name }) => name === `after-${restart}`))
      before.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
    }
    expect(said('damaged')).toEqual([])
  })

  it('is not due for a few records', () => {
    expect(said(STANDS)).toEqual([])
  })
})

describe('a snapshot by time', () => {
  it('is written an interval after the first record that none holds, and not again without a change', () => {
    broker = new SimBroker({ 'metadata.log.max.snapshot.interval.ms': 60_000 })
    broker.advance(59_000)
    expect(said(STANDS)).toHaveLength(0)
    broker.advance(1_000)
    expect(said(STANDS)).toHaveLength(1)
    broker.advance(600_000)
    expect(said(STANDS)).toHaveLength(1)
    create('t')
    broker.advance(60_000)
    expect(said(STANDS)).toHaveLength(2)
    broker.restart()
    expect(topics()).toHaveLength(1)
  })
})

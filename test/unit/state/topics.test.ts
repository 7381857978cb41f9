// CreateTopics and DeleteTopics: Kafka's rules, codes and texts.
import { describe, expect, it } from 'vitest'
import { Errors, ZERO_UUID } from '../../../ts/protocol/index.js'
import { configsOf, partitionsSorted, topicByName } from '../../../ts/state/image.js'
import type { DeleteTopicsResponse } from '../../../ts/state/topic-deletion.js'
import { broker, LOG_DIR, TestController, topic, uuid } from './metadata-fixture.js'

const single = () => new TestController().withBrokers(broker(1))

describe('creating a topic', () => {
  it('records topic, configs and partitions, in that order, and answers with what it made', () => {
    const configs = [{ name: 'cleanup.policy', value: 'compact' }]
    const effective = [{ name: 'x', value: 'y', readOnly: false, configSource: 5, isSensitive: false }]
    const controller = new TestController({ effectiveTopicConfigs: () => effective }).withBrokers(broker(1))
    const logged = controller.log.length
    expect(controller.create([topic('t', { configs })])).toEqual([
      {
        name: 't',
        topicId: uuid(1),
        errorCode: 0,
        errorMessage: null,
        topicConfigErrorCode: 0,
        numPartitions: 2,
        replicationFactor: 1,
        configs: effective,
      },
    ])
    expect(controller.log.slice(logged).map(({ name, version }) => [name, version])).toEqual([
      ['TopicRecord', 0],
      ['ConfigRecord', 0],
      ['PartitionRecord', 2],
      ['PartitionRecord', 2],
    ])
    const found = topicByName(controller.image, 't')
    expect(found === undefined ? [] : partitionsSorted(found)).toMatchObject([
      {
        partition: 0,
        leader: 1,
        leaderEpoch: 0,
        partitionEpoch: 0,
        replicas: [1],
        isr: [1],
        directories: [LOG_DIR],
      },
      { partition: 1, leader: 1 },
    ])
    expect(configsOf(controller.image, 2, 't').get('cleanup.policy')).toBe('compact')
  })

  it('only validates when asked to', () => {
    const controller = single()
    expect(controller.create([topic('t')], true)[0]).toMatchObject({ errorCode: 0, numPartitions: 2 })
    expect(controller.image.topicsById.size).toBe(0)
  })

  it('knows bad names, existing names and names that collide', () => {
    const controller = single()
    controller.create([topic('a.b')])
    const invalid = Errors.INVALID_TOPIC_EXCEPTION
    expect(controller.createOne(topic(''))).toEqual([
      invalid,
      'Topic name is invalid: the empty string is not allowed',
    ])
    expect(controller.createOne(topic('..'))).toEqual([invalid, "Topic name is invalid: '..' is not allowed"])
    expect(controller.createOne(topic('a b'))).toEqual([
      invalid,
      "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
    ])
    const long = 'x'.repeat(250)
    expect(controller.createOne(topic(long))).toEqual([
      invalid,
      `Topic name is invalid: the length of '${long}' is longer than the max allowed length 249`,
    ])
    expect(controller.createOne(topic('x'.repeat(249)))[0]).toBe(0)
    expect(controller.createOne(topic('a_b'))).toEqual([
      invalid,
      "Topic 'a_b' collides with existing topic: a.b",
    ])
    expect(controller.createOne(topic('a.b'))).toEqual([
      Errors.TOPIC_ALREADY_EXISTS,
      "Topic 'a.b' already exists.",
    ])
    expect(controller.createOne(topic('__cluster_metadata'))[0]).toBe(Errors.TOPIC_AUTHORIZATION_FAILED)
    expect(controller.createOne(topic('__consumer_offsets'))[0]).toBe(0)
  })

  it('answers a name that a request has twice once, and makes the others', () => {
    const results = single().create([topic('twice'), topic('once'), topic('twice')])
    expect(results.map(({ name, errorCode, errorMessage }) => [name, errorCode, errorMessage])).toEqual([
      ['once', 0, null],
      ['twice', Errors.INVALID_REQUEST, 'Duplicate topic name.'],
    ])
  })

  it('checks partitions and replication factor', () => {
    const controller = single()
    expect(controller.createOne(topic('t', { numPartitions: 0 }))).toEqual([
      Errors.INVALID_PARTITIONS,
      'Number of partitions was set to an invalid non-positive value.',
    ])
    expect(controller.createOne(topic('t', { replicationFactor: 0 }))).toEqual([
      Errors.INVALID_REPLICATION_FACTOR,
      'Replication factor must be larger than 0, or -1 to use the default value.',
    ])
    expect(controller.createOne(topic('t', { replicationFactor: 3 }))).toEqual([
      Errors.INVALID_REPLICATION_FACTOR,
      'Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because ' +
        'only 1 broker(s) are registered or some brokers have all their log directories cordoned.',
    ])
    expect(controller.createOne(topic('t', { numPartitions: 10_001 }))).toEqual([
      Errors.POLICY_VIOLATION,
      'Excessively large number of partitions per request.',
    ])
    const fenced = new TestController().withBrokers(broker(1, { fenced: true }))
    expect(fenced.createOne(topic('t'))[1]).toBe(
      'Unable to replicate the partition 1 time(s): All brokers are currently fenced, or have all their log ' +
        'directories cordoned.',
    )
  })

  it('checks manual assignments', () => {
    const controller = single()
    const assign = (...lists: [partition: number, brokers: number[]][]) =>
      topic('t', { assignments: lists.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds })) })
    const code = Errors.INVALID_REPLICA_ASSIGNMENT
    const prefix = 'The manual partition assignment includes'
    expect(controller.createOne({ ...assign([0, [1]]), numPartitions: 1 })).toEqual([
      Errors.INVALID_REQUEST,
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
    ])
    expect(controller.createOne({ ...assign([0, [1]]), replicationFactor: 1 })[0]).toBe(
      Errors.INVALID_REQUEST,
    )
    expect(controller.createOne(assign([0, [2]]))).toEqual([
      code,
      `${prefix} broker 2, but no such broker is registered.`,
    ])
    expect(controller.createOne(assign([0, [1, 1]]))).toEqual([
      code,
      `${prefix} the broker 1 more than once.`,
    ])
    expect(controller.createOne(assign([0, []]))).toEqual([code, `${prefix} an empty replica list.`])
    expect(controller.createOne(assign([0, [1]], [0, [1]]))).toEqual([
      code,
      'Found multiple manual partition assignments for partition 0',
    ])
    expect(controller.createOne(assign([1, [1]]))).toEqual([
      code,
      'partitions should be a consecutive 0-based integer sequence',
    ])
    controller.withBrokers(broker(2, { fenced: true }))
    expect(controller.createOne(assign([0, [2]]))[1]).toBe(
      'All brokers specified in the manual partition assignment for partition 0 are fenced or in controlled shutdown.',
    )
    expect(controller.createOne(assign([0, [1]], [1, [1, 2]]))[1]).toBe(
      `${prefix} a partition with 2 replica(s), but this is not consistent with previous partitions, which have 1 replica(s).`,
    )
    expect(controller.createOne(assign([0, [2, 1]]))).toEqual([0, null])
    expect(topicByName(controller.image, 't')?.partitions.get(0)).toMatchObject({
      leader: 1,
      isr: [1],
      replicas: [2, 1],
    })
  })

  it('has its configs checked by the broker', () => {
    const error = { errorCode: Errors.INVALID_CONFIG, errorMessage: 'Unknown topic config name: x' }
    const controller = new TestController({
      validateTopicConfigs: (configs) => (configs.has('x') ? error : null),
    }).withBrokers(broker(1))
    expect(controller.createOne(topic('t', { configs: [{ name: 'x', value: '1' }] }))).toEqual([
      Errors.INVALID_CONFIG,
      'Unknown topic config name: x',
    ])
    expect(controller.createOne(topic('t', { configs: [{ name: 'y', value: null }] }))).toEqual([
      Errors.INVALID_CONFIG,
      'Null value not supported for topic configs: y',
    ])
  })
})

describe('deleting a topic', () => {
  const deleteBy = (
    controller: TestController,
    topics: { name: string | null; topicId: string }[],
    apiVersion = 6,
  ) => {
    const topicNames = topics.map(({ name }) => name ?? '')
    const body = { topics, topicNames, timeoutMs: 0 }
    const { reply, records } = controller.ask({ kind: 'delete-topics', to: 1, apiVersion, body })
    const { responses } = reply as DeleteTopicsResponse
    return { codes: responses.map(({ errorCode }) => errorCode), responses, records }
  }

  it('works by name and by id, and takes configs and collisions with it', () => {
    const controller = single()
    controller.create([topic('a.b', { configs: [{ name: 'k', value: 'v' }] }), topic('u')])
    expect(deleteBy(controller, [{ name: 'a.b', topicId: ZERO_UUID }], 3).codes).toEqual([0])
    expect(deleteBy(controller, [{ name: null, topicId: uuid(2) }]).responses).toEqual([
      { name: 'u', topicId: uuid(2), errorCode: 0, errorMessage: null },
    ])
    expect(controller.image.topicsById.size + controller.image.topicIds.size).toBe(0)
    expect(configsOf(controller.image, 2, 'a.b').size).toBe(0)
    expect(controller.createOne(topic('a_b'))[0]).toBe(0)
  })

  it('gives a topic that is made again a new id, and does not know the old one', () => {
    const controller = single()
    controller.create([topic('t')])
    deleteBy(controller, [{ name: 't', topicId: ZERO_UUID }])
    controller.create([topic('t')])
    expect(topicByName(controller.image, 't')?.topicId).toBe(uuid(2))
    expect(deleteBy(controller, [{ name: null, topicId: uuid(1) }]).responses).toMatchObject([
      {
        name: null,
        errorCode: Errors.UNKNOWN_TOPIC_ID,
        errorMessage: 'This server does not host this topic ID.',
      },
    ])
  })

  it('refuses what is unknown, nameless, doubly named or asked for twice', () => {
    const controller = single()
    controller.create([topic('t')])
    const invalid = Errors.INVALID_REQUEST
    expect(deleteBy(controller, [{ name: 'x', topicId: ZERO_UUID }]).codes).toEqual([
      Errors.UNKNOWN_TOPIC_OR_PARTITION,
    ])
    expect(deleteBy(controller, [{ name: null, topicId: ZERO_UUID }]).codes).toEqual([invalid])
    expect(deleteBy(controller, [{ name: 't', topicId: uuid(1) }]).codes).toEqual([invalid])
    const twice = [
      { name: 't', topicId: ZERO_UUID },
      { name: 't', topicId: ZERO_UUID },
    ]
    expect(deleteBy(controller, twice).responses).toMatchObject([{ errorMessage: 'Duplicate topic name.' }])
    const both = [
      { name: null, topicId: uuid(1) },
      { name: 't', topicId: ZERO_UUID },
    ]
    expect(deleteBy(controller, both).responses).toMatchObject([
      { name: 't', errorMessage: 'The provided topic name maps to an ID that was already supplied.' },
    ])
    expect(controller.image.topicsById.size).toBe(1)
  })

  it('may be switched off', () => {
    const controller = new TestController({ deleteTopicEnable: false }).withBrokers(broker(1))
    controller.create([topic('t')])
    expect(deleteBy(controller, [{ name: 't', topicId: ZERO_UUID }]).codes).toEqual([
      Errors.TOPIC_DELETION_DISABLED,
    ])
    expect(deleteBy(controller, [{ name: 't', topicId: ZERO_UUID }], 2).codes).toEqual([
      Errors.INVALID_REQUEST,
    ])
  })
})

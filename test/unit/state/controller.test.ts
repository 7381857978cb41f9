// Dialogues with the metadata controller: brokers, features, producer ids, and what a restart of its log gives back.
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import { failedRequest } from '../../../ts/state/controller.js'
import { BOOTSTRAP_FEATURES } from '../../../ts/state/features.js'
import { partitionsSorted, type TopicImage, topicByName } from '../../../ts/state/image.js'
import { applyRecords } from '../../../ts/state/image-delta.js'
import { partitionChange } from '../../../ts/state/partition-change.js'
import { broker, LOG_DIR, TestController, topic, uuid } from './metadata-fixture.js'

describe('a fresh cluster', () => {
  it('starts its log with metadata.version, once', () => {
    const controller = new TestController()
    const bootstrap = { kind: 'bootstrap', features: BOOTSTRAP_FEATURES } as const
    expect(controller.ask(bootstrap).records).toEqual([
      { name: 'FeatureLevelRecord', version: 0, message: { name: 'metadata.version', featureLevel: 30 } },
    ])
    expect(controller.image.features.get('metadata.version')).toBe(30)
    expect(controller.ask(bootstrap).records).toEqual([])
  })
})

describe('a broker', () => {
  it('registers with its listeners and gets an epoch that grows with every incarnation', () => {
    const controller = new TestController()
    controller.ask({ kind: 'bootstrap', features: BOOTSTRAP_FEATURES })
    const register = (body = broker(1)) => controller.ask({ kind: 'register-broker', to: 1, body }).reply
    expect(register()).toEqual({ errorCode: 0, brokerEpoch: 1 })
    expect(register()).toEqual({ errorCode: 0, brokerEpoch: 1 })
    expect(register(broker(1, { incarnationId: uuid(7) }))).toEqual({ errorCode: 0, brokerEpoch: 3 })
    expect(controller.image.brokers.get(1)).toMatchObject({ epoch: 3, incarnationId: uuid(7), fenced: false })
    expect(controller.image.brokers.get(1)?.listeners.get('PLAINTEXT')).toEqual({
      host: 'host-1',
      port: 9092,
      securityProtocol: 0,
    })
  })

  it('leads again what it alone could lead when it left the ISR as an eligible leader replica', () => {
    const controller = new TestController().withBrokers(broker(1), broker(2))
    const assignments = [1, 1, 2].map((id, partitionIndex) => ({ partitionIndex, brokerIds: [id] }))
    controller.create([topic('t', { assignments })])
    const topicId = topicByName(controller.image, 't')?.topicId ?? ''
    const left = (partition: number, eligible: number[], lastKnown: number[]) =>
      partitionChange(topicId, partition, {
        isr: [],
        leader: -1,
        eligibleLeaderReplicas: eligible,
        lastKnownElr: lastKnown,
      })
    const gone = [left(0, [1], [1]), left(1, [], [1]), left(2, [2], [])]
    controller.state.image = applyRecords(controller.image, controller.image.offset, 0, gone).image
    controller.withBrokers(broker(1, { incarnationId: uuid(900) }))
    const partitions = partitionsSorted(topicByName(controller.image, 't') as TopicImage)
    expect(
      partitions.map(({ leader, isr, eligibleLeaderReplicas }) => [leader, isr, eligibleLeaderReplicas]),
    ).toEqual([
      [1, [1], []],
      [1, [1], []],
      [-1, [], [2]],
    ])
  })

  it('that does not support a finalised level is refused', () => {
    const controller = new TestController()
    controller.ask({ kind: 'bootstrap', features: BOOTSTRAP_FEATURES })
    const old = broker(1, {
      features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 29 }],
    })
    const { reply, records } = controller.ask({ kind: 'register-broker', to: 1, body: old })
    expect(reply).toMatchObject({ errorCode: Errors.UNSUPPORTED_VERSION })
    expect(records).toEqual([])
  })

  it('that comes back leads what it led in a new leader epoch, and only as a new incarnation', () => {
    const controller = new TestController().withBrokers(broker(1))
    controller.create([topic('t')])
    const epochs = () => {
      const found = topicByName(controller.image, 't')
      return found === undefined
        ? []
        : partitionsSorted(found).map(({ leader, leaderEpoch }) => [leader, leaderEpoch])
    }
    controller.withBrokers(broker(1))
    expect(epochs()).toEqual([
      [1, 0],
      [1, 0],
    ])
    controller.withBrokers(broker(1, { incarnationId: uuid(8) }))
    expect(epochs()).toEqual([
      [1, 1],
      [1, 1],
    ])
  })

  it('that comes back fenced leads nothing', () => {
    const controller = new TestController().withBrokers(broker(1))
    controller.create([topic('t')])
    controller.withBrokers(broker(1, { incarnationId: uuid(8), fenced: true }))
    expect(topicByName(controller.image, 't')?.partitions.get(0)).toMatchObject({ leader: -1, isr: [1] })
  })

  it('that comes back leaves the ISR to another live replica', () => {
    const controller = new TestController().withBrokers(broker(1), broker(2))
    controller.create([topic('t', { assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }] })])
    controller.withBrokers(broker(1, { incarnationId: uuid(9) }))
    const found = topicByName(controller.image, 't')?.partitions.get(0)
    expect(found).toMatchObject({ leader: 2, leaderEpoch: 1, partitionEpoch: 1, isr: [2], replicas: [1, 2] })
    expect(found?.directories).toEqual([LOG_DIR, LOG_DIR])
  })
})

describe('producer ids', () => {
  it('come in recorded blocks of a thousand, to registered brokers of the right epoch', () => {
    const controller = new TestController().withBrokers(broker(1))
    const brokerEpoch = controller.image.brokers.get(1)?.epoch ?? -1
    const allocate = (body = { brokerId: 1, brokerEpoch }) =>
      controller.ask({ kind: 'allocate-producer-ids', to: 1, body })
    expect(allocate().reply).toEqual({ errorCode: 0, producerIdStart: 0, producerIdLen: 1_000 })
    const second = allocate()
    expect(second.reply).toMatchObject({ producerIdStart: 1_000 })
    expect(second.records).toMatchObject([{ name: 'ProducerIdsRecord', message: { nextProducerId: 2_000 } }])
    expect(allocate({ brokerId: 1, brokerEpoch: 99 }).reply).toMatchObject({
      errorCode: Errors.STALE_BROKER_EPOCH,
    })
    expect(allocate({ brokerId: 2, brokerEpoch }).reply).toMatchObject({
      errorCode: Errors.BROKER_ID_NOT_REGISTERED,
    })
    expect(controller.image.nextProducerId).toBe(2_000)
  })
})

describe('a refusal', () => {
  it('answers every topic with the error', () => {
    const body = { topics: [topic('a'), topic('b')], timeoutMs: 0, validateOnly: false }
    const reply = failedRequest(
      { kind: 'create-topics', to: 1, body, freshTopicIds: [] },
      Errors.NOT_CONTROLLER,
    )
    expect(reply).toMatchObject({
      topics: [
        {
          name: 'a',
          errorCode: Errors.NOT_CONTROLLER,
          errorMessage: 'This is not the correct controller for this cluster.',
        },
        { name: 'b', errorCode: Errors.NOT_CONTROLLER },
      ],
    })
  })
})

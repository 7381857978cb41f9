// Finalised features: what may be raised and lowered, with Kafka's words, and brokers that leave for good.
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import type { UnregisterBrokerResponse } from '../../../ts/state/brokers.js'
import {
  BOOTSTRAP_FEATURES,
  type UpdateFeaturesResponse,
  unreadableMetadata,
} from '../../../ts/state/features.js'
import { emptyImage } from '../../../ts/state/image.js'
import { applyRecords } from '../../../ts/state/image-delta.js'
import { metadataRecord } from '../../../ts/state/metadata-records.js'
import { metadataVersionName } from '../../../ts/state/metadata-version.js'
import { broker, TestController, topic, uuid } from './metadata-fixture.js'

const UPGRADE = 1
const SAFE = 2
const UNSAFE = 3

interface Update {
  feature?: string
  type?: number
  version?: number
  allowDowngrade?: boolean
  validateOnly?: boolean
}

const at = (level: number) => {
  const controller = new TestController()
  controller.ask({ kind: 'bootstrap', features: [{ name: 'metadata.version', level }] })
  return controller.withBrokers(broker(1))
}

const update = (controller: TestController, level: number, options: Update = {}) => {
  const { feature = 'metadata.version', type = UPGRADE, version = 2, allowDowngrade = false } = options
  const featureUpdates = [{ feature, maxVersionLevel: level, allowDowngrade, upgradeType: type }]
  const { reply } = controller.ask({
    kind: 'update-features',
    to: 1,
    nodeId: 1,
    apiVersion: version,
    body: { timeoutMs: 1_000, featureUpdates, validateOnly: options.validateOnly ?? false },
  })
  return reply as UpdateFeaturesResponse
}

const level = (controller: TestController) => controller.image.features.get('metadata.version')
const ALL = 'The update failed for all features since the following feature had an error: '

describe('metadata.version', () => {
  it('is raised when it is asked for, and never by itself', () => {
    const controller = at(25)
    controller.ask({ kind: 'bootstrap', features: BOOTSTRAP_FEATURES })
    expect(level(controller)).toBe(25)
    expect(update(controller, 30, { validateOnly: true }).errorCode).toBe(Errors.NONE)
    expect(level(controller)).toBe(25)
    expect(update(controller, 30)).toMatchObject({
      errorCode: Errors.NONE,
      results: [{ feature: 'metadata.version', errorCode: Errors.NONE }],
    })
    expect(level(controller)).toBe(30)
  })

  it.each([
    [31, UPGRADE, 'Local controller 1 only supports versions 7-30'],
    [6, SAFE, 'Local controller 1 only supports versions 7-30'],
    [-1, UPGRADE, 'A feature version cannot be less than 0.'],
    [29, 0, 'The controller does not support the given upgrade type.'],
    [30, SAFE, "Can't downgrade to a newer version."],
    [
      20,
      UPGRADE,
      "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
    ],
  ])('to %i by upgrade type %i is refused', (wanted, type, reason) => {
    const controller = at(26)
    const { errorCode, errorMessage, results } = update(controller, wanted, { type })
    expect(errorCode).toBe(Errors.INVALID_UPDATE_VERSION)
    expect(errorMessage).toBe(
      `${ALL}Invalid update version ${wanted} for feature metadata.version. ${reason}`,
    )
    expect([results, level(controller)]).toEqual([[], 26])
  })

  it('is lowered where no record could be lost by it, and refused elsewhere', () => {
    const controller = at(30)
    const refused = 'Unsupported metadata.version downgrade from 30 to 29. '
    expect(update(controller, 29, { type: SAFE }).errorMessage).toBe(
      `${ALL}${refused}Refusing to perform the requested downgrade because it might delete metadata information.`,
    )
    expect(update(controller, 29, { type: UNSAFE }).errorMessage).toBe(
      `${ALL}${refused}Unsafe metadata downgrade is not supported in this version.`,
    )
    const older = at(26)
    expect(update(older, 24, { version: 0, allowDowngrade: true }).errorCode).toBe(Errors.NONE)
    expect(level(older)).toBe(24)
  })

  it('says in which versions records are written', () => {
    const versions = [16, 22, 30].map((finalised) => {
      const controller = at(finalised)
      controller.create([topic('t')])
      return controller.log
        .filter(({ name }) => /Partition|RegisterB/.test(name))
        .map(({ version }) => version)
    })
    expect(versions).toEqual([
      [2, 0, 0],
      [3, 1, 1],
      [4, 2, 2],
    ])
  })

  it('that is not read here keeps the broker from starting, in a sentence; other features do not', () => {
    const finalised = (name: string, featureLevel: number) =>
      applyRecords(emptyImage(), 0, 0, [metadataRecord('FeatureLevelRecord', { name, featureLevel })]).image
    expect(unreadableMetadata(finalised('metadata.version', 30))).toBeNull()
    expect(unreadableMetadata(finalised('metadata.version', 33))).toBe(
      'The log directories are at metadata.version 33 (4.4-IV2): 7 to 30 are read here',
    )
    expect(unreadableMetadata(finalised('quantum.version', 1))).toBeNull()
    expect([7, 30, 99].map(metadataVersionName)).toEqual(['3.3-IV3', '4.3-IV0', '99'])
  })
})

describe('a feature that is not served', () => {
  it('stays at 0', () => {
    const controller = at(30)
    const refused = update(controller, 1, { feature: 'quantum.version' })
    expect(refused.errorMessage).toBe(
      `${ALL}Invalid update version 1 for feature quantum.version. Local controller 1 does not support this feature.`,
    )
    expect(update(controller, 0, { feature: 'quantum.version' }).errorCode).toBe(Errors.NONE)
    expect(controller.image.features.has('quantum.version')).toBe(false)
  })
})

describe('a broker that is unregistered', () => {
  const unregister = (controller: TestController, brokerId: number) =>
    controller.ask({ kind: 'unregister-broker', to: 1, brokerId }).reply as UnregisterBrokerResponse

  it('is forgotten, and what it led is led by nobody or by another replica in sync', () => {
    const controller = at(30).withBrokers(broker(2))
    const assignments = [
      { partitionIndex: 0, brokerIds: [2] },
      { partitionIndex: 1, brokerIds: [1] },
    ]
    controller.create([
      topic('t', { assignments }),
      topic('u', { assignments: [{ partitionIndex: 0, brokerIds: [2, 1] }] }),
    ])
    expect(unregister(controller, 2)).toMatchObject({
      errorCode: Errors.INVALID_REQUEST,
      errorMessage: expect.stringMatching(/running/),
    })
    controller.withBrokers(broker(2, { fenced: true, incarnationId: uuid(900) }))
    expect(unregister(controller, 2).errorCode).toBe(Errors.NONE)
    expect([...controller.image.brokers.keys()]).toEqual([1])
    const partitions = [...controller.image.topicsById.values()].flatMap(({ partitions }) => [
      ...partitions.values(),
    ])
    expect(partitions.map(({ leader, isr }) => [leader, isr])).toEqual([
      [-1, [2]],
      [1, [1]],
      [1, [1]],
    ])
    expect(unregister(controller, 2)).toMatchObject({
      errorCode: Errors.BROKER_ID_NOT_REGISTERED,
      errorMessage: 'Broker ID 2 is not currently registered',
    })
  })
})

// An image and the records of its snapshot are two forms of the same: no kind of record is lost on the way.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyImage, type MetadataImage } from '../../../ts/state/image.js'
import { applyRecords } from '../../../ts/state/image-delta.js'
import { imageRecords } from '../../../ts/state/image-records.js'
import {
  decodeMetadata,
  encodeMetadata,
  type MetadataRecord,
  metadataRecord,
} from '../../../ts/state/metadata-records.js'
import { recordVersion } from '../../../ts/state/metadata-version.js'
import { PersistentMap } from '../../../ts/state/persistent-map.js'
import { broker, LOG_DIR, TestController, topic, uuid } from './metadata-fixture.js'

const small = fc.integer({ min: 0, max: 4 })
const id = small.map((number) => uuid(700 + number))
const name = fc.constantFrom('alice', 'bob', '')

const acl = fc.tuple(id, name, fc.constantFrom(3, 4)).map(([id, principal, patternType]) =>
  metadataRecord('AccessControlEntryRecord', {
    id,
    resourceType: 2,
    resourceName: 't',
    patternType,
    principal: `User:${principal}`,
    host: '*',
    operation: 3,
    permissionType: 2,
  }),
)
const quota = fc
  .tuple(fc.option(name), fc.option(name), small, fc.boolean())
  .map(([user, client, value, remove]) => {
    const entity = [
      { entityType: 'user', entityName: user },
      { entityType: 'client-id', entityName: client },
    ]
    return metadataRecord('ClientQuotaRecord', { entity, key: `rate-${value % 2}`, value, remove })
  })
const scram = fc.tuple(name, fc.constantFrom(1, 2), fc.boolean()).map(([user, mechanism, remove]) =>
  remove
    ? metadataRecord('RemoveUserScramCredentialRecord', { name: user, mechanism })
    : metadataRecord('UserScramCredentialRecord', {
        name: user,
        mechanism,
        salt: Buffer.from('salt'),
        storedKey: Buffer.from(user),
        serverKey: Buffer.alloc(0),
        iterations: 4096,
      }),
)
const token = fc.tuple(name, fc.boolean(), small).map(([tokenId, remove, time]) =>
  remove
    ? metadataRecord('RemoveDelegationTokenRecord', { tokenId })
    : metadataRecord('DelegationTokenRecord', {
        owner: 'User:o',
        requester: 'User:r',
        renewers: ['User:x'],
        issueTimestamp: time,
        maxTimestamp: 10,
        expirationTimestamp: 5,
        tokenId,
      }),
)
const feature = fc
  .tuple(fc.constantFrom('group.version', 'metadata.version'), fc.constantFrom(30, 31))
  .map(([name, featureLevel]) => metadataRecord('FeatureLevelRecord', { name, featureLevel }))
const producerIds = small.map((block) =>
  metadataRecord('ProducerIdsRecord', { brokerId: 1, brokerEpoch: 1, nextProducerId: 1000 * block }),
)
const controller = fc.tuple(small, fc.boolean()).map(([controllerId, gone]) =>
  gone
    ? metadataRecord('UnregisterControllerRecord', { controllerId })
    : metadataRecord('RegisterControllerRecord', {
        controllerId,
        incarnationId: uuid(9),
        zkMigrationReady: false,
        endPoints: [{ name: 'CONTROLLER', host: 'h', port: 9093, securityProtocol: 0 }],
        features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
      }),
)
const registration = fc
  .tuple(small, fc.boolean(), small, fc.option(fc.constant<string[]>([LOG_DIR])))
  .map(([brokerId, fenced, brokerEpoch, cordonedLogDirs]) =>
    metadataRecord('RegisterBrokerRecord', {
      brokerId,
      isMigratingZkBroker: false,
      incarnationId: uuid(brokerEpoch),
      brokerEpoch,
      endPoints: [{ name: 'PLAINTEXT', host: 'h', port: 9092, securityProtocol: 0 }],
      features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
      rack: fenced ? null : 'r1',
      fenced,
      inControlledShutdown: !fenced,
      logDirs: [LOG_DIR],
      cordonedLogDirs,
    }),
  )
const config = fc
  .tuple(fc.constantFrom(2, 4, 16, 32), name, fc.constantFrom('k', 'l'), fc.option(fc.string()))
  .map(([resourceType, resourceName, name, value]) =>
    metadataRecord('ConfigRecord', { resourceType, resourceName, name, value }),
  )
const record = fc.oneof(
  ...[acl, quota, scram, token, feature, producerIds, controller, registration, config],
) as fc.Arbitrary<MetadataRecord>

/** Maps of every kind become plain ones, so that equal means equal. */
function plain(value: unknown): unknown {
  if (value instanceof PersistentMap || value instanceof Map) {
    return new Map([...value].map(([key, one]) => [key, plain(one)]))
  }
  if (Array.isArray(value)) return value.map(plain)
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]))
}

/** Through the bytes, as a snapshot goes. */
function restored(image: MetadataImage): MetadataImage {
  const records = [...imageRecords(image)].map((one) => decodeMetadata(encodeMetadata(one)))
  return applyRecords(emptyImage(), image.offset, image.epoch, records).image
}

describe('a snapshot', () => {
  it('holds every kind of record: image → records → image is the same image', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 60, size: 'max' }), (records) => {
        const fixture = new TestController().withBrokers(broker(1), broker(2))
        fixture.create([
          topic('a', { numPartitions: 20 }),
          topic('b', { configs: [{ name: 'k', value: 'v' }] }),
        ])
        const { image } = applyRecords(fixture.image, 99, 7, records)
        expect(plain(restored(image))).toEqual(plain(image))
      }),
      { numRuns: 60 },
    )
  })

  it('keeps ACLs that were removed out, and partitions as they have become', () => {
    const fixture = new TestController().withBrokers(broker(1))
    fixture.create([topic('a')])
    const [first] = fc.sample(acl, { numRuns: 1, seed: 1 })
    if (first?.name !== 'AccessControlEntryRecord') throw new Error('no ACL')
    const removal = metadataRecord('RemoveAccessControlEntryRecord', { id: first.message.id })
    fixture.withBrokers(broker(1, { incarnationId: uuid(77) }))
    const { image, delta } = applyRecords(fixture.image, 99, 7, [first, removal])
    expect([...delta.acls]).toEqual([first.message.id])
    expect([...imageRecords(image)].map(({ name }) => name)).not.toContain('AccessControlEntryRecord')
    expect(restored(image).topicsById.get(uuid(1))?.partitions.get(0)).toMatchObject({
      leaderEpoch: 1,
      partitionEpoch: 1,
    })
  })

  it('is written in the record versions of its metadata.version', () => {
    const fixture = new TestController().withBrokers(broker(1))
    fixture.create([topic('a')])
    const old = metadataRecord('FeatureLevelRecord', { name: 'metadata.version', featureLevel: 17 })
    const { image } = applyRecords(fixture.image, 99, 7, [old])
    const versions = new Map([...imageRecords(image)].map((one) => [one.name, one.version]))
    expect(versions.get('RegisterBrokerRecord')).toBe(3)
    expect(versions.get('PartitionRecord')).toBe(1)
    expect(recordVersion('PartitionRecord', 30)).toBe(2)
  })
})

describe('a metadata transaction', () => {
  const begin = metadataRecord('BeginTransactionRecord', { name: 'x' })
  const topicRecord = metadataRecord('TopicRecord', { name: 't', topicId: uuid(1) })

  it('changes the image when it ends, across batches, and never when it is aborted', () => {
    const open = applyRecords(emptyImage(), 1, 0, [begin, topicRecord])
    expect([open.image.topicIds.size, open.delta.topics.size]).toEqual([0, 0])
    const end = metadataRecord('EndTransactionRecord', {})
    const ended = applyRecords(open.image, 2, 0, [end])
    expect([ended.image.topicIds.size, ended.delta.topics.size, ended.image.transaction]).toEqual([
      1,
      1,
      null,
    ])
    const abort = metadataRecord('AbortTransactionRecord', { reason: 'y' })
    expect(applyRecords(open.image, 2, 0, [abort]).image.topicIds.size).toBe(0)
    expect(() => applyRecords(emptyImage(), 0, 0, [end])).toThrow(/without a transaction/)
  })
})

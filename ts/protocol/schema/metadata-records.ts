/**
 * Records of __cluster_metadata, in Kafka's layout. All are flexible; `null` in a change record means "unchanged".
 * What they do to the cluster's state is not decided here.
 */
import { array, bool, int8, int16, int32, int64, string, uint16, uuid } from '../notation.js'
import { metadataRecord } from '../table.js'
import {
  accessControlEntryRecord,
  clientQuotaRecord,
  delegationTokenRecord,
  removeAccessControlEntryRecord,
  removeDelegationTokenRecord,
  removeUserScramCredentialRecord,
  userScramCredentialRecord,
} from './metadata-security-records.js'

/** A broker registered. v1 controlled shutdown · v2 ZooKeeper migration · v3 directories · v4 cordoned directories. */
export const registerBrokerRecord = metadataRecord({
  key: 0,
  name: 'RegisterBrokerRecord',
  versions: [0, 4],
  fields: {
    brokerId: int32(),
    isMigratingZkBroker: bool({ since: 2, default: false }),
    incarnationId: uuid(),
    brokerEpoch: int64(),
    endPoints: array({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    features: array({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
    rack: string({ nullable: true }),
    fenced: bool({ default: true }),
    inControlledShutdown: bool({ since: 1, default: false }),
    logDirs: array(uuid(), { since: 3, tag: 0 }),
    cordonedLogDirs: array(uuid(), { since: 4, tag: 1, nullable: true, default: null }),
  },
})

/** A broker is gone for good. */
export const unregisterBrokerRecord = metadataRecord({
  key: 1,
  name: 'UnregisterBrokerRecord',
  versions: [0, 0],
  fields: { brokerId: int32(), brokerEpoch: int64() },
})

export const topicRecord = metadataRecord({
  key: 2,
  name: 'TopicRecord',
  versions: [0, 0],
  fields: { name: string(), topicId: uuid() },
})

/** A partition's full state. v1 directories · v2 eligible leader replicas (KIP-966). */
export const partitionRecord = metadataRecord({
  key: 3,
  name: 'PartitionRecord',
  versions: [0, 2],
  fields: {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    replicas: array(int32()),
    isr: array(int32()),
    removingReplicas: array(int32()),
    addingReplicas: array(int32()),
    leader: int32({ default: -1 }),
    leaderRecoveryState: int8({ tag: 0, default: 0 }),
    leaderEpoch: int32({ default: -1 }),
    partitionEpoch: int32({ default: -1 }),
    directories: array(uuid(), { since: 1 }),
    eligibleLeaderReplicas: array(int32(), { since: 2, tag: 1, nullable: true, default: null }),
    lastKnownElr: array(int32(), { since: 2, tag: 2, nullable: true, default: null }),
  },
})

/** One dynamic config; a null value removes it. Resource types as in DescribeConfigs. */
export const configRecord = metadataRecord({
  key: 4,
  name: 'ConfigRecord',
  versions: [0, 0],
  fields: { resourceType: int8(), resourceName: string(), name: string(), value: string({ nullable: true }) },
})

/** What changed in a partition. A leader of −2 means "unchanged", −1 "none". */
export const partitionChangeRecord = metadataRecord({
  key: 5,
  name: 'PartitionChangeRecord',
  versions: [0, 2],
  fields: {
    partitionId: int32({ default: -1 }),
    topicId: uuid(),
    isr: array(int32(), { tag: 0, nullable: true, default: null }),
    leader: int32({ tag: 1, default: -2 }),
    replicas: array(int32(), { tag: 2, nullable: true, default: null }),
    removingReplicas: array(int32(), { tag: 3, nullable: true, default: null }),
    addingReplicas: array(int32(), { tag: 4, nullable: true, default: null }),
    leaderRecoveryState: int8({ tag: 5, default: -1 }),
    directories: array(uuid(), { since: 1, tag: 8, nullable: true, default: null }),
    eligibleLeaderReplicas: array(int32(), { since: 2, tag: 6, nullable: true, default: null }),
    lastKnownElr: array(int32(), { since: 2, tag: 7, nullable: true, default: null }),
  },
})

/** A broker may not lead. Later clusters write BrokerRegistrationChangeRecord instead. */
export const fenceBrokerRecord = metadataRecord({
  key: 7,
  name: 'FenceBrokerRecord',
  versions: [0, 0],
  fields: { id: int32(), epoch: int64() },
})

/** A broker may lead. Later clusters write BrokerRegistrationChangeRecord instead. */
export const unfenceBrokerRecord = metadataRecord({
  key: 8,
  name: 'UnfenceBrokerRecord',
  versions: [0, 0],
  fields: { id: int32(), epoch: int64() },
})

export const removeTopicRecord = metadataRecord({
  key: 9,
  name: 'RemoveTopicRecord',
  versions: [0, 0],
  fields: { topicId: uuid() },
})

/** A finalised feature; level 0 removes it. */
export const featureLevelRecord = metadataRecord({
  key: 12,
  name: 'FeatureLevelRecord',
  versions: [0, 0],
  fields: { name: string(), featureLevel: int16() },
})

/** A block of producer ids was given to a broker; `nextProducerId` is the first of the next block. */
export const producerIdsRecord = metadataRecord({
  key: 15,
  name: 'ProducerIdsRecord',
  versions: [0, 0],
  fields: { brokerId: int32(), brokerEpoch: int64({ default: -1 }), nextProducerId: int64() },
})

/** What changed in a broker's registration. `fenced` and `inControlledShutdown`: −1 no longer, 0 unchanged, 1 now. */
export const brokerRegistrationChangeRecord = metadataRecord({
  key: 17,
  name: 'BrokerRegistrationChangeRecord',
  versions: [0, 3],
  fields: {
    brokerId: int32(),
    brokerEpoch: int64(),
    fenced: int8({ tag: 0 }),
    inControlledShutdown: int8({ since: 1, tag: 1 }),
    logDirs: array(uuid(), { since: 2, tag: 2 }),
    cordonedLogDirs: array(uuid(), { since: 3, tag: 3, nullable: true, default: null }),
  },
})

export const noOpRecord = metadataRecord({ key: 20, name: 'NoOpRecord', versions: [0, 0], fields: {} })

/** How far the move from ZooKeeper has come; 0 is none, and clusters that never had one say so. */
export const zkMigrationStateRecord = metadataRecord({
  key: 21,
  name: 'ZkMigrationStateRecord',
  versions: [0, 0],
  fields: { zkMigrationState: int8() },
})

/** Opens a group of records that take effect together or not at all (KIP-868), beyond the size of one batch. */
export const beginTransactionRecord = metadataRecord({
  key: 23,
  name: 'BeginTransactionRecord',
  versions: [0, 0],
  fields: { name: string({ tag: 0, nullable: true, default: null }) },
})

export const endTransactionRecord = metadataRecord({
  key: 24,
  name: 'EndTransactionRecord',
  versions: [0, 0],
  fields: {},
})

export const abortTransactionRecord = metadataRecord({
  key: 25,
  name: 'AbortTransactionRecord',
  versions: [0, 0],
  fields: { reason: string({ tag: 0, nullable: true, default: null }) },
})

/** A controller's endpoints and features (KIP-919). */
export const registerControllerRecord = metadataRecord({
  key: 27,
  name: 'RegisterControllerRecord',
  versions: [0, 0],
  fields: {
    controllerId: int32(),
    incarnationId: uuid(),
    zkMigrationReady: bool(),
    endPoints: array({ name: string(), host: string(), port: uint16(), securityProtocol: int16() }),
    features: array({ name: string(), minSupportedVersion: int16(), maxSupportedVersion: int16() }),
  },
})

/** Forgets the eligible leader replicas (KIP-966) of a topic, or of all topics when the name is empty. */
export const clearElrRecord = metadataRecord({
  key: 28,
  name: 'ClearElrRecord',
  versions: [0, 0],
  fields: { topicName: string() },
})

/** A controller is gone for good. */
export const unregisterControllerRecord = metadataRecord({
  key: 29,
  name: 'UnregisterControllerRecord',
  versions: [0, 0],
  fields: { controllerId: int32() },
})

/** Everything that a reader of __cluster_metadata understands. */
export const metadataRecords = [
  registerBrokerRecord,
  unregisterBrokerRecord,
  topicRecord,
  partitionRecord,
  configRecord,
  partitionChangeRecord,
  fenceBrokerRecord,
  unfenceBrokerRecord,
  removeTopicRecord,
  delegationTokenRecord,
  userScramCredentialRecord,
  featureLevelRecord,
  clientQuotaRecord,
  producerIdsRecord,
  brokerRegistrationChangeRecord,
  accessControlEntryRecord,
  removeAccessControlEntryRecord,
  noOpRecord,
  zkMigrationStateRecord,
  removeUserScramCredentialRecord,
  beginTransactionRecord,
  endTransactionRecord,
  abortTransactionRecord,
  removeDelegationTokenRecord,
  registerControllerRecord,
  clearElrRecord,
  unregisterControllerRecord,
] as const

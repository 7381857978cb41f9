// A metadata image as the records that make it again: what a snapshot holds (KIP-630), in the order of Kafka's own.
// Owns the way back from image to records; the way there is image-delta.ts. It reads the image alone, piece by piece.
import type { BrokerImage, MetadataImage, PartitionImage, TopicImage } from './image.js'
import { partitionsSorted, topicsSorted } from './image.js'
import { atMetadataVersion, type MetadataRecord, metadataRecord } from './metadata-records.js'
import { METADATA_VERSION, NEWEST_METADATA_VERSION } from './metadata-version.js'

/**
 * Every record that a snapshot of the image holds, lazily. Folded into an empty image they give the same image, but for
 * offset and epoch, which the snapshot's name carries. Not for an image with an open transaction.
 */
export function* imageRecords(image: MetadataImage): Generator<MetadataRecord> {
  const level = image.features.get(METADATA_VERSION) ?? NEWEST_METADATA_VERSION
  for (const record of allRecords(image)) yield atMetadataVersion(record, level)
}

function* allRecords(image: MetadataImage): Generator<MetadataRecord> {
  yield* featureRecords(image)
  for (const broker of image.brokers.values()) yield brokerRecord(broker)
  for (const controller of image.controllers.values()) {
    yield metadataRecord('RegisterControllerRecord', controller)
  }
  for (const topic of topicsSorted(image)) yield* topicRecords(topic)
  yield* configRecords(image)
  for (const { entity, quotas } of image.clientQuotas.values()) {
    for (const [key, value] of quotas) {
      yield metadataRecord('ClientQuotaRecord', { entity: [...entity], key, value, remove: false })
    }
  }
  if (image.nextProducerId > 0) {
    const { nextProducerId } = image
    yield metadataRecord('ProducerIdsRecord', { brokerId: -1, brokerEpoch: -1, nextProducerId })
  }
  for (const [id, acl] of image.acls) yield metadataRecord('AccessControlEntryRecord', { id, ...acl })
  for (const credential of image.scramCredentials.values()) {
    yield metadataRecord('UserScramCredentialRecord', credential)
  }
  for (const token of image.delegationTokens.values()) yield metadataRecord('DelegationTokenRecord', token)
}

/** metadata.version first: it says how to read the rest. */
function* featureRecords({ features }: MetadataImage): Generator<MetadataRecord> {
  const record = (name: string, featureLevel: number) =>
    metadataRecord('FeatureLevelRecord', { name, featureLevel })
  const level = features.get(METADATA_VERSION)
  if (level !== undefined) yield record(METADATA_VERSION, level)
  for (const [name, other] of features) if (name !== METADATA_VERSION) yield record(name, other)
}

function brokerRecord(broker: BrokerImage): MetadataRecord {
  return metadataRecord('RegisterBrokerRecord', {
    brokerId: broker.brokerId,
    isMigratingZkBroker: false,
    incarnationId: broker.incarnationId,
    brokerEpoch: broker.epoch,
    endPoints: [...broker.listeners].map(([name, endpoint]) => ({ name, ...endpoint })),
    features: [...broker.features].map(([name, { min, max }]) => ({
      name,
      minSupportedVersion: min,
      maxSupportedVersion: max,
    })),
    rack: broker.rack,
    fenced: broker.fenced,
    inControlledShutdown: broker.inControlledShutdown,
    logDirs: [...broker.logDirs],
    cordonedLogDirs: broker.cordonedLogDirs === null ? null : [...broker.cordonedLogDirs],
  })
}

function* topicRecords(topic: TopicImage): Generator<MetadataRecord> {
  const { name, topicId } = topic
  yield metadataRecord('TopicRecord', { name, topicId })
  for (const partition of partitionsSorted(topic)) yield partitionStateRecord(topicId, partition)
}

/** A partition as it stands. */
function partitionStateRecord(topicId: string, partition: PartitionImage): MetadataRecord {
  const { eligibleLeaderReplicas, lastKnownElr } = partition
  return metadataRecord('PartitionRecord', {
    partitionId: partition.partition,
    topicId,
    replicas: [...partition.replicas],
    isr: [...partition.isr],
    removingReplicas: [...partition.removingReplicas],
    addingReplicas: [...partition.addingReplicas],
    leader: partition.leader,
    leaderRecoveryState: partition.leaderRecoveryState,
    leaderEpoch: partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch,
    directories: [...partition.directories],
    eligibleLeaderReplicas: eligibleLeaderReplicas.length === 0 ? null : [...eligibleLeaderReplicas],
    lastKnownElr: lastKnownElr.length === 0 ? null : [...lastKnownElr],
  })
}

function* configRecords({ configs }: MetadataImage): Generator<MetadataRecord> {
  for (const [key, values] of configs) {
    const colon = key.indexOf(':')
    const resource = { resourceType: Number(key.slice(0, colon)), resourceName: key.slice(colon + 1) }
    for (const [name, value] of values) yield metadataRecord('ConfigRecord', { ...resource, name, value })
  }
}

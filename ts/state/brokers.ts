// Brokers coming and going as the controller decides it: a new broker epoch, and other leaders for what it led.
// Owns the decision alone; liveness (heartbeats, fencing by timeout) is not decided here.
import type { ResponseOf, unregisterBroker } from '../protocol/index.js'
import { Errors, errorMessage } from '../protocol/index.js'
import { SUPPORTED_FEATURES } from './features.js'
import type { MetadataImage, PartitionImage } from './image.js'
import { NO_LEADER } from './image.js'
import { directoryOf, heirOf, isDirectoryOnline } from './log-dirs.js'
import type { MetadataMessage, MetadataRecord } from './metadata-records.js'
import { metadataRecord } from './metadata-records.js'
import { LEADER_UNCHANGED, partitionChange } from './partition-change.js'
import { isActive } from './topics.js'

export interface RegisterBrokerRequest {
  readonly brokerId: number
  /** A uuid that the broker process made when it started. */
  readonly incarnationId: string
  readonly endPoints: readonly {
    readonly name: string
    readonly host: string
    readonly port: number
    /** Kafka's number: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL. */
    readonly securityProtocol: number
  }[]
  readonly features: readonly {
    readonly name: string
    readonly minSupportedVersion: number
    readonly maxSupportedVersion: number
  }[]
  readonly rack: string | null
  readonly logDirs: readonly string[]
  /** False where the broker serves at once, as the only node of a cluster does. */
  readonly fenced: boolean
}

export interface RegisterBrokerResponse {
  readonly errorCode: number
  readonly brokerEpoch: number
}

/** Registers a broker, again if it has registered before: the same incarnation keeps its epoch and its leaderships. */
export function decideRegisterBroker(
  image: MetadataImage,
  request: RegisterBrokerRequest,
): { records: MetadataRecord[]; response: RegisterBrokerResponse } {
  const { brokerId } = request
  const unsupported = [...image.features].find(
    ([name, level]) => SUPPORTED_FEATURES.has(name) && !supports(request, name, level),
  )
  if (unsupported !== undefined) {
    return { records: [], response: { errorCode: Errors.UNSUPPORTED_VERSION, brokerEpoch: -1 } }
  }
  const known = image.brokers.get(brokerId)
  const isSame = known?.incarnationId === request.incarnationId
  // Epochs only grow; like Kafka's, this one is about the offset of the record.
  const brokerEpoch = isSame ? known.epoch : Math.max(image.offset + 1, (known?.epoch ?? -1) + 1)
  const registration = metadataRecord('RegisterBrokerRecord', {
    brokerId,
    isMigratingZkBroker: false,
    incarnationId: request.incarnationId,
    brokerEpoch,
    endPoints: [...request.endPoints],
    features: [...request.features],
    rack: request.rack,
    fenced: request.fenced,
    inControlledShutdown: false,
    logDirs: [...request.logDirs],
    cordonedLogDirs: null,
  })
  const changes = isSame ? [] : leadershipsAfterRestart(image, request)
  return { records: [registration, ...changes], response: { errorCode: Errors.NONE, brokerEpoch } }
}

export type UnregisterBrokerResponse = ResponseOf<typeof unregisterBroker>

/** UnregisterBroker: one that is gone for good. One that serves is refused here: Kafka forgets it while it goes on. */
export function decideUnregisterBroker(
  image: MetadataImage,
  brokerId: number,
): { records: MetadataRecord[]; response: UnregisterBrokerResponse } {
  const broker = image.brokers.get(brokerId)
  if (broker === undefined) {
    const message = `Broker ID ${brokerId} is not currently registered`
    return { records: [], response: unregistrationFailed(Errors.BROKER_ID_NOT_REGISTERED, message) }
  }
  if (isActive(image, brokerId)) {
    const message = `Broker ID ${brokerId} is running: stop it before it is unregistered`
    return { records: [], response: unregistrationFailed(Errors.INVALID_REQUEST, message) }
  }
  const record = metadataRecord('UnregisterBrokerRecord', { brokerId, brokerEpoch: broker.epoch })
  const changes = leadershipsAfterRestart(image, { brokerId, fenced: true, logDirs: [] })
  return {
    records: [...changes, record],
    response: { throttleTimeMs: 0, errorCode: Errors.NONE, errorMessage: null },
  }
}

export function unregistrationFailed(
  errorCode: number,
  message = errorMessage(errorCode),
): UnregisterBrokerResponse {
  return { throttleTimeMs: 0, errorCode, errorMessage: message }
}

/** A feature that is served here, at its finalised level: else the broker could not read what others write. */
function supports(request: RegisterBrokerRequest, name: string, level: number): boolean {
  const feature = request.features.find((one) => one.name === name)
  return feature !== undefined && feature.minSupportedVersion <= level && level <= feature.maxSupportedVersion
}

/** A broker that may have lost the end of its logs; fenced, it cannot lead, nor what is in none of its `logDirs`. */
interface Departed {
  readonly brokerId: number
  readonly fenced: boolean
  readonly logDirs: readonly string[]
}

type PartitionChange = Partial<MetadataMessage<'PartitionChangeRecord'>>

/**
 * Kafka takes the last broker out of the ISR where eligible leader replicas are on (KIP-966), as in a folder that it wrote:
 * one that is still eligible, or was the last that was, leads again alone.
 */
function leadsAgain(partition: PartitionImage, brokerId: number): PartitionChange | null {
  const { isr, leader, eligibleLeaderReplicas: eligible, lastKnownElr } = partition
  if (leader !== NO_LEADER || isr.length > 0) return null
  const isEligible = eligible.includes(brokerId) || (eligible.length === 0 && lastKnownElr.includes(brokerId))
  if (!isEligible) return null
  const others = eligible.filter((id) => id !== brokerId)
  return { isr: [brokerId], leader: brokerId, eligibleLeaderReplicas: others, lastKnownElr: [] }
}

/**
 * A broker that has restarted may have lost the end of its logs. What it led alone it leads again, in a new leader
 * epoch, so that offsets written before and after are told apart; elsewhere it leaves the ISR, and another in-sync
 * replica leads.
 */
function leadershipsAfterRestart(image: MetadataImage, broker: Departed): MetadataRecord[] {
  const records: MetadataRecord[] = []
  for (const topic of image.topicsById.values()) {
    for (const partition of topic.partitions.values()) {
      const change = afterRestart(image, partition, broker)
      if (change === null) continue
      records.push(partitionChange(topic.topicId, partition.partition, change))
    }
  }
  return records
}

function afterRestart(
  image: MetadataImage,
  partition: PartitionImage,
  { brokerId, fenced, logDirs }: Departed,
): PartitionChange | null {
  const { isr, leader } = partition
  const leads = !fenced && isDirectoryOnline(directoryOf(partition, brokerId), logDirs)
  if (!isr.includes(brokerId)) return leads ? leadsAgain(partition, brokerId) : null
  const isLedByOther = leader !== brokerId && leader !== NO_LEADER
  const next = isLedByOther ? LEADER_UNCHANGED : heirOf(image, partition, brokerId)
  if (next === undefined) return { isr: null, leader: leads ? brokerId : NO_LEADER }
  return { isr: isr.filter((id) => id !== brokerId), leader: next }
}

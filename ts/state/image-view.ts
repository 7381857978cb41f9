// What an image means to a client that came by a certain listener: live brokers, leaders, offline replicas.
// Owns these decisions; formatting them into answers is the API handlers' work.
import { Errors } from '../protocol/index.js'
import type { MetadataImage, PartitionImage } from './image.js'
import { isReplicaOnline } from './log-dirs.js'

export interface BrokerView {
  readonly brokerId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Unfenced brokers that have this listener, by id. */
export function aliveBrokers(image: MetadataImage, listener: string): BrokerView[] {
  return brokersWith(image, listener, false)
}

/** The others that have it, which do not serve. */
export function fencedBrokers(image: MetadataImage, listener: string): BrokerView[] {
  return brokersWith(image, listener, true)
}

function brokersWith(image: MetadataImage, listener: string, fenced: boolean): BrokerView[] {
  const views: BrokerView[] = []
  for (const broker of image.brokers.values()) {
    const endpoint = broker.listeners.get(listener)
    if (broker.fenced !== fenced || endpoint === undefined) continue
    views.push({ brokerId: broker.brokerId, host: endpoint.host, port: endpoint.port, rack: broker.rack })
  }
  return views.sort((a, b) => a.brokerId - b.brokerId)
}

export interface PartitionView {
  readonly errorCode: number
  readonly partitionIndex: number
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly replicaNodes: readonly number[]
  readonly isrNodes: readonly number[]
  readonly offlineReplicas: readonly number[]
}

/**
 * A partition as Metadata shows it. LEADER_NOT_AVAILABLE without a live leader; where the leader lives but does not
 * have the listener, LISTENER_NOT_FOUND from Metadata version 6 on and LEADER_NOT_AVAILABLE before.
 */
export function partitionView(
  image: MetadataImage,
  partition: PartitionImage,
  listener: string,
  metadataVersion: number,
): PartitionView {
  const view = {
    errorCode: Errors.NONE,
    partitionIndex: partition.partition,
    leaderId: partition.leader,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: partition.replicas,
    isrNodes: partition.isr,
    offlineReplicas: partition.replicas.filter((id) => !isReplicaOnline(image, partition, id)),
  }
  const leader = image.brokers.get(partition.leader)
  if (leader === undefined || leader.fenced) {
    return { ...view, errorCode: Errors.LEADER_NOT_AVAILABLE, leaderId: -1 }
  }
  if (!leader.listeners.has(listener)) {
    const errorCode = metadataVersion >= 6 ? Errors.LISTENER_NOT_FOUND : Errors.LEADER_NOT_AVAILABLE
    return { ...view, errorCode, leaderId: -1 }
  }
  return view
}

// AllocateProducerIds as the controller decides it: brokers get blocks of producer ids, each recorded before it is used.
// Owns the size and bounds of blocks; handing out single ids is the broker's side, producer-id-block.ts.
import { Errors } from '../protocol/index.js'
import type { MetadataImage } from './image.js'
import type { MetadataRecord } from './metadata-records.js'
import { metadataRecord } from './metadata-records.js'

export const PRODUCER_ID_BLOCK_SIZE = 1_000

export interface AllocateProducerIdsRequest {
  readonly brokerId: number
  readonly brokerEpoch: number
}

export interface AllocateProducerIdsResponse {
  readonly errorCode: number
  readonly producerIdStart: number
  readonly producerIdLen: number
}

export function decideAllocateProducerIds(
  image: MetadataImage,
  { brokerId, brokerEpoch }: AllocateProducerIdsRequest,
): { records: MetadataRecord[]; response: AllocateProducerIdsResponse } {
  const refuse = (errorCode: number) => ({ records: [], response: allocationFailed(errorCode) })
  const broker = image.brokers.get(brokerId)
  if (broker === undefined) return refuse(Errors.BROKER_ID_NOT_REGISTERED)
  if (broker.epoch !== brokerEpoch) return refuse(Errors.STALE_BROKER_EPOCH)
  const start = image.nextProducerId
  // An id that a number cannot hold exactly could be given out twice.
  if (start > Number.MAX_SAFE_INTEGER - PRODUCER_ID_BLOCK_SIZE) return refuse(Errors.UNKNOWN_SERVER_ERROR)
  const nextProducerId = start + PRODUCER_ID_BLOCK_SIZE
  const record = metadataRecord('ProducerIdsRecord', { brokerId, brokerEpoch, nextProducerId })
  const response = { errorCode: Errors.NONE, producerIdStart: start, producerIdLen: PRODUCER_ID_BLOCK_SIZE }
  return { records: [record], response }
}

export function allocationFailed(errorCode: number): AllocateProducerIdsResponse {
  return { errorCode, producerIdStart: -1, producerIdLen: 0 }
}

// ElectLeaders 0 to 2 and AlterPartitionReassignments 0 to 1 as the controller decides them, with Kafka's errors.
// Owns leaders and the order of replicas. Moving data to another broker is refused: nobody copies it there.
import type { alterPartitionReassignments, electLeaders, RequestOf, ResponseOf } from '../protocol/index.js'
import { Errors, errorMessage } from '../protocol/index.js'
import type { MetadataImage, PartitionImage } from './image.js'
import { NO_LEADER, topicByName, topicsSorted } from './image.js'
import { mayLead } from './log-dirs.js'
import type { MetadataMessage, MetadataRecord } from './metadata-records.js'
import { partitionChange } from './partition-change.js'
import { type ApiError, manualError } from './topics.js'

export type ElectLeadersRequest = RequestOf<typeof electLeaders>
export type ElectLeadersResponse = ResponseOf<typeof electLeaders>
export type ReassignRequest = RequestOf<typeof alterPartitionReassignments>
export type ReassignResponse = ResponseOf<typeof alterPartitionReassignments>

const PREFERRED = 0
const UNCLEAN = 1
const RECOVERING = 1

type Outcome = { readonly error: ApiError } | { readonly records: readonly MetadataRecord[] }

/** Without partitions all of them are meant, and those that need no election are not mentioned. */
export function decideElectLeaders(
  image: MetadataImage,
  { electionType, topicPartitions }: ElectLeadersRequest,
): { records: MetadataRecord[]; response: ElectLeadersResponse } {
  if (electionType !== PREFERRED && electionType !== UNCLEAN) {
    return { records: [], response: electionFailed(Errors.INVALID_REQUEST) }
  }
  const asked =
    topicPartitions ??
    topicsSorted(image).map(({ name, partitions }) => ({ topic: name, partitions: [...partitions.keys()] }))
  const records: MetadataRecord[] = []
  const replicaElectionResults = asked.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.flatMap((partitionId) => {
      const outcome = elect(image, topic, partitionId, electionType)
      if ('records' in outcome) records.push(...outcome.records)
      const error = 'error' in outcome ? outcome.error : NO_ERROR
      const isSilent = topicPartitions === null && error.errorCode === Errors.ELECTION_NOT_NEEDED
      return isSilent ? [] : [{ partitionId, ...error }]
    }),
  }))
  const mentioned = replicaElectionResults.filter(
    ({ partitionResult }) => topicPartitions !== null || partitionResult.length > 0,
  )
  const response = { throttleTimeMs: 0, errorCode: Errors.NONE, replicaElectionResults: mentioned }
  return { records, response }
}

const NO_ERROR: ApiError = { errorCode: Errors.NONE, errorMessage: null }

function elect(image: MetadataImage, name: string, index: number, electionType: number): Outcome {
  const topic = topicByName(image, name)
  if (topic === undefined) return unknown(`No such topic as ${name}`)
  const partition = topic.partitions.get(index)
  if (partition === undefined) return unknown(`No such partition as ${name}-${index}`)
  const { leader, replicas, isr } = partition
  const [preferred] = replicas
  const isNeeded = electionType === PREFERRED ? leader !== preferred : leader === NO_LEADER
  if (!isNeeded) return failed(Errors.ELECTION_NOT_NEEDED)
  const change = (fields: Partial<MetadataMessage<'PartitionChangeRecord'>>): Outcome => ({
    records: [partitionChange(topic.topicId, index, fields)],
  })
  const inSync = replicas.find((id) => isr.includes(id) && mayLead(image, partition, id))
  if (electionType === PREFERRED) {
    return inSync !== undefined && inSync === preferred
      ? change({ leader: inSync })
      : failed(Errors.PREFERRED_LEADER_NOT_AVAILABLE)
  }
  if (inSync !== undefined) return change({ leader: inSync })
  const live = replicas.find((id) => mayLead(image, partition, id))
  return live === undefined
    ? failed(Errors.ELIGIBLE_LEADERS_NOT_AVAILABLE)
    : change({ leader: live, isr: [live], leaderRecoveryState: RECOVERING })
}

/** The same replicas in another order are taken, the same ones change nothing. */
export function decideReassign(
  image: MetadataImage,
  { topics, allowReplicationFactorChange }: ReassignRequest,
): { records: MetadataRecord[]; response: ReassignResponse } {
  const records: MetadataRecord[] = []
  const responses = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex, replicas }) => {
      const outcome = reassign(image, name, partitionIndex, replicas)
      if ('records' in outcome) records.push(...outcome.records)
      return { partitionIndex, ...('error' in outcome ? outcome.error : NO_ERROR) }
    }),
  }))
  const response = {
    ...reassignFailed(Errors.NONE),
    allowReplicationFactorChange,
    errorMessage: null,
    responses,
  }
  return { records, response }
}

function reassign(
  image: MetadataImage,
  name: string,
  index: number,
  replicas: readonly number[] | null,
): Outcome {
  const topic = topicByName(image, name)
  if (topic === undefined) return unknown(`Unable to find a topic named ${name}.`)
  const partition = topic.partitions.get(index)
  if (partition === undefined) return unknown(`Unable to find partition ${name}:${index}.`)
  if (replicas === null) return failed(Errors.NO_REASSIGNMENT_IN_PROGRESS)
  const reason = manualError(image, index, replicas, null) ?? moveError(partition, replicas)
  if (reason !== null) {
    return { error: { errorCode: Errors.INVALID_REPLICA_ASSIGNMENT, errorMessage: reason } }
  }
  const isSame = replicas.every((id, position) => partition.replicas[position] === id)
  if (isSame) return { records: [] }
  const directories = replicas.flatMap((id) => partition.directories[partition.replicas.indexOf(id)] ?? [])
  return { records: [partitionChange(topic.topicId, index, { replicas: [...replicas], directories })] }
}

function moveError(partition: PartitionImage, replicas: readonly number[]): string | null {
  const isPermutation =
    replicas.length === partition.replicas.length && replicas.every((id) => partition.replicas.includes(id))
  return isPermutation ? null : 'Replicas cannot be moved between brokers, only be put into another order.'
}

function unknown(message: string): Outcome {
  return { error: { errorCode: Errors.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: message } }
}

function failed(errorCode: number): Outcome {
  return { error: { errorCode, errorMessage: errorMessage(errorCode) } }
}

/** The answer to the whole request with one error. */
export function electionFailed(errorCode: number): ElectLeadersResponse {
  return { throttleTimeMs: 0, errorCode, replicaElectionResults: [] }
}

/** The answer to the whole request with one error. */
export function reassignFailed(errorCode: number): ReassignResponse {
  return {
    throttleTimeMs: 0,
    allowReplicationFactorChange: true,
    errorCode,
    errorMessage: errorMessage(errorCode),
    responses: [],
  }
}

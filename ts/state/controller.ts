// The metadata controller: a fold over __cluster_metadata that decides topics, brokers, configs, ACLs and producer ids.
// Owns the dispatch and what it has to know beside the image; it decides by what is committed, applied or not.
import type {
  CreateAclsRequest,
  CreateAclsResponse,
  DeleteAclsRequest,
  DeleteAclsResponse,
} from './acl-admin.js'
import { aclCreationFailed, aclDeletionFailed, decideCreateAcls, decideDeleteAcls } from './acl-admin.js'
import type { RegisterBrokerRequest, RegisterBrokerResponse, UnregisterBrokerResponse } from './brokers.js'
import { decideRegisterBroker, decideUnregisterBroker, unregistrationFailed } from './brokers.js'
import type { AlterConfigsRequest, AlterConfigsResponse, ConfigPolicy } from './configs.js'
import { alterationFailed, decideAlterConfigs } from './configs.js'
import type { Decision, ImageCoordinator } from './coordinator.js'
import { nothing } from './coordinator.js'
import type { FeatureLevel, UpdateFeaturesRequest, UpdateFeaturesResponse } from './features.js'
import { decideUpdateFeatures, updateFailed } from './features.js'
import type { MetadataImage } from './image.js'
import { emptyImage } from './image.js'
import { applyRecords, type MetadataDelta } from './image-delta.js'
import type { LogDirsOfflineRequest } from './log-dirs.js'
import { decideLogDirsOffline } from './log-dirs.js'
import type { MetadataRecord } from './metadata-records.js'
import { atMetadataVersion, metadataRecord } from './metadata-records.js'
import { METADATA_VERSION, NEWEST_METADATA_VERSION } from './metadata-version.js'
import type { CreatePartitionsRequest, CreatePartitionsResponse } from './partitions.js'
import { decideCreatePartitions, growthFailed } from './partitions.js'
import type { AllocateProducerIdsRequest, AllocateProducerIdsResponse } from './producer-ids.js'
import { allocationFailed, decideAllocateProducerIds } from './producer-ids.js'
import type {
  ElectLeadersRequest,
  ElectLeadersResponse,
  ReassignRequest,
  ReassignResponse,
} from './reassignments.js'
import { decideElectLeaders, decideReassign, electionFailed, reassignFailed } from './reassignments.js'
import type { DeleteTopicsRequest, DeleteTopicsResponse } from './topic-deletion.js'
import { decideDeleteTopics, deletionFailed } from './topic-deletion.js'
import { collisionKey } from './topic-name.js'
import type { CreateTopicsRequest, CreateTopicsResponse, TopicPolicy } from './topics.js'
import { creationFailed, decideCreateTopics } from './topics.js'

/** Read by `decide`, mutated by `replay` and `follow` alone. */
export interface ControllerState {
  /** As the records so far make it. */
  image: MetadataImage
  /** Names of existing topics by what they collide in. */
  readonly collisions: Map<string, Set<string>>
}

interface Asked {
  /** Opaque reply token. */
  readonly to: number
}

export type ControllerRequest =
  | (Asked & {
      readonly kind: 'create-topics'
      readonly body: CreateTopicsRequest
      /** One unused topic id for each topic of the request. */
      readonly freshTopicIds: readonly string[]
    })
  | (Asked & {
      readonly kind: 'delete-topics'
      readonly apiVersion: number
      readonly body: DeleteTopicsRequest
    })
  | (Asked & { readonly kind: 'create-partitions'; readonly body: CreatePartitionsRequest })
  | (Asked & { readonly kind: 'elect-leaders'; readonly body: ElectLeadersRequest })
  | (Asked & { readonly kind: 'reassign'; readonly body: ReassignRequest })
  | (Asked & { readonly kind: 'alter-configs'; readonly body: AlterConfigsRequest })
  | (Asked & {
      readonly kind: 'create-acls'
      readonly body: CreateAclsRequest
      /** One unused id for each ACL of the request. */
      readonly freshIds: readonly string[]
    })
  | (Asked & { readonly kind: 'delete-acls'; readonly body: DeleteAclsRequest })
  | (Asked & { readonly kind: 'allocate-producer-ids'; readonly body: AllocateProducerIdsRequest })
  | (Asked & { readonly kind: 'register-broker'; readonly body: RegisterBrokerRequest })
  /** Answers nobody. */
  | { readonly kind: 'log-dirs-offline'; readonly body: LogDirsOfflineRequest }
  | (Asked & { readonly kind: 'unregister-broker'; readonly brokerId: number })
  | (Asked & {
      readonly kind: 'update-features'
      /** Of the controller. */
      readonly nodeId: number
      readonly apiVersion: number
      readonly body: UpdateFeaturesRequest
    })
  /**
   * The first records of a fresh cluster, of which there are none once any feature is finalised, and the end of a metadata
   * transaction that was left open. Answers nobody.
   */
  | { readonly kind: 'bootstrap'; readonly features: readonly FeatureLevel[] }

export type ControllerReply =
  | CreateTopicsResponse
  | DeleteTopicsResponse
  | CreatePartitionsResponse
  | ElectLeadersResponse
  | ReassignResponse
  | AlterConfigsResponse
  | CreateAclsResponse
  | DeleteAclsResponse
  | AllocateProducerIdsResponse
  | RegisterBrokerResponse
  | UnregisterBrokerResponse
  | UpdateFeaturesResponse

export type ControllerDecision = Decision<MetadataRecord, never, ControllerReply>
export type Controller = ImageCoordinator<
  ControllerState,
  ControllerRequest,
  MetadataRecord,
  never,
  ControllerReply,
  MetadataImage,
  MetadataDelta
>

export type ControllerPolicy = TopicPolicy & ConfigPolicy

/**
 * A controller with the policy that the broker's configs make, which the image may change; it holds no state of its
 * own. It sets no timers and parks nothing.
 */
export function controller(policyOf: (image: MetadataImage) => ControllerPolicy): Controller {
  return {
    create: () => ({ image: emptyImage(), collisions: new Map() }),
    decide: (state, request) => atFinalizedLevel(state.image, decide(state, request, policyOf(state.image))),
    replay(state, change) {
      if (!('record' in change)) return
      const { image, delta } = applyRecords(state.image, change.offset, state.image.epoch, [change.record])
      follow(state, image, delta)
    },
    follow,
    expired: () => nothing(),
    loaded: () => nothing(),
    unloaded: () => nothing(),
    refused: (_state, request, errorCode) => failedRequest(request, errorCode),
  }
}

function decide(
  { image, collisions }: ControllerState,
  request: ControllerRequest,
  policy: ControllerPolicy,
): ControllerDecision {
  switch (request.kind) {
    case 'create-topics': {
      const { body, freshTopicIds } = request
      return answered(request, decideCreateTopics(image, collisions, body, freshTopicIds, policy))
    }
    case 'delete-topics':
      return answered(request, decideDeleteTopics(image, request.apiVersion, request.body, policy))
    case 'create-partitions':
      return answered(request, decideCreatePartitions(image, request.body))
    case 'elect-leaders':
      return answered(request, decideElectLeaders(image, request.body))
    case 'reassign':
      return answered(request, decideReassign(image, request.body))
    case 'alter-configs':
      return answered(request, decideAlterConfigs(image, request.body, policy))
    case 'create-acls':
      return answered(request, decideCreateAcls(image, request.body, request.freshIds))
    case 'delete-acls':
      return answered(request, decideDeleteAcls(image, request.body))
    case 'allocate-producer-ids':
      return answered(request, decideAllocateProducerIds(image, request.body))
    case 'register-broker':
      return answered(request, decideRegisterBroker(image, request.body))
    case 'unregister-broker':
      return answered(request, decideUnregisterBroker(image, request.brokerId))
    case 'update-features': {
      const { nodeId, apiVersion, body } = request
      return answered(request, decideUpdateFeatures(image, nodeId, apiVersion, body))
    }
    case 'log-dirs-offline':
      return unasked(decideLogDirsOffline(image, request.body))
    case 'bootstrap':
      return unasked(bootstrapRecords(image, request.features))
  }
}

/** Records as whoever reads the log at its metadata.version understands them. */
function atFinalizedLevel({ features }: MetadataImage, decision: ControllerDecision): ControllerDecision {
  const level = features.get(METADATA_VERSION) ?? NEWEST_METADATA_VERSION
  return { ...decision, records: decision.records.map((record) => atMetadataVersion(record, level)) }
}

function answered(
  { to }: Asked,
  { records, response }: { records: readonly MetadataRecord[]; response: ControllerReply },
): ControllerDecision {
  return { records, soft: [], replies: [{ to, response }], timers: [] }
}

function unasked(records: readonly MetadataRecord[]): ControllerDecision {
  return { ...nothing<MetadataRecord, never, ControllerReply>(), records }
}

/** Kafka's log starts with metadata.version; levels are never raised silently afterwards. */
function bootstrapRecords(image: MetadataImage, features: readonly FeatureLevel[]): MetadataRecord[] {
  const reason = 'The controller that began it is gone.'
  const abort = image.transaction === null ? [] : [metadataRecord('AbortTransactionRecord', { reason })]
  if (image.features.size > 0) return abort
  const levels = features.map(({ name, level }) =>
    metadataRecord('FeatureLevelRecord', { name, featureLevel: level }),
  )
  return [...abort, ...levels]
}

function follow(state: ControllerState, image: MetadataImage, delta: MetadataDelta): void {
  state.image = image
  for (const { topic, created } of delta.topics.values()) {
    if (created) collide(state.collisions, topic.name, (names) => names.add(topic.name))
  }
  for (const { name } of delta.removedTopics) collide(state.collisions, name, (names) => names.delete(name))
}

function collide(
  collisions: Map<string, Set<string>>,
  name: string,
  change: (names: Set<string>) => void,
): void {
  const key = collisionKey(name)
  if (key === null) return
  const names = collisions.get(key) ?? new Set()
  change(names)
  if (names.size === 0) collisions.delete(key)
  else collisions.set(key, names)
}

/** The answer to any request with one error, as when the controller is not here (NOT_CONTROLLER). */
export function failedRequest(request: ControllerRequest, errorCode: number): ControllerReply | null {
  switch (request.kind) {
    case 'create-topics':
      return creationFailed(request.body, errorCode)
    case 'delete-topics':
      return deletionFailed(request.apiVersion, request.body, errorCode)
    case 'create-partitions':
      return growthFailed(request.body, errorCode)
    case 'elect-leaders':
      return electionFailed(errorCode)
    case 'reassign':
      return reassignFailed(errorCode)
    case 'alter-configs':
      return alterationFailed(request.body, errorCode)
    case 'create-acls':
      return aclCreationFailed(request.body, errorCode)
    case 'delete-acls':
      return aclDeletionFailed(request.body, errorCode)
    case 'allocate-producer-ids':
      return allocationFailed(errorCode)
    case 'register-broker':
      return { errorCode, brokerEpoch: -1 }
    case 'unregister-broker':
      return unregistrationFailed(errorCode)
    case 'update-features':
      return updateFailed(errorCode)
    case 'log-dirs-offline':
    case 'bootstrap':
      return null
  }
}

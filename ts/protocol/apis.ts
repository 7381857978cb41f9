/**
 * The table of every live API of Kafka, by key, for tests and tools. A broker does not import this: loading all tables
 * costs it tens of milliseconds, so it loads those that it serves (schema/index.ts) and knows the others by api-keys.ts.
 */
import { addOffsetsToTxn } from './schema/add-offsets-to-txn.js'
import { addPartitionsToTxn } from './schema/add-partitions-to-txn.js'
import { addRaftVoter } from './schema/add-raft-voter.js'
import { allocateProducerIds } from './schema/allocate-producer-ids.js'
import { alterClientQuotas } from './schema/alter-client-quotas.js'
import { alterConfigs } from './schema/alter-configs.js'
import { alterPartition } from './schema/alter-partition.js'
import { alterPartitionReassignments } from './schema/alter-partition-reassignments.js'
import { alterReplicaLogDirs } from './schema/alter-replica-log-dirs.js'
import { alterShareGroupOffsets } from './schema/alter-share-group-offsets.js'
import { alterUserScramCredentials } from './schema/alter-user-scram-credentials.js'
import { apiVersions } from './schema/api-versions.js'
import { assignReplicasToDirs } from './schema/assign-replicas-to-dirs.js'
import { beginQuorumEpoch } from './schema/begin-quorum-epoch.js'
import { brokerHeartbeat } from './schema/broker-heartbeat.js'
import { brokerRegistration } from './schema/broker-registration.js'
import { consumerGroupDescribe } from './schema/consumer-group-describe.js'
import { consumerGroupHeartbeat } from './schema/consumer-group-heartbeat.js'
import { controllerRegistration } from './schema/controller-registration.js'
import { createAcls } from './schema/create-acls.js'
import { createDelegationToken } from './schema/create-delegation-token.js'
import { createPartitions } from './schema/create-partitions.js'
import { createTopics } from './schema/create-topics.js'
import { deleteAcls } from './schema/delete-acls.js'
import { deleteGroups } from './schema/delete-groups.js'
import { deleteRecords } from './schema/delete-records.js'
import { deleteShareGroupOffsets } from './schema/delete-share-group-offsets.js'
import { deleteShareGroupState } from './schema/delete-share-group-state.js'
import { deleteTopics } from './schema/delete-topics.js'
import { describeAcls } from './schema/describe-acls.js'
import { describeClientQuotas } from './schema/describe-client-quotas.js'
import { describeCluster } from './schema/describe-cluster.js'
import { describeConfigs } from './schema/describe-configs.js'
import { describeDelegationToken } from './schema/describe-delegation-token.js'
import { describeGroups } from './schema/describe-groups.js'
import { describeLogDirs } from './schema/describe-log-dirs.js'
import { describeProducers } from './schema/describe-producers.js'
import { describeQuorum } from './schema/describe-quorum.js'
import { describeShareGroupOffsets } from './schema/describe-share-group-offsets.js'
import { describeTopicPartitions } from './schema/describe-topic-partitions.js'
import { describeTransactions } from './schema/describe-transactions.js'
import { describeUserScramCredentials } from './schema/describe-user-scram-credentials.js'
import { electLeaders } from './schema/elect-leaders.js'
import { endQuorumEpoch } from './schema/end-quorum-epoch.js'
import { endTxn } from './schema/end-txn.js'
import { envelope } from './schema/envelope.js'
import { expireDelegationToken } from './schema/expire-delegation-token.js'
import { fetch } from './schema/fetch.js'
import { fetchSnapshot } from './schema/fetch-snapshot.js'
import { findCoordinator } from './schema/find-coordinator.js'
import { getTelemetrySubscriptions } from './schema/get-telemetry-subscriptions.js'
import { heartbeat } from './schema/heartbeat.js'
import { incrementalAlterConfigs } from './schema/incremental-alter-configs.js'
import { initProducerId } from './schema/init-producer-id.js'
import { initializeShareGroupState } from './schema/initialize-share-group-state.js'
import { joinGroup } from './schema/join-group.js'
import { leaveGroup } from './schema/leave-group.js'
import { listConfigResources } from './schema/list-config-resources.js'
import { listGroups } from './schema/list-groups.js'
import { listOffsets } from './schema/list-offsets.js'
import { listPartitionReassignments } from './schema/list-partition-reassignments.js'
import { listTransactions } from './schema/list-transactions.js'
import { metadata } from './schema/metadata.js'
import { offsetCommit } from './schema/offset-commit.js'
import { offsetDelete } from './schema/offset-delete.js'
import { offsetFetch } from './schema/offset-fetch.js'
import { offsetForLeaderEpoch } from './schema/offset-for-leader-epoch.js'
import { produce } from './schema/produce.js'
import { pushTelemetry } from './schema/push-telemetry.js'
import { readShareGroupState } from './schema/read-share-group-state.js'
import { readShareGroupStateSummary } from './schema/read-share-group-state-summary.js'
import { removeRaftVoter } from './schema/remove-raft-voter.js'
import { renewDelegationToken } from './schema/renew-delegation-token.js'
import { saslAuthenticate } from './schema/sasl-authenticate.js'
import { saslHandshake } from './schema/sasl-handshake.js'
import { shareAcknowledge } from './schema/share-acknowledge.js'
import { shareFetch } from './schema/share-fetch.js'
import { shareGroupDescribe } from './schema/share-group-describe.js'
import { shareGroupHeartbeat } from './schema/share-group-heartbeat.js'
import { streamsGroupDescribe } from './schema/streams-group-describe.js'
import { streamsGroupHeartbeat } from './schema/streams-group-heartbeat.js'
import { streamsGroupTopologyDescriptionUpdate } from './schema/streams-group-topology-description-update.js'
import { syncGroup } from './schema/sync-group.js'
import { txnOffsetCommit } from './schema/txn-offset-commit.js'
import { unregisterBroker } from './schema/unregister-broker.js'
import { unregisterController } from './schema/unregister-controller.js'
import { updateFeatures } from './schema/update-features.js'
import { updateRaftVoter } from './schema/update-raft-voter.js'
import { vote } from './schema/vote.js'
import { writeShareGroupState } from './schema/write-share-group-state.js'
import { writeTxnMarkers } from './schema/write-txn-markers.js'
import type { Api } from './table.js'

const all: readonly Api[] = [
  produce,
  fetch,
  listOffsets,
  metadata,
  offsetCommit,
  offsetFetch,
  findCoordinator,
  joinGroup,
  heartbeat,
  leaveGroup,
  syncGroup,
  describeGroups,
  listGroups,
  saslHandshake,
  apiVersions,
  createTopics,
  deleteTopics,
  deleteRecords,
  initProducerId,
  offsetForLeaderEpoch,
  addPartitionsToTxn,
  addOffsetsToTxn,
  endTxn,
  writeTxnMarkers,
  txnOffsetCommit,
  describeAcls,
  createAcls,
  deleteAcls,
  describeConfigs,
  alterConfigs,
  alterReplicaLogDirs,
  describeLogDirs,
  saslAuthenticate,
  createPartitions,
  createDelegationToken,
  renewDelegationToken,
  expireDelegationToken,
  describeDelegationToken,
  deleteGroups,
  electLeaders,
  incrementalAlterConfigs,
  alterPartitionReassignments,
  listPartitionReassignments,
  offsetDelete,
  describeClientQuotas,
  alterClientQuotas,
  describeUserScramCredentials,
  alterUserScramCredentials,
  vote,
  beginQuorumEpoch,
  endQuorumEpoch,
  describeQuorum,
  alterPartition,
  updateFeatures,
  envelope,
  fetchSnapshot,
  describeCluster,
  describeProducers,
  brokerRegistration,
  brokerHeartbeat,
  unregisterBroker,
  describeTransactions,
  listTransactions,
  allocateProducerIds,
  consumerGroupHeartbeat,
  consumerGroupDescribe,
  controllerRegistration,
  getTelemetrySubscriptions,
  pushTelemetry,
  assignReplicasToDirs,
  listConfigResources,
  describeTopicPartitions,
  shareGroupHeartbeat,
  shareGroupDescribe,
  shareFetch,
  shareAcknowledge,
  addRaftVoter,
  removeRaftVoter,
  updateRaftVoter,
  initializeShareGroupState,
  readShareGroupState,
  writeShareGroupState,
  deleteShareGroupState,
  readShareGroupStateSummary,
  streamsGroupHeartbeat,
  streamsGroupDescribe,
  describeShareGroupOffsets,
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
  streamsGroupTopologyDescriptionUpdate,
  unregisterController,
]

export const apis: ReadonlyMap<number, Api> = new Map(all.map((api) => [api.key, api]))

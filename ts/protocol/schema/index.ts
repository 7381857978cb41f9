/**
 * The tables that a broker loads when it starts: those of the APIs that it serves and of the records that it keeps.
 * An API that comes to be served gets its line here. All tables together are in ../apis.ts.
 */
export { alterConfigs } from './alter-configs.js'
export { alterPartitionReassignments } from './alter-partition-reassignments.js'
export { alterReplicaLogDirs } from './alter-replica-log-dirs.js'
export { apiVersions } from './api-versions.js'
export { createAcls } from './create-acls.js'
export { createPartitions } from './create-partitions.js'
export { createTopics } from './create-topics.js'
export { deleteAcls } from './delete-acls.js'
export { deleteGroups } from './delete-groups.js'
export { deleteRecords } from './delete-records.js'
export { deleteTopics } from './delete-topics.js'
export { describeAcls } from './describe-acls.js'
export { describeCluster } from './describe-cluster.js'
export { describeConfigs } from './describe-configs.js'
export { describeGroups } from './describe-groups.js'
export { describeLogDirs } from './describe-log-dirs.js'
export { describeProducers } from './describe-producers.js'
export { describeQuorum } from './describe-quorum.js'
export { describeTopicPartitions } from './describe-topic-partitions.js'
export { electLeaders } from './elect-leaders.js'
export { fetch } from './fetch.js'
export { findCoordinator } from './find-coordinator.js'
export { groupMetadataRecord, groupRecords, offsetCommitRecord } from './group-records.js'
export { heartbeat } from './heartbeat.js'
export { incrementalAlterConfigs } from './incremental-alter-configs.js'
export { initProducerId } from './init-producer-id.js'
export { joinGroup } from './join-group.js'
export { leaveGroup } from './leave-group.js'
export { listConfigResources } from './list-config-resources.js'
export { listGroups } from './list-groups.js'
export { listOffsets } from './list-offsets.js'
export { listPartitionReassignments } from './list-partition-reassignments.js'
export { metadata, OPERATIONS_OMITTED } from './metadata.js'
export {
  abortTransactionRecord,
  beginTransactionRecord,
  brokerRegistrationChangeRecord,
  clearElrRecord,
  configRecord,
  endTransactionRecord,
  featureLevelRecord,
  fenceBrokerRecord,
  metadataRecords,
  noOpRecord,
  partitionChangeRecord,
  partitionRecord,
  producerIdsRecord,
  registerBrokerRecord,
  registerControllerRecord,
  removeTopicRecord,
  topicRecord,
  unfenceBrokerRecord,
  unregisterBrokerRecord,
  unregisterControllerRecord,
  zkMigrationStateRecord,
} from './metadata-records.js'
export {
  accessControlEntryRecord,
  clientQuotaRecord,
  delegationTokenRecord,
  removeAccessControlEntryRecord,
  removeDelegationTokenRecord,
  removeUserScramCredentialRecord,
  userScramCredentialRecord,
} from './metadata-security-records.js'
export { offsetCommit } from './offset-commit.js'
export { offsetDelete } from './offset-delete.js'
export { offsetFetch } from './offset-fetch.js'
export { offsetForLeaderEpoch } from './offset-for-leader-epoch.js'
export { produce } from './produce.js'
export { syncGroup } from './sync-group.js'
export { unregisterBroker } from './unregister-broker.js'
export { updateFeatures } from './update-features.js'

/** Every API that has a table, by key. Which of them a broker advertises is not decided here. */
import { apiVersions } from './schema/api-versions.js'
import { createTopics } from './schema/create-topics.js'
import { deleteTopics } from './schema/delete-topics.js'
import { describeCluster } from './schema/describe-cluster.js'
import { describeConfigs } from './schema/describe-configs.js'
import { fetch } from './schema/fetch.js'
import { findCoordinator } from './schema/find-coordinator.js'
import { heartbeat } from './schema/heartbeat.js'
import { initProducerId } from './schema/init-producer-id.js'
import { joinGroup } from './schema/join-group.js'
import { leaveGroup } from './schema/leave-group.js'
import { listOffsets } from './schema/list-offsets.js'
import { metadata } from './schema/metadata.js'
import { offsetCommit } from './schema/offset-commit.js'
import { offsetFetch } from './schema/offset-fetch.js'
import { produce } from './schema/produce.js'
import { syncGroup } from './schema/sync-group.js'
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
  apiVersions,
  createTopics,
  deleteTopics,
  initProducerId,
  describeConfigs,
  describeCluster,
]

export const apis: ReadonlyMap<number, Api> = new Map(all.map((api) => [api.key, api]))

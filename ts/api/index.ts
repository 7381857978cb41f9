/** Every API that the control plane serves, by key. What is not listed here or in the data plane is not served. */
import { aclHandlers } from './acls.js'
import { alterConfigsHandlers } from './alter-configs.js'
import { apiVersionsHandler, servedApis } from './api-versions.js'
import { describeClusterHandler } from './cluster.js'
import { describeConfigsHandler } from './configs.js'
import { deleteRecordsHandler } from './delete-records.js'
import { describeTopicPartitionsHandler } from './describe-topic-partitions.js'
import { featureHandlers } from './features.js'
import { findCoordinatorHandler } from './find-coordinator.js'
import { groupAdminHandlers } from './group-admin.js'
import { groupHandlers } from './groups.js'
import type { Handler } from './handler.js'
import { listConfigResourcesHandler } from './list-config-resources.js'
import { metadataHandler } from './metadata.js'
import { nodeHandlers } from './node-apis.js'
import { offsetHandlers } from './offsets.js'
import { partitionHandlers } from './partitions.js'
import { initProducerIdHandler } from './producer-id.js'
import { alterReplicaLogDirsHandler } from './replica-log-dirs.js'
import { topicHandlers } from './topics.js'

const all: readonly Handler[] = [
  metadataHandler,
  ...offsetHandlers,
  findCoordinatorHandler,
  ...groupHandlers,
  ...groupAdminHandlers,
  apiVersionsHandler(() => served),
  ...topicHandlers,
  deleteRecordsHandler,
  initProducerIdHandler,
  ...aclHandlers,
  describeConfigsHandler,
  ...alterConfigsHandlers,
  listConfigResourcesHandler,
  ...partitionHandlers,
  describeTopicPartitionsHandler,
  ...nodeHandlers,
  alterReplicaLogDirsHandler,
  describeClusterHandler,
  ...featureHandlers,
]

const served = servedApis(all)

export const handlers: ReadonlyMap<number, Handler> = new Map(
  all.map((handler) => [handler.api.key, handler]),
)

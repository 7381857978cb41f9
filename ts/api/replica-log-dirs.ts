/**
 * AlterReplicaLogDirs (key 34), v0–2: moves replicas of this broker to other log directories of its own (KIP-113). The
 * answer means that the move has begun; DescribeLogDirs tells how far it is. A partition that is not here yet will be
 * created in the directory that was asked for. It waits for no move and moves nothing itself.
 */
import { alterReplicaLogDirs, Errors, type ResponseOf } from '../protocol/index.js'
import { topicByName } from '../state/image.js'
import { CLUSTER_NAME } from './authorize.js'
import type { BrokerView, DescribedLogDir } from './broker-view.js'
import { type Handler, serve } from './handler.js'

/** What Kafka puts behind the name of a directory on its way: a dot, 32 characters and `-future`. */
const FUTURE_SUFFIX_LENGTH = 40
const MAX_NAME_LENGTH = 255

export const alterReplicaLogDirsHandler: Handler = serve(alterReplicaLogDirs, (call, { dirs }, broker) => {
  const allowed = broker.authorizer.allows(call, 'ALTER', 'CLUSTER', CLUSTER_NAME)
  const { logDirs } = broker.describeNode()
  const codes = new Map<string, Map<number, number>>()
  // A partition that is named twice goes where it was named last, as with Kafka.
  for (const [name, wanted] of wantedDirs(dirs)) {
    const answered = new Map<number, number>()
    for (const [partition, path] of wanted) {
      const errorCode = allowed
        ? move(broker, logDirs, name, partition, path)
        : Errors.CLUSTER_AUTHORIZATION_FAILED
      answered.set(partition, errorCode)
    }
    codes.set(name, answered)
  }
  const results: ResponseOf<typeof alterReplicaLogDirs>['results'] = [...codes].map(
    ([topicName, partitions]) => ({
      topicName,
      partitions: [...partitions].map(([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
    }),
  )
  call.reply({ results })
})

function wantedDirs(
  dirs: readonly {
    readonly path: string
    readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[]
  }[],
): Map<string, Map<number, string>> {
  const wanted = new Map<string, Map<number, string>>()
  for (const { path, topics } of dirs) {
    for (const { name, partitions } of topics) {
      const known = wanted.get(name) ?? new Map<number, string>()
      for (const partition of partitions) known.set(partition, path)
      wanted.set(name, known)
    }
  }
  return wanted
}

/** The order of the refusals is that of Kafka's `ReplicaManager.alterReplicaLogDirs`. */
function move(
  broker: BrokerView,
  logDirs: readonly DescribedLogDir[],
  name: string,
  partition: number,
  path: string,
): number {
  if (`${name}-${partition}`.length + FUTURE_SUFFIX_LENGTH > MAX_NAME_LENGTH) {
    return Errors.INVALID_TOPIC_EXCEPTION
  }
  const target = logDirs.find((logDir) => logDir.path === path)
  if (target === undefined) return Errors.LOG_DIR_NOT_FOUND
  if (!target.online) return Errors.KAFKA_STORAGE_ERROR
  const known = topicByName(broker.image(), name)?.partitions.get(partition)
  const isHere = (logDir: DescribedLogDir) =>
    logDir.partitions.some((one) => one.topic === name && one.partition === partition && !one.isFuture)
  const isOpen = logDirs.some(isHere)
  const mayBeOffline =
    known?.replicas.includes(broker.nodeId) === true && logDirs.some(({ online }) => !online)
  if (!isOpen && mayBeOffline) return Errors.KAFKA_STORAGE_ERROR
  // No copy is begun while a directory is offline that may hold another one.
  if (isOpen && !isHere(target) && logDirs.some(({ online }) => !online)) return Errors.KAFKA_STORAGE_ERROR
  broker.movePartition(name, partition, path)
  if (known === undefined) return Errors.UNKNOWN_TOPIC_OR_PARTITION
  return isOpen ? Errors.NONE : Errors.REPLICA_NOT_AVAILABLE
}

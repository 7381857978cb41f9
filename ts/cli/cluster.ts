/** `millrace cluster …`: who is in the cluster, what it keeps on its disks, and what it speaks. */
import type { Command } from 'commander'
import {
  apiKeys,
  apiVersions,
  describeCluster,
  describeLogDirs,
  describeQuorum,
  Errors,
} from '../protocol/index.js'
import { type ClusterOptions, clusterCommand, family, withCluster } from './command.js'
import { refused } from './failure.js'
import { count, print, sizeText, table } from './output.js'
import type { Cluster } from './wire/cluster.js'

const METADATA_TOPIC = '__cluster_metadata'

export function declareCluster(program: Command): void {
  const cluster = family(program, 'cluster', 'brokers, metadata quorum, disks and served APIs')

  clusterCommand(cluster, 'describe', 'brokers, controller, quorum and features', [
    'cluster describe',
  ]).action(describe)

  clusterCommand(cluster, 'disks', 'log directories with their partitions and sizes', [
    'cluster disks',
    'cluster disks --json',
  ]).action(disks)

  clusterCommand(cluster, 'apis', 'the APIs that each broker serves, with their versions', [
    'cluster apis',
  ]).action(apis)
}

function describe(options: ClusterOptions): Promise<void> {
  return withCluster(options, async (cluster) => {
    const described = await cluster.ask(describeCluster, { includeClusterAuthorizedOperations: false })
    if (described.errorCode !== Errors.NONE) {
      throw refused('describe the cluster', described.errorCode, described.errorMessage)
    }
    const client = { clientSoftwareName: 'millrace-cli', clientSoftwareVersion: '1' }
    const versions = await cluster.ask(apiVersions, client, 4)
    const quorum = await cluster.ask(describeQuorum, {
      topics: [{ topicName: METADATA_TOPIC, partitions: [{ partitionIndex: 0 }] }],
    })
    const metadataPartition = quorum.topics[0]?.partitions[0]
    const value = {
      clusterId: described.clusterId,
      controllerId: described.controllerId,
      brokers: described.brokers.map(({ brokerId, host, port, rack }) => ({ brokerId, host, port, rack })),
      quorum:
        metadataPartition === undefined || metadataPartition.errorCode !== Errors.NONE
          ? null
          : {
              leaderId: metadataPartition.leaderId,
              leaderEpoch: metadataPartition.leaderEpoch,
              highWatermark: metadataPartition.highWatermark,
              voters: metadataPartition.currentVoters.map((voter) => voter.replicaId),
            },
      features: versions.finalizedFeatures.map(({ name, maxVersionLevel }) => ({
        name,
        level: maxVersionLevel,
      })),
    }
    print(options.json, value, () =>
      [
        `Cluster ${value.clusterId}`,
        table(
          ['broker', 'address', 'rack', 'role'],
          value.brokers.map((one) => [
            one.brokerId,
            `${one.host}:${one.port}`,
            one.rack,
            one.brokerId === value.controllerId ? 'controller' : 'broker',
          ]),
        ),
        value.quorum === null
          ? 'The metadata quorum does not answer.'
          : `Metadata quorum: leader ${value.quorum.leaderId}, epoch ${value.quorum.leaderEpoch}, voters ${value.quorum.voters.join(', ')}, high watermark ${value.quorum.highWatermark}`,
        table(
          ['feature', 'level'],
          value.features.map((feature) => [feature.name, feature.level]),
        ),
      ].join('\n\n'),
    )
  })
}

function disks(options: ClusterOptions): Promise<void> {
  return withCluster(options, async (cluster) => {
    const { brokers } = await cluster.metadata([])
    const logDirs: Awaited<ReturnType<typeof logDirsOf>> = []
    for (const { nodeId } of brokers) logDirs.push(...(await logDirsOf(cluster, nodeId)))
    print(options.json, logDirs, () =>
      logDirs
        .map((one) => {
          const free =
            one.usableBytes < 0 ? '' : `, ${sizeText(one.usableBytes)} of ${sizeText(one.totalBytes)} free`
          const state = one.online ? 'online' : 'OFFLINE'
          const filled = one.partitions.filter((each) => each.bytes > 0)
          const rows = filled.map((each) => [each.topic, each.partition, sizeText(each.bytes)])
          const empty = count(one.partitions.length - filled.length, 'empty partition')
          return `Broker ${one.broker}: ${one.path} (${state}${free})\n${table(['topic', 'partition', 'size'], rows)}\nand ${empty}`
        })
        .join('\n\n'),
    )
  })
}

async function logDirsOf(cluster: Cluster, nodeId: number) {
  const broker = await cluster.broker(nodeId)
  const { results, errorCode } = await broker.request(describeLogDirs, { topics: null })
  if (errorCode !== Errors.NONE) throw refused(`read the log directories of broker ${nodeId}`, errorCode)
  return results.map((one) => ({
    broker: nodeId,
    path: one.logDir,
    online: one.errorCode === Errors.NONE,
    totalBytes: one.totalBytes,
    usableBytes: one.usableBytes,
    partitions: one.topics
      .flatMap(({ name, partitions }) =>
        partitions.map((partition) => ({
          topic: name,
          partition: partition.partitionIndex,
          bytes: partition.partitionSize,
        })),
      )
      .sort((a, b) => b.bytes - a.bytes),
  }))
}

function apis(options: ClusterOptions): Promise<void> {
  return withCluster(options, async (cluster) => {
    const { brokers } = await cluster.metadata([])
    const served: Awaited<ReturnType<typeof apisOf>> = []
    for (const { nodeId } of brokers) served.push(...(await apisOf(cluster, nodeId)))
    print(options.json, served, () =>
      table(
        ['broker', 'key', 'api', 'from', 'to'],
        served.map((one) => [one.broker, one.key, one.name ?? 'unknown', one.minVersion, one.maxVersion]),
      ),
    )
  })
}

async function apisOf(cluster: Cluster, nodeId: number) {
  const { versions } = await cluster.broker(nodeId)
  return [...versions]
    .map(([key, { min, max }]) => ({
      broker: nodeId,
      key,
      name: apiKeys.get(key)?.name ?? null,
      minVersion: min,
      maxVersion: max,
    }))
    .sort((a, b) => a.key - b.key)
}

/** `millrace topic …`: what topics there are, and making, growing, trimming and deleting them. */
import type { Command } from 'commander'
import { createPartitions, createTopics, deleteRecords, deleteTopics, Errors } from '../protocol/index.js'
import {
  assignment,
  type ClusterOptions,
  clusterCommand,
  collect,
  family,
  natural,
  positive,
  withCluster,
} from './command.js'
import { CommandError, refused } from './failure.js'
import { count, print, printLine, table } from './output.js'
import type { Cluster, TopicMetadata } from './wire/cluster.js'
import { ends } from './wire/offsets.js'

export function declareTopic(program: Command): void {
  const topic = family(program, 'topic', 'list, describe, create, grow, trim and delete topics')

  clusterCommand(topic, 'list', 'names, partitions and replicas of all topics', [
    'topic list',
    'topic list --internal --json',
  ])
    .option('--internal', 'internal topics too')
    .action(list)

  clusterCommand(
    topic,
    'describe <topic...>',
    'partitions with leaders, replicas, offsets and sizes in records',
    ['topic describe orders'],
  ).action(describe)

  clusterCommand(topic, 'create <topic>', 'make a topic', [
    'topic create orders',
    'topic create orders --partitions 12 --config retention.ms=86400000 --config compression.type=zstd',
  ])
    .option('-p, --partitions <n>', "how many partitions (default: the broker's num.partitions)", positive)
    .option('-r, --replication-factor <n>', "copies of each (default: the broker's choice)", positive)
    .option('-c, --config <key=value>', 'a topic config; may be given more than once', collect)
    .option('--if-not-exists', 'do nothing if the topic is there already')
    .action(create)

  clusterCommand(topic, 'grow <topic> <partitions>', 'raise the number of partitions to this many', [
    'topic grow orders 24',
  ]).action(grow)

  clusterCommand(topic, 'trim <topic>', 'delete the oldest records', [
    'topic trim orders --partition 0 --before 1000',
    'topic trim orders --all',
  ])
    .option('--partition <n>', 'the partition (default: all of them)', natural)
    .option('--before <offset>', 'delete records below this offset', natural)
    .option('--all', 'delete every record that is there now')
    .action(trim)

  clusterCommand(topic, 'delete <topic...>', 'delete topics with all their records', [
    'topic delete orders',
    'topic delete --if-exists orders payments',
  ])
    .option('--if-exists', 'pass over topics that are not there')
    .action(remove)
}

function list(options: ClusterOptions & { internal?: boolean }): Promise<void> {
  return withCluster(options, async (cluster) => {
    const { topics } = await cluster.metadata(null)
    const shown = topics
      .filter((topic) => options.internal || !topic.isInternal)
      .map(({ name, topicId, isInternal, partitions }) => ({
        name,
        topicId,
        isInternal,
        partitions: partitions.length,
        replicationFactor: partitions[0]?.replicaNodes.length ?? 0,
      }))
      .sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1))
    print(options.json, shown, () =>
      shown.length === 0
        ? 'There are no topics. `millrace topic create NAME` makes one.'
        : table(
            ['topic', 'partitions', 'replicas', 'id'],
            shown.map((topic) => [topic.name, topic.partitions, topic.replicationFactor, topic.topicId]),
          ),
    )
  })
}

function describe(names: string[], options: ClusterOptions): Promise<void> {
  return withCluster(options, async (cluster) => {
    const topics = await cluster.topics(names)
    const described: Awaited<ReturnType<typeof describeOne>>[] = []
    for (const topic of topics) described.push(await describeOne(cluster, topic))
    print(options.json, described, () =>
      described
        .map(
          (topic) =>
            `${topic.name}  (id ${topic.topicId}, ${count(topic.partitions.length, 'partition')}${topic.isInternal ? ', internal' : ''})\n${table(
              ['partition', 'leader', 'epoch', 'replicas', 'isr', 'start', 'end', 'records'],
              topic.partitions.map((one) => [
                one.partition,
                one.leader,
                one.leaderEpoch,
                one.replicas.join(','),
                one.isr.join(','),
                one.logStartOffset,
                one.highWatermark,
                one.highWatermark === null || one.logStartOffset === null
                  ? null
                  : one.highWatermark - one.logStartOffset,
              ]),
            )}`,
        )
        .join('\n\n'),
    )
  })
}

async function describeOne(cluster: Cluster, topic: TopicMetadata) {
  const { starts, nexts } = await ends(cluster, topic)
  const partitions = topic.partitions
    .map((partition) => ({
      partition: partition.partitionIndex,
      leader: partition.leaderId,
      leaderEpoch: partition.leaderEpoch,
      replicas: partition.replicaNodes,
      isr: partition.isrNodes,
      offline: partition.offlineReplicas,
      logStartOffset: starts.get(partition.partitionIndex) ?? null,
      highWatermark: nexts.get(partition.partitionIndex) ?? null,
    }))
    .sort((a, b) => a.partition - b.partition)
  return { name: topic.name, topicId: topic.topicId, isInternal: topic.isInternal, partitions }
}

interface CreateOptions extends ClusterOptions {
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly config?: readonly string[]
  readonly ifNotExists?: boolean
}

function create(name: string, options: CreateOptions): Promise<void> {
  return withCluster(options, async (cluster) => {
    const request = {
      topics: [
        {
          name,
          numPartitions: options.partitions ?? -1,
          replicationFactor: options.replicationFactor ?? -1,
          assignments: [],
          configs: (options.config ?? []).map(assignment),
        },
      ],
      timeoutMs: options.timeout,
    }
    const answer = await cluster.settled(
      async () => (await cluster.controller()).request(createTopics, request),
      (one) => one.topics.map((topic) => topic.errorCode),
    )
    const [topic] = answer.topics
    if (topic === undefined) throw new CommandError(`The broker did not answer for topic ${name}.`)
    const existed = topic.errorCode === Errors.TOPIC_ALREADY_EXISTS
    if (topic.errorCode !== Errors.NONE && !(existed && options.ifNotExists)) {
      throw refused(
        `create topic ${name}`,
        topic.errorCode,
        topic.errorMessage,
        existed ? 'With --if-not-exists that is no error.' : undefined,
      )
    }
    const { topicId, numPartitions, replicationFactor } = topic
    print(options.json, { name, created: !existed, topicId, numPartitions, replicationFactor }, () =>
      existed
        ? `Topic ${name} is there already.`
        : `Created topic ${name} with ${numPartitions < 0 ? 'its partitions' : count(numPartitions, 'partition')}.`,
    )
  })
}

function grow(name: string, partitions: string, options: ClusterOptions): Promise<void> {
  const total = positive(partitions)
  return withCluster(options, async (cluster) => {
    const request = {
      topics: [{ name, count: total, assignments: null }],
      timeoutMs: options.timeout,
      validateOnly: false,
    }
    const { results } = await (await cluster.controller()).request(createPartitions, request)
    for (const one of results) {
      if (one.errorCode !== Errors.NONE) throw refused(`grow topic ${name}`, one.errorCode, one.errorMessage)
    }
    print(
      options.json,
      { name, partitions: total },
      () => `Topic ${name} has ${count(total, 'partition')} now.`,
    )
  })
}

interface TrimOptions extends ClusterOptions {
  readonly partition?: number
  readonly before?: number
  readonly all?: boolean
}

function trim(name: string, options: TrimOptions): Promise<void> {
  if ((options.before === undefined) === (options.all !== true)) {
    throw new CommandError('Say how far to trim: --before OFFSET, or --all for every record.')
  }
  return withCluster(options, async (cluster) => {
    const [topic] = await cluster.topics([name])
    const wanted = (topic?.partitions ?? []).filter(
      (one) => options.partition === undefined || one.partitionIndex === options.partition,
    )
    if (wanted.length === 0) throw new CommandError(`Topic ${name} has no partition ${options.partition}.`)
    const trimmed: { partition: number; logStartOffset: number }[] = []
    for (const { partitionIndex, leaderId } of wanted) {
      // −1 means the high watermark.
      const partitions = [{ partitionIndex, offset: BigInt(options.before ?? -1) }]
      const request = { topics: [{ name, partitions }], timeoutMs: options.timeout }
      const answer = await (await cluster.broker(leaderId)).request(deleteRecords, request)
      const one = answer.topics[0]?.partitions[0]
      if (one === undefined || one.errorCode !== Errors.NONE) {
        throw refused(`trim partition ${partitionIndex} of topic ${name}`, one?.errorCode ?? -1)
      }
      trimmed.push({ partition: partitionIndex, logStartOffset: one.lowWatermark })
    }
    trimmed.sort((a, b) => a.partition - b.partition)
    print(options.json, trimmed, () =>
      table(
        ['partition', 'starts at'],
        trimmed.map((one) => [one.partition, one.logStartOffset]),
      ),
    )
  })
}

function remove(names: string[], options: ClusterOptions & { ifExists?: boolean }): Promise<void> {
  return withCluster(options, async (cluster) => {
    const request = { topicNames: names, timeoutMs: options.timeout }
    const { responses } = await (await cluster.controller()).request(deleteTopics, request, 5)
    const deleted: string[] = []
    for (const { name, errorCode, errorMessage } of responses) {
      if (errorCode === Errors.NONE) deleted.push(name ?? '')
      else if (errorCode !== Errors.UNKNOWN_TOPIC_OR_PARTITION || !options.ifExists) {
        if (deleted.length > 0) printLine(`Deleted ${deleted.join(', ')}.`)
        throw refused(
          `delete topic ${name}`,
          errorCode,
          errorMessage,
          errorCode === Errors.UNKNOWN_TOPIC_OR_PARTITION ? 'With --if-exists that is no error.' : undefined,
        )
      }
    }
    print(options.json, { deleted }, () =>
      deleted.length === 0 ? 'There was nothing to delete.' : `Deleted ${deleted.join(', ')}.`,
    )
  })
}

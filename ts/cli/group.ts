/** `millrace group …`: what groups there are, how far they have read, and moving or forgetting where they stand. */
import type { Command } from 'commander'
import { deleteGroups, Errors, listGroups, offsetCommit, offsetDelete } from '../protocol/index.js'
import { type ClusterOptions, clusterCommand, collect, family, integer, withCluster } from './command.js'
import { CommandError, refused } from './failure.js'
import { type Moves, parseTopicPartitions, type TopicPartitions, targetOffsets } from './group-offsets.js'
import { print, table } from './output.js'
import type { Cluster } from './wire/cluster.js'
import { assigned, committedOffsets, describedGroup } from './wire/groups.js'
import { LATEST, offsetsAll } from './wire/offsets.js'

export function declareGroup(program: Command): void {
  const group = family(program, 'group', 'list, describe, move and delete consumer groups')

  clusterCommand(group, 'list', 'all groups with their states', [
    'group list',
    'group list --state Empty --json',
  ])
    .option('--state <state>', 'only groups in this state; may be given more than once', collect)
    .action(list)

  clusterCommand(group, 'describe <group>', 'members, committed offsets and lag', [
    'group describe billing',
  ]).action(describe)

  clusterCommand(
    group,
    'move <group>',
    'set committed offsets of a group without members; shows what it would do until --execute is given',
    [
      'group move billing --topic orders --to-earliest',
      'group move billing --topic orders:0,1 --to-datetime 2026-01-31T08:00:00Z --execute',
    ],
  )
    .requiredOption(
      '--topic <topic[:partitions]>',
      'topic, or topic:0,1,2; may be given more than once',
      collect,
    )
    .option('--to-earliest', 'to the first record')
    .option('--to-latest', 'past the last record')
    .option('--to-offset <offset>', 'to this offset', integer)
    .option('--shift-by <n>', 'this many records on, or back when negative', integer)
    .option('--to-datetime <time>', 'to the first record at or after this ISO 8601 time')
    .option('--execute', 'do it')
    .action(move)

  clusterCommand(group, 'forget <group>', 'delete committed offsets of topics', [
    'group forget billing --topic orders',
  ])
    .requiredOption(
      '--topic <topic[:partitions]>',
      'topic, or topic:0,1,2; may be given more than once',
      collect,
    )
    .action(forget)

  clusterCommand(group, 'delete <group...>', 'delete groups that have no members', [
    'group delete billing',
  ]).action(remove)
}

function list(options: ClusterOptions & { state?: readonly string[] }): Promise<void> {
  return withCluster(options, async (cluster) => {
    const groups = []
    const { brokers } = await cluster.metadata([])
    for (const { nodeId } of brokers) {
      const broker = await cluster.broker(nodeId)
      const request = { statesFilter: options.state ?? [] }
      const answer = await cluster.settled(
        () => broker.request(listGroups, request),
        (one) => [one.errorCode],
      )
      if (answer.errorCode !== Errors.NONE) throw refused('list groups', answer.errorCode)
      groups.push(...answer.groups)
    }
    const shown = groups
      .map(({ groupId, groupState, groupType, protocolType }) => ({
        group: groupId,
        state: groupState,
        type: groupType,
        protocolType,
      }))
      .sort((a, b) => (a.group < b.group ? -1 : 1))
    print(options.json, shown, () =>
      shown.length === 0
        ? 'There are no groups.'
        : table(
            ['group', 'state', 'type', 'protocol'],
            shown.map((one) => [one.group, one.state, one.type, one.protocolType]),
          ),
    )
  })
}

function describe(groupId: string, options: ClusterOptions): Promise<void> {
  return withCluster(options, async (cluster) => {
    const group = await describedGroup(cluster, groupId)
    const members = group.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.groupInstanceId,
      clientId: member.clientId,
      host: member.clientHost,
      assigned: assigned(member.memberAssignment),
    }))
    const owner = new Map(members.flatMap((member) => member.assigned.map((one) => [one, member.clientId])))
    const offsets = await lags(cluster, groupId, owner)
    const value = {
      group: groupId,
      state: group.groupState,
      protocolType: group.protocolType,
      assignor: group.protocolData,
      members,
      offsets,
    }
    print(options.json, value, () => {
      const protocol = [value.protocolType, value.assignor].filter((one) => one !== '').join(', ')
      const parts = [`${groupId}: ${value.state}${protocol === '' ? '' : ` (${protocol})`}`]
      if (members.length > 0) {
        const rows = members.map((one) => [one.memberId, one.instanceId, one.host, one.assigned.length])
        parts.push(table(['member', 'instance', 'host', 'partitions'], rows))
      }
      parts.push(
        offsets.length === 0
          ? 'It has committed no offsets.'
          : table(
              ['topic', 'partition', 'committed', 'end', 'lag', 'client'],
              offsets.map((one) => [one.topic, one.partition, one.committed, one.end, one.lag, one.client]),
            ),
      )
      return parts.join('\n\n')
    })
  })
}

interface Lag {
  readonly topic: string
  readonly partition: number
  readonly committed: number
  /** Null where the topic is gone. */
  readonly end: number | null
  readonly lag: number | null
  readonly client: string | null
}

async function lags(cluster: Cluster, groupId: string, owner: ReadonlyMap<string, string>): Promise<Lag[]> {
  const committed = await committedOffsets(cluster, groupId)
  const names = [...new Set(committed.map((one) => one.topic))]
  const { topics } = await cluster.metadata(names)
  const ends = new Map<string, Map<number, number>>()
  for (const topic of topics) {
    if (topic.errorCode === Errors.NONE) {
      ends.set(topic.name ?? '', await offsetsAll(cluster, topic, LATEST))
    }
  }
  return committed.map(({ topic, partition, offset }) => {
    const end = ends.get(topic)?.get(partition) ?? null
    return {
      topic,
      partition,
      committed: offset,
      end,
      lag: end === null ? null : Math.max(0, end - offset),
      client: owner.get(`${topic}:${partition}`) ?? null,
    }
  })
}

interface MoveOptions extends ClusterOptions, Moves {
  readonly topic: readonly string[]
  readonly execute?: boolean
}

function move(groupId: string, options: MoveOptions): Promise<void> {
  const wanted = options.topic.map(parseTopicPartitions)
  return withCluster(options, async (cluster) => {
    const moved = await targetOffsets(cluster, groupId, wanted, options)
    if (options.execute) {
      const topics = wanted.map(({ topic }) => ({
        name: topic,
        partitions: moved
          .filter((one) => one.topic === topic)
          .map(({ partition, to }) => ({
            partitionIndex: partition,
            committedOffset: to,
            committedMetadata: '',
          })),
      }))
      const coordinator = await cluster.coordinator(groupId)
      const answer = await coordinator.request(offsetCommit, { groupId, memberId: '', topics }, 9)
      for (const { name, partitions } of answer.topics) {
        for (const { partitionIndex, errorCode } of partitions) {
          if (errorCode !== Errors.NONE) {
            throw refused(
              `move group ${groupId} on partition ${partitionIndex} of topic ${name}`,
              errorCode,
              null,
              errorCode === Errors.UNKNOWN_MEMBER_ID ? 'Stop the members of the group first.' : undefined,
            )
          }
        }
      }
    }
    print(options.json, { group: groupId, executed: options.execute ?? false, offsets: moved }, () => {
      const shown = table(
        ['topic', 'partition', 'from', 'to'],
        moved.map((one) => [one.topic, one.partition, one.from, one.to]),
      )
      return options.execute ? shown : `${shown}\n\nNothing has been changed: --execute does it.`
    })
  })
}

function forget(groupId: string, options: ClusterOptions & { topic: readonly string[] }): Promise<void> {
  const wanted = options.topic.map(parseTopicPartitions)
  return withCluster(options, async (cluster) => {
    const committed = await committedOffsets(cluster, groupId)
    const hit = ({ topic, partitions }: TopicPartitions) =>
      committed.filter(
        (one) => one.topic === topic && (partitions === null || partitions.includes(one.partition)),
      )
    const topics = wanted.map((one) => ({
      name: one.topic,
      partitions: hit(one).map(({ partition }) => ({ partitionIndex: partition })),
    }))
    const coordinator = await cluster.coordinator(groupId)
    const answer = await coordinator.request(offsetDelete, { groupId, topics })
    const codes = [
      answer.errorCode,
      ...answer.topics.flatMap((topic) => topic.partitions.map((one) => one.errorCode)),
    ]
    const failed = codes.find((code) => code !== Errors.NONE)
    if (failed !== undefined) throw refused(`forget offsets of group ${groupId}`, failed)
    const forgotten = topics.flatMap((topic) =>
      topic.partitions.map((one) => `${topic.name}:${one.partitionIndex}`),
    )
    print(options.json, { group: groupId, forgotten }, () =>
      forgotten.length === 0
        ? `Group ${groupId} had committed nothing there.`
        : `Group ${groupId} forgot ${forgotten.join(', ')}.`,
    )
  })
}

function remove(groups: string[], options: ClusterOptions): Promise<void> {
  return withCluster(options, async (cluster) => {
    for (const groupId of groups) {
      const coordinator = await cluster.coordinator(groupId)
      const { results } = await coordinator.request(deleteGroups, { groupsNames: [groupId] })
      const [result] = results
      if (result === undefined || result.errorCode === Errors.NONE) continue
      if (result.errorCode === Errors.GROUP_ID_NOT_FOUND) {
        throw new CommandError(
          `Group ${groupId} does not exist. \`millrace group list\` shows the groups that do.`,
        )
      }
      throw refused(
        `delete group ${groupId}`,
        result.errorCode,
        result.errorMessage,
        result.errorCode === Errors.NON_EMPTY_GROUP ? 'Stop its members first.' : undefined,
      )
    }
    print(options.json, { deleted: groups }, () => `Deleted ${groups.join(', ')}.`)
  })
}

/**
 * The topics of `millrace bench`: one of its own on each cluster, by a name that nobody else has, deleted at the end; or
 * one that exists and is left as it is. It touches no other topic.
 */
import { randomUUID } from 'node:crypto'
import { hostAndPort } from '../config/listeners.js'
import { createTopics, deleteTopics, Errors } from '../protocol/index.js'
import { type ClusterOptions, withCluster } from './command.js'
import { CommandError, refused } from './failure.js'
import { EARLIEST, LATEST, offsetsAt } from './wire/offsets.js'

export const PARTITION = 0

export interface BenchTopic {
  /** As the user named the cluster. */
  readonly server: string
  readonly name: string
  /** Made by this command. */
  readonly own: boolean
}

/** Where its partition is led now, as `host:port`, and which offsets it has. */
export interface Place {
  readonly leader: string
  readonly start: number
  readonly end: number
}

/** A topic of one partition under a name of its own. */
export function createBenchTopic(options: ClusterOptions, server: string): Promise<BenchTopic> {
  return withCluster({ ...options, bootstrapServer: server }, async (cluster) => {
    const name = `millrace-bench-${randomUUID().slice(0, 13)}`
    const topics = [{ name, numPartitions: 1, replicationFactor: -1, assignments: [], configs: [] }]
    const { topics: created } = await cluster.settled(
      async () => (await cluster.controller()).request(createTopics, { topics, timeoutMs: options.timeout }),
      (answer) => answer.topics.map((one) => one.errorCode),
    )
    const [one] = created
    if (one?.errorCode !== Errors.NONE) {
      const code = one?.errorCode ?? Errors.UNKNOWN_SERVER_ERROR
      throw refused(`create topic ${name} at ${server}`, code, one?.errorMessage)
    }
    return { server, name, own: true }
  })
}

/** A topic that is there. Throws CommandError where it is not. */
export function existingTopic(options: ClusterOptions, server: string, name: string): Promise<BenchTopic> {
  return withCluster({ ...options, bootstrapServer: server }, async (cluster) => {
    await cluster.topics([name])
    return { server, name, own: false }
  })
}

export function placeOf(options: ClusterOptions, topic: BenchTopic): Promise<Place> {
  return withCluster({ ...options, bootstrapServer: topic.server }, async (cluster) => {
    const leader = await cluster.leader(topic.name, PARTITION)
    const [described] = await cluster.topics([topic.name])
    if (described === undefined) throw new CommandError(`Topic ${topic.name} is gone.`)
    const at = async (timestamp: number) =>
      (await offsetsAt(cluster, described, new Map([[PARTITION, timestamp]]))).get(PARTITION) ?? 0
    return { leader: hostAndPort(leader), start: await at(EARLIEST), end: await at(LATEST) }
  })
}

/** Deletes what `createBenchTopic` made. Throws CommandError that says how to do so by hand. */
export async function deleteBenchTopic(options: ClusterOptions, topic: BenchTopic): Promise<void> {
  if (!topic.own) return
  try {
    await withCluster({ ...options, bootstrapServer: topic.server }, async (cluster) => {
      const request = { topicNames: [topic.name], timeoutMs: options.timeout }
      const { responses } = await (await cluster.controller()).request(deleteTopics, request, 5)
      const [one] = responses
      if (one !== undefined && one.errorCode !== Errors.NONE) {
        throw refused(`delete topic ${topic.name}`, one.errorCode, one.errorMessage)
      }
    })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new CommandError(
      `${reason} Topic ${topic.name} is still there: \`millrace topic delete ${topic.name} -b ${topic.server}\` deletes it.`,
    )
  }
}

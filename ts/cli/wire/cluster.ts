/**
 * A cluster as a command sees it: any broker of the bootstrap list, the controller, a partition's leader, a group's
 * coordinator. Answers that pass by themselves (an election, a coordinator that loads) are asked again until the
 * command's time is up; all others go to the caller.
 */
import {
  type Api,
  type EncodableRequest,
  Errors,
  errorName,
  findCoordinator,
  metadata,
  type ResponseOf,
} from '../../protocol/index.js'
import { CommandError, refused } from '../failure.js'
import { type Address, BrokerConnection } from './connection.js'

export type ClusterMetadata = ResponseOf<typeof metadata>
export type TopicMetadata = ClusterMetadata['topics'][number]

const PASSING: ReadonlySet<number> = new Set([
  Errors.LEADER_NOT_AVAILABLE,
  Errors.NOT_LEADER_OR_FOLLOWER,
  Errors.COORDINATOR_LOAD_IN_PROGRESS,
  Errors.COORDINATOR_NOT_AVAILABLE,
  Errors.NOT_COORDINATOR,
  Errors.NOT_CONTROLLER,
  Errors.REQUEST_TIMED_OUT,
])

export class Cluster {
  private readonly connections = new Map<string, Promise<BrokerConnection>>()
  /** Where brokers are, as far as the cluster has told. */
  private readonly addresses = new Map<number, Address>()
  private readonly deadline: number

  constructor(
    private readonly bootstrap: readonly Address[],
    readonly timeoutMs: number,
  ) {
    this.deadline = performance.now() + timeoutMs
  }

  /** The first broker of the bootstrap list that answers. */
  async any(): Promise<BrokerConnection> {
    let last: unknown
    for (const address of this.bootstrap) {
      try {
        return await this.at(address)
      } catch (error) {
        last = error
      }
    }
    throw last
  }

  async ask<A extends Api>(
    api: A,
    body: EncodableRequest<A>,
    atMost = api.maxVersion,
  ): Promise<ResponseOf<A>> {
    return (await this.any()).request(api, body, atMost)
  }

  /** `null` means all topics. Topics come with their error codes. */
  async metadata(topics: readonly string[] | null): Promise<ClusterMetadata> {
    const request = { topics: topics?.map((name) => ({ name })) ?? null, allowAutoTopicCreation: false }
    const answer = await this.ask(metadata, request, 12)
    for (const { nodeId, host, port } of answer.brokers) this.addresses.set(nodeId, { host, port })
    return answer
  }

  /** The topics by name, once each of their partitions has a leader. Throws CommandError for one that does not exist. */
  async topics(names: readonly string[]): Promise<TopicMetadata[]> {
    const { topics } = await this.settled(
      () => this.metadata(names),
      (answer) => [
        ...answer.topics.map((topic) => topic.errorCode),
        ...answer.topics.flatMap((topic) => topic.partitions.map((partition) => partition.errorCode)),
      ],
    )
    for (const { name, errorCode } of topics) {
      if (errorCode === Errors.UNKNOWN_TOPIC_OR_PARTITION) {
        throw new CommandError(
          `Topic ${name} does not exist. \`millrace topic list\` shows the topics that do.`,
        )
      }
      if (errorCode !== Errors.NONE) throw refused(`read topic ${name}`, errorCode)
    }
    return topics
  }

  async broker(nodeId: number): Promise<BrokerConnection> {
    if (!this.addresses.has(nodeId)) await this.metadata([])
    const address = this.addresses.get(nodeId)
    if (address === undefined) throw new CommandError(`Broker ${nodeId} is not in the cluster.`)
    return this.at(address)
  }

  /** Where the partition's leader is, as the cluster advertises it, once there is one; a topic that was created just now
   * may be unknown for a moment. Throws CommandError where it stays so. */
  async leader(topic: string, partition: number): Promise<Address> {
    const answer = await this.settled(
      () => this.metadata([topic]),
      ({ topics: [one] }) => [
        one?.errorCode === Errors.UNKNOWN_TOPIC_OR_PARTITION
          ? Errors.LEADER_NOT_AVAILABLE
          : (one?.errorCode ?? Errors.NONE),
        one?.partitions.find((each) => each.partitionIndex === partition)?.errorCode ?? Errors.NONE,
      ],
    )
    const [found] = answer.topics
    if (found === undefined || found.errorCode !== Errors.NONE) {
      throw refused(`read topic ${topic}`, found?.errorCode ?? Errors.UNKNOWN_SERVER_ERROR)
    }
    const leaderId = found.partitions.find((one) => one.partitionIndex === partition)?.leaderId
    const address = this.addresses.get(leaderId ?? -1)
    if (address === undefined)
      throw new CommandError(`Topic ${topic} has no partition ${partition} with a leader.`)
    return address
  }

  async controller(): Promise<BrokerConnection> {
    const { controllerId, brokers } = await this.metadata([])
    const broker = brokers.find((one) => one.nodeId === controllerId)
    return broker === undefined ? this.any() : this.at(broker)
  }

  async coordinator(group: string): Promise<BrokerConnection> {
    const answer = await this.settled(
      () => this.ask(findCoordinator, { key: group, keyType: 0 }, 3),
      (one) => [one.errorCode],
    )
    if (answer.errorCode !== Errors.NONE)
      throw refused(`find the coordinator of group ${group}`, answer.errorCode, answer.errorMessage)
    return this.at(answer)
  }

  /** Asks again while an answer's error codes are of those that pass by themselves, until the time is up. */
  async settled<T>(ask: () => Promise<T>, errorCodes: (answer: T) => readonly number[]): Promise<T> {
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 1000)) {
      const answer = await ask()
      const passing = errorCodes(answer).find((code) => PASSING.has(code))
      if (passing === undefined) return answer
      if (performance.now() + pauseMs > this.deadline) {
        throw new CommandError(
          `The cluster is not ready after ${this.timeoutMs} ms: it answers ${errorName(passing)}. Try again, or give it longer with --timeout.`,
        )
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }

  async close(): Promise<void> {
    for (const connection of this.connections.values()) {
      await connection.then(
        (open) => open.close(),
        () => {},
      )
    }
  }

  private at({ host, port }: Address): Promise<BrokerConnection> {
    const key = `${host}\n${port}`
    const known = this.connections.get(key)
    if (known !== undefined) return known
    const opening = BrokerConnection.open({ host, port }, this.timeoutMs)
    this.connections.set(key, opening)
    return opening
  }
}

/** `host:port,[::1]:port`. Throws CommandError that names the flag and quotes what is wrong. */
export function parseBootstrap(text: string, flag = '--bootstrap-server'): Address[] {
  return text.split(',').map((part) => {
    const found = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(part.trim())
    const host = found?.[1] ?? found?.[2]
    const port = Number(found?.[3])
    if (host === undefined || port < 1 || port > 65535) {
      throw new CommandError(`${flag} ${text}: "${part}" is not host:port.`)
    }
    return { host, port }
  })
}

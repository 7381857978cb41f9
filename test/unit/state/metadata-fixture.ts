// A controller in memory for the tests: applies its own decisions and keeps the log.
import { expect } from 'vitest'
import type { RegisterBrokerRequest } from '../../../ts/state/brokers.js'
import type { ControllerPolicy, ControllerReply, ControllerRequest } from '../../../ts/state/controller.js'
import { controller } from '../../../ts/state/controller.js'
import { applyDecision } from '../../../ts/state/coordinator.js'
import type { MetadataRecord } from '../../../ts/state/metadata-records.js'
import { decodeMetadata, encodeMetadata } from '../../../ts/state/metadata-records.js'
import type { CreatableTopic, CreateTopicsResponse } from '../../../ts/state/topics.js'
import { topicWithDefaults } from '../../../ts/state/topics.js'

/** 22 characters that differ by number. */
export const uuid = (number: number) =>
  Buffer.from(number.toString(16).padStart(32, '0'), 'hex').toString('base64url')

export const LOG_DIR = uuid(0xd1)

export const broker = (
  brokerId: number,
  extra: Partial<RegisterBrokerRequest> = {},
): RegisterBrokerRequest => ({
  brokerId,
  incarnationId: uuid(1_000 + brokerId),
  endPoints: [{ name: 'PLAINTEXT', host: `host-${brokerId}`, port: 9092, securityProtocol: 0 }],
  features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 30 }],
  rack: null,
  logDirs: [LOG_DIR],
  fenced: false,
  ...extra,
})

export const topic = (name: string, extra: Partial<CreatableTopic> = {}): CreatableTopic => ({
  ...topicWithDefaults(name),
  ...extra,
})

export class TestController {
  readonly coordinator
  readonly state
  readonly log: MetadataRecord[] = []
  #freshIds = 1

  constructor(policy: Partial<ControllerPolicy> = {}) {
    this.coordinator = controller(() => ({
      defaultNumPartitions: 2,
      defaultReplicationFactor: 1,
      deleteTopicEnable: true,
      validateTopicConfigs: () => null,
      effectiveTopicConfigs: () => [],
      isListConfig: (_, name) => name.endsWith('.policy'),
      defaultConfig: () => 'delete',
      validateConfigs: () => null,
      ...policy,
    }))
    this.state = this.coordinator.create()
  }

  get image() {
    return this.state.image
  }

  /** The records of a request's decision and its answer. */
  ask(request: ControllerRequest): {
    records: readonly MetadataRecord[]
    reply: ControllerReply | undefined
  } {
    const now = { monotonicMs: 0, wallMs: 0 }
    const decision = this.coordinator.decide(this.state, request, now)
    // Through the bytes, as the metadata log would have it.
    const records = decision.records.map((record) => decodeMetadata(encodeMetadata(record)))
    applyDecision(this.coordinator, this.state, { ...decision, records }, this.log.length, 0)
    this.log.push(...records)
    expect(decision.replies.length).toBe('to' in request ? 1 : 0)
    return { records, reply: decision.replies[0]?.response }
  }

  withBrokers(...brokers: RegisterBrokerRequest[]): this {
    for (const body of brokers) this.ask({ kind: 'register-broker', to: 1, body })
    return this
  }

  create(topics: CreatableTopic[], validateOnly = false): CreateTopicsResponse['topics'] {
    const freshTopicIds = topics.map(() => uuid(this.#freshIds++))
    const body = { topics, timeoutMs: 1_000, validateOnly }
    const { reply } = this.ask({ kind: 'create-topics', to: 1, body, freshTopicIds })
    return (reply as CreateTopicsResponse).topics
  }

  /** Code and text of creating one topic. */
  createOne(one: CreatableTopic): [code: number | undefined, message: string | null | undefined] {
    const [result] = this.create([one])
    return [result?.errorCode, result?.errorMessage]
  }
}

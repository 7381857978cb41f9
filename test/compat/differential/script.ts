// One differential script: topics with drawn configs, a hundred drawn requests to both brokers, everything that was said
// compared at once, and at the end the whole of every log. It never goes on after a difference: what follows would only
// echo it.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { inspect, isDeepStrictEqual } from 'node:util'
import {
  type Api,
  createTopics,
  deleteTopics,
  type EncodableRequest,
  fetch,
  listOffsets,
  metadata,
  produce,
} from '../../../ts/protocol/index.js'
import { Random } from '../../sim/random.js'
import { differences, explain } from './explained.js'
import { plain, recordSet } from './plain.js'
import type { Side } from './side.js'
import { drawStep, type Step, type World } from './steps.js'
import { drawTopic, recompresses, type ScriptTopic, stampsTime } from './topics.js'

export interface Difference {
  readonly seed: number
  readonly step: number
  readonly what: string
  readonly kafka: unknown
  readonly millrace: unknown
}

export interface Outcome {
  readonly difference: Difference | undefined
  readonly requests: number
  /** How often each entry of the allow-list was met. */
  readonly explained: ReadonlyMap<string, number>
}

const show = (value: unknown) =>
  inspect(value, { depth: 12, breakLength: 200, compact: 8, maxStringLength: 600 })

/** A difference as a person reads it, with the way to see it again. */
export function told(difference: Difference): string {
  const { seed, step, what, kafka, millrace } = difference
  const again = `npx tsx test/compat/differential/replay.ts --seed ${seed}`
  const places = differences(kafka, millrace).map(
    (place) =>
      `  ${place.path}\n    Apache Kafka: ${show(place.kafka)}\n    Millrace:     ${show(place.millrace)}`,
  )
  return [`seed ${seed}, step ${step}: ${what}`, ...places, again].join('\n')
}

export class Script {
  private readonly random: Random
  private readonly topics: ScriptTopic[]
  private readonly byName: Map<string, ScriptTopic>
  private readonly world: World
  private readonly explained = new Map<string, number>()
  private requests = 0
  /** Whether an explained difference left the logs different. */
  private parted = false

  constructor(
    private readonly seed: number,
    private readonly kafka: Side,
    private readonly millrace: Side,
    /** What makes the topics' names its own on these two brokers. */
    run: number,
  ) {
    this.random = new Random(seed)
    const prefix = `s${seed}r${run}`
    this.topics = Array.from({ length: 3 }, (_, n) => drawTopic(this.random, `${prefix}-${n}`))
    this.byName = new Map(this.topics.map((topic) => [topic.name, topic]))
    this.world = { random: this.random, topics: this.topics, clock: Date.now(), prefix, sessionEpoch: 0 }
  }

  async run(steps: number): Promise<Outcome> {
    await Promise.all(this.sides.map((side) => this.create(side)))
    let difference: Difference | undefined
    for (let step = 1; step <= steps && !difference && !this.parted; step++)
      difference = await this.step(step)
    if (!this.parted) difference ??= await this.compareLogs(steps + 1)
    await Promise.all(this.sides.map((side) => this.leave(side)))
    return { difference, requests: this.requests, explained: this.explained }
  }

  private get sides(): readonly Side[] {
    return [this.kafka, this.millrace]
  }

  /** Asks for what must succeed. */
  private async must<A extends Api>(side: Side, api: A, version: number, request: EncodableRequest<A>) {
    const answer = await side.ask(api, version, request)
    if ('closed' in answer) throw new Error(`${side.name} closed the connection at ${api.name}`)
    return answer.reply
  }

  private async create(side: Side): Promise<void> {
    side.topicIds.clear()
    const topics = this.topics.map(({ name, partitions, configs }) => ({
      name,
      numPartitions: partitions,
      replicationFactor: 1,
      assignments: [],
      configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
    }))
    const created = await this.must(side, createTopics, 7, { topics, timeoutMs: 30_000, validateOnly: false })
    for (const topic of created.topics) {
      if (topic.errorCode !== 0) throw new Error(`${side.name}: ${topic.name}: ${topic.errorMessage}`)
      side.topicIds.set(topic.name, topic.topicId)
    }
    // Kafka answers before the broker beside its controller leads the partitions.
    const asked = this.topics.map(({ name, partitions }) => ({
      name,
      partitions: Array.from({ length: partitions }, (_, partitionIndex) => ({
        partitionIndex,
        timestamp: -1,
      })),
    }))
    for (;;) {
      const found = await this.must(side, listOffsets, 1, { replicaId: -1, topics: asked })
      if (found.topics.every((topic) => topic.partitions.every(({ errorCode }) => errorCode === 0))) return
    }
  }

  private async leave(side: Side): Promise<void> {
    const topicNames = this.topics.map(({ name }) => name)
    await this.must(side, deleteTopics, 5, { topicNames, topics: [], timeoutMs: 30_000 })
    side.close()
  }

  private async step(number: number): Promise<Difference | undefined> {
    const step = drawStep(this.world)
    this.requests += 1
    const [kafka, millrace] = await Promise.all(this.sides.map((side) => this.answerOf(side, step)))
    const what = `${step.api.name} v${step.version} ${step.label}`
    this.learn(step, kafka)
    return this.compare(number, what, step, kafka, millrace)
  }

  /** What that broker says, in comparable form. A produce without acks is followed by a request that has a reply. */
  private async answerOf(side: Side, step: Step): Promise<unknown> {
    const request = step.build(side)
    if (step.silent) {
      await side.tell(step.api, step.version, request)
      const nobody = { topics: [], allowAutoTopicCreation: false, includeTopicAuthorizedOperations: false }
      const next = await side.ask(metadata, 12, nobody)
      return 'closed' in next ? next : 'no reply'
    }
    const answer = await side.ask(step.api, step.version, request, step.change)
    if (step.api === fetch && 'reply' in answer) {
      side.sessionId = (answer.reply as { sessionId?: number }).sessionId ?? side.sessionId
    }
    return plain({ side, api: step.api, topics: this.byName }, answer)
  }

  private compare(number: number, what: string, step: Step, kafka: unknown, millrace: unknown) {
    if (isDeepStrictEqual(kafka, millrace)) return undefined
    const request = step.build(this.kafka)
    const explanation = explain({ step, request, kafka, millrace, topics: this.byName })
    if (explanation === undefined) {
      const configs = this.topics.map((topic) => `${topic.name} ${show(topic.configs)}`).join('\n')
      const asked = `${what}\n${configs}\n--- request\n${show(request)}`
      return { seed: this.seed, step: number, what: asked, kafka, millrace }
    }
    for (const reason of explanation.reasons)
      this.explained.set(reason, (this.explained.get(reason) ?? 0) + 1)
    this.parted ||= explanation.ends
    return undefined
  }

  /** Keeps what Kafka said that later requests build on. */
  private learn(step: Step, answer: unknown): void {
    if (typeof answer !== 'object' || answer === null || !('reply' in answer)) {
      this.world.sessionEpoch = 0
      return
    }
    if (step.api === produce || step.api === fetch) this.learnEnds(answer.reply as Located)
    if (step.api !== fetch) return
    const { sessionId, errorCode } = answer.reply as { sessionId?: unknown; errorCode?: number }
    if (step.label === 'session end' || sessionId === 0) this.world.sessionEpoch = 0
    else if (sessionId !== undefined && errorCode === 0) this.world.sessionEpoch += 1
  }

  private learnEnds({ responses }: Located): void {
    for (const [place, { baseOffset = -1, highWatermark = -1 }] of Object.entries(responses)) {
      const [, name = '', index = ''] = /^(.*)-(\d+)$/.exec(place) ?? []
      const topic = this.byName.get(name)
      const end = Math.max(baseOffset + 1, highWatermark)
      if (topic) topic.ends[Number(index)] = Math.max(topic.ends[Number(index)] ?? 0, end)
    }
  }

  /** Every record of every partition, and the segments that they lie in. */
  private async compareLogs(number: number): Promise<Difference | undefined> {
    for (const topic of this.topics) {
      for (let index = 0; index < topic.partitions; index++) {
        const [kafka, millrace] = await Promise.all(
          this.sides.map(async (side) => ({
            batches: recordSet(await this.everything(side, topic, index), topic),
            segments:
              recompresses(topic) || stampsTime(topic) ? 'not compared' : segments(side, topic.name, index),
          })),
        )
        if (!isDeepStrictEqual(kafka, millrace)) {
          const what = `the log of ${topic.name}-${index} ${show(topic.configs)}`
          return { seed: this.seed, step: number, what, kafka, millrace }
        }
      }
    }
    return undefined
  }

  private async logStart(side: Side, topic: ScriptTopic, partitionIndex: number): Promise<number> {
    const topics = [{ name: topic.name, partitions: [{ partitionIndex, timestamp: -2 }] }]
    const reply = await this.must(side, listOffsets, 1, { replicaId: -1, topics })
    return reply.topics[0]?.partitions[0]?.offset ?? 0
  }

  private async everything(side: Side, topic: ScriptTopic, partition: number): Promise<Buffer> {
    const parts: Buffer[] = []
    let fetchOffset = await this.logStart(side, topic, partition)
    for (;;) {
      const partitions = [{ partition, fetchOffset, partitionMaxBytes: 50_000_000 }]
      const reply = await this.must(side, fetch, 11, {
        maxWaitMs: 0,
        minBytes: 0,
        topics: [{ topic: topic.name, partitions }],
        forgottenTopicsData: [],
      })
      const found = reply.responses[0]?.partitions[0]
      const bytes = found?.records ?? Buffer.alloc(0)
      if (bytes.length === 0) return Buffer.concat(parts)
      parts.push(bytes)
      fetchOffset = nextOffset(bytes)
    }
  }
}

/** What is read of a produce's or a fetch's answer in its plain form. */
interface Located {
  readonly responses: Readonly<Record<string, { baseOffset?: number; highWatermark?: number }>>
}

/** The offset after the last whole batch. */
function nextOffset(bytes: Buffer): number {
  let next = 0
  let at = 0
  while (at + 61 <= bytes.length && at + 12 + bytes.readInt32BE(at + 8) <= bytes.length) {
    next = Number(bytes.readBigInt64BE(at)) + bytes.readInt32BE(at + 23) + 1
    at += 12 + bytes.readInt32BE(at + 8)
  }
  return next
}

/**
 * The log files of a partition with their sizes: where the broker rolled. Empty ones do not count: Kafka rolls before it
 * judges a batch's sequence, and so for batches that it then refuses.
 */
function segments(side: Side, topic: string, index: number): string[] {
  const folder = join(side.data, `${topic}-${index}`)
  const logs = readdirSync(folder).filter((name) => name.endsWith('.log'))
  const sized = logs.sort().map((name) => ({ name, size: statSync(join(folder, name)).size }))
  return sized.filter(({ size }) => size > 0).map(({ name, size }) => `${name} ${size}`)
}

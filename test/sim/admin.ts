// Creates topics while the world runs, and asks for metadata: a topic that a broker once told of stays as it is.
import { createTopics, Errors, metadata } from '../../ts/protocol/index.js'
import type { Stage } from './client.js'
import { Violation } from './history.js'
import { Reader } from './reader.js'

export class Admin extends Reader {
  private readonly asked = new Set<string>()

  constructor(
    name: string,
    stage: Stage,
    private readonly topicCount: number,
  ) {
    super(name, stage)
  }

  protected onLost(): void {}

  protected act(): void {
    const { random, truth, draining } = this.stage
    if (draining || this.inFlight >= 3) return
    if (truth.topics.length < this.topicCount && random.chance(0.5)) this.create()
    else if (truth.topics.length < this.asked.size || random.chance(0.1)) this.check()
  }

  private create(): void {
    const { random, truth, note } = this.stage
    const name = `topic-${random.below(this.topicCount)}`
    const numPartitions = random.between(1, 3)
    const configs = [{ name: 'flush.messages', value: '1' }]
    if (random.chance(0.3)) configs.push({ name: 'segment.ms', value: String(random.between(200, 3000)) })
    const version = random.chance(0.5) ? 7 : random.between(2, 7)
    const request = {
      topics: [{ name, numPartitions, replicationFactor: 1, assignments: [], configs }],
      timeoutMs: 30_000,
    }
    this.asked.add(name)
    const existed = truth.topic(name) !== undefined
    this.ask(createTopics, version, request, ({ topics }) => {
      const told = topics[0]
      if (told?.errorCode === Errors.TOPIC_ALREADY_EXISTS) return
      // A broker that stops gives up the controller first.
      if (told?.errorCode === Errors.NOT_CONTROLLER) return
      if (told?.errorCode !== Errors.NONE) throw this.unexpected('CreateTopics', told?.errorCode ?? -1)
      if (existed) throw new Violation(`topic ${name} was created twice`)
      note(`${name} created with ${numPartitions} partitions`)
      // Whoever was told of a topic finds it, in both planes.
      if (version < 7) this.check([name])
      else
        for (const one of truth.topicExists(name, told.topicId, numPartitions).partitions)
          this.askEnd(one, () => {})
    })
  }

  private check(created: readonly string[] = []): void {
    const { random, truth } = this.stage
    const known = [...created, ...truth.topics.map(({ name }) => name)]
    const request = { topics: null, allowAutoTopicCreation: false }
    this.ask(metadata, random.between(10, metadata.maxVersion), request, ({ topics, brokers }) => {
      if (brokers.length !== 1) throw new Violation(`${this.name}: there are ${brokers.length} brokers`)
      for (const { name, errorCode, topicId, isInternal, partitions } of topics) {
        if (errorCode !== Errors.NONE || name === null)
          throw this.unexpected(`Metadata of ${name}`, errorCode)
        const unavailable = partitions.find((partition) => partition.errorCode !== Errors.NONE)
        if (unavailable !== undefined)
          throw this.unexpected(`Metadata of ${name}-${unavailable.partitionIndex}`, unavailable.errorCode)
        if (isInternal || !name.startsWith('topic-')) continue
        if (!this.asked.has(name)) throw new Violation(`nobody created topic ${name}`)
        truth.topicExists(name, topicId, partitions.length)
      }
      for (const name of known)
        if (!topics.some((topic) => topic.name === name)) throw new Violation(`topic ${name} is gone`)
    })
  }
}

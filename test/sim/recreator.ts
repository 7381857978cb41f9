// Creates one topic of its own, fills it, deletes it and creates it again: what is deleted stays away, and what is
// created again is another topic, and empty.
import {
  createTopics,
  deleteTopics,
  Errors,
  listOffsets,
  metadata,
  produce,
  ZERO_UUID,
} from '../../ts/protocol/index.js'
import { recordBatch } from '../record-batch.js'
import { Client } from './client.js'
import { Violation } from './history.js'

type State = 'unknown' | 'absent' | 'present'

const LATEST = -1
/** The controller is given up first when a broker stops, and a slow log is no refusal. */
const UNDECIDED: readonly number[] = [Errors.NOT_CONTROLLER, Errors.REQUEST_TIMED_OUT]

export class Recreator extends Client {
  private state: State = 'unknown'
  private topicId = ''
  /** The start of the broker whose doings are not known to the end. */
  private doubtfulStart = -1
  private readonly formerIds = new Set<string>()
  /** Where the topic's end must be by what was acked, and may be by what was sent, since it was created. */
  private acked = 0
  private sent = 0

  private get topic(): string {
    return `${this.name}-topic`
  }

  protected onLost(): void {
    // What was asked last may still happen, for as long as this broker runs.
    if (this.state === 'unknown') this.doubtfulStart = this.stage.starts
  }

  protected act(): void {
    const { random, draining } = this.stage
    if (draining || this.inFlight > 0) return
    if (this.state === 'unknown' || random.chance(0.3)) this.look()
    else if (this.state === 'absent') this.create()
    else if (random.chance(0.6)) this.fill()
    else if (random.chance(0.5)) this.measure()
    else this.delete()
  }

  private look(): void {
    const before = this.state
    if (this.doubtfulStart === this.stage.starts) return
    const request = { topics: null, allowAutoTopicCreation: false }
    const version = this.stage.random.between(10, metadata.maxVersion)
    this.ask(metadata, version, request, ({ topics }) => {
      const found = topics.find(({ name }) => name === this.topic)
      if (before !== 'unknown' && (found !== undefined) !== (before === 'present'))
        throw new Violation(`${this.topic} is ${before}, but Metadata says ${JSON.stringify(found ?? null)}`)
      if (found === undefined) this.gone()
      else this.exists(found.topicId)
    })
  }

  private gone(): void {
    this.state = 'absent'
    if (this.topicId !== '') this.formerIds.add(this.topicId)
    this.topicId = ''
    this.acked = 0
    this.sent = 0
  }

  private exists(topicId: string): void {
    if (this.formerIds.has(topicId))
      throw new Violation(`${this.topic} is back with the deleted id ${topicId}`)
    if (this.topicId !== '' && this.topicId !== topicId)
      throw new Violation(`${this.topic} was ${this.topicId}, now it is ${topicId}`)
    this.state = 'present'
    this.topicId = topicId
  }

  private create(): void {
    const configs = [{ name: 'flush.messages', value: '1' }]
    const topics = [{ name: this.topic, numPartitions: 1, replicationFactor: 1, assignments: [], configs }]
    this.state = 'unknown'
    this.ask(createTopics, 7, { topics }, (reply) => {
      const told = reply.topics[0]
      if (told === undefined || UNDECIDED.includes(told.errorCode)) return
      if (told.errorCode !== Errors.NONE) throw this.unexpected('CreateTopics', told.errorCode)
      this.stage.note(`${this.topic} created as ${told.topicId}`)
      this.exists(told.topicId)
      this.measure()
    })
  }

  private delete(): void {
    this.state = 'unknown'
    const version = this.stage.random.between(1, deleteTopics.maxVersion)
    const request = {
      topicNames: [this.topic],
      topics: [{ name: this.topic, topicId: ZERO_UUID }],
      timeoutMs: 30_000,
    }
    // Whatever comes of it: the records may be gone.
    this.acked = 0
    this.ask(deleteTopics, version, request, ({ responses }) => {
      const errorCode = responses[0]?.errorCode ?? -1
      if (UNDECIDED.includes(errorCode)) return
      if (errorCode !== Errors.NONE) throw this.unexpected('DeleteTopics', errorCode)
      this.stage.note(`${this.topic} deleted`)
      this.gone()
    })
  }

  private fill(): void {
    const { random } = this.stage
    const records = recordBatch([{ value: `${this.sent++}` }])
    const topicData = [
      { name: this.topic, topicId: this.topicId, partitionData: [{ index: 0, records: records }] },
    ]
    const version = random.between(produce.minVersion, produce.maxVersion)
    this.ask(produce, version, { acks: -1, timeoutMs: 30_000, topicData }, ({ responses }) => {
      const told = responses[0]?.partitionResponses[0]
      if (told === undefined || UNDECIDED.includes(told.errorCode)) return
      if (told.errorCode !== Errors.NONE) throw this.unexpected('Produce', told.errorCode)
      this.acked = told.baseOffset + 1
    })
  }

  private measure(): void {
    const atLeast = this.acked
    const partitions = [{ partitionIndex: 0, timestamp: LATEST }]
    const request = { replicaId: -1, timeoutMs: 1000, topics: [{ name: this.topic, partitions }] }
    this.ask(listOffsets, this.stage.random.between(1, listOffsets.maxVersion), request, ({ topics }) => {
      const told = topics[0]?.partitions[0]
      if (told?.errorCode !== Errors.NONE) throw this.unexpected('ListOffsets', told?.errorCode ?? -1)
      if (told.offset < atLeast || told.offset > this.sent)
        throw new Violation(`${this.topic} ends at ${told.offset}, not at ${atLeast} to ${this.sent}`)
    })
  }
}

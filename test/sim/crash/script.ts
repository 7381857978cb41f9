// The script: 300 operations of every kind that changes the disk, by seed, on a machine whose disk remembers each call;
// and the account of what was asked and told between which calls.
import { Silence } from '../history.js'
import { Machine } from '../machine.js'
import { Random } from '../random.js'
import { Account, type BatchAct, type PartitionAct, type Stamp, TopicAct, type TopicKind } from './account.js'
import { Caller } from './caller.js'
import {
  append,
  commit,
  createTopic,
  cut,
  deleteTopic,
  EARLIEST,
  newProducerId,
  offsetsOf,
  setConfig,
} from './requests.js'

export const OPERATIONS = 300
const MAX_TOPICS = 6
const OPEN = Number.POSITIVE_INFINITY

/** Every append is synced before it is acked, unless its topic says otherwise; offsets of groups as well. */
const SETTINGS = {
  listeners: 'PLAINTEXT://127.0.0.1:9092',
  'num.network.threads': '1',
  'auto.create.topics.enable': 'false',
  'connections.max.idle.ms': '86400000',
  'offsets.topic.num.partitions': '1',
  'offsets.topic.segment.bytes': '1048576',
  'log.flush.interval.messages': '1',
  'log.retention.check.interval.ms': '1000',
  'log.segment.delete.delay.ms': '200',
}

const WEIGHTS = {
  append: 30,
  'append-lazy': 8,
  idempotent: 16,
  burst: 9,
  commit: 10,
  create: 4,
  delete: 3,
  recreate: 2,
  'delete-records': 7,
  config: 4,
  age: 4,
  minute: 1,
  restart: 1.5,
  'producer-id': 1,
} as const
type Operation = keyof typeof WEIGHTS

/** Each of them once, early: a slice of the script's points meets every kind. */
const PRELUDE: readonly Operation[] = [
  ...(['append', 'append-lazy', 'producer-id', 'idempotent', 'burst', 'commit', 'config', 'age'] as const),
  ...([
    'append',
    'delete-records',
    'recreate',
    'append',
    'restart',
    'delete',
    'minute',
    'idempotent',
  ] as const),
]

/** What was done, and the disk it was done to. */
export interface Done {
  readonly machine: Machine
  readonly account: Account
  /** Calls on the disk. */
  readonly calls: number
  readonly operations: readonly { readonly name: string; readonly calls: number }[]
}

/** Runs the script. The disk remembers its calls. */
export function runScript(seed: number): Done {
  return new Script(seed).run()
}

class Script {
  private readonly account = new Account()
  private readonly random: Random
  private readonly machine: Machine
  private readonly caller: Caller
  private readonly sequences = new Map<PartitionAct, Stamp>()
  private numbers = 0

  constructor(seed: number) {
    this.random = new Random(seed)
    this.machine = new Machine(SETTINGS, this.random, new Silence())
    this.machine.disk.record()
    this.caller = new Caller(this.machine, true)
  }

  private get calls(): number {
    return this.machine.disk.calls()
  }

  run(): Done {
    const { random, account, machine, caller } = this
    const operations: { name: string; calls: number }[] = []
    const begin = (name: string) => {
      operations.push({ name, calls: this.calls })
      account.clock.push({ calls: this.calls, at: machine.time })
    }
    begin('start')
    caller.start()
    for (const kind of ['durable', 'lazy', 'retained'] as const) {
      begin('create')
      this.create(kind)
    }
    for (let number = 0; number < OPERATIONS; number++) {
      const operation = PRELUDE[number] ?? random.weighted(WEIGHTS)
      begin(operation)
      this.carryOut(operation)
      caller.pass(random.between(1, 60))
    }
    begin('stop')
    caller.stop()
    return { machine, account, calls: this.calls, operations }
  }

  private carryOut(operation: Operation): void {
    const { account, caller, random } = this
    switch (operation) {
      case 'append':
        this.append([this.anyPartition()], false)
        break
      case 'append-lazy':
        this.append([this.anyPartition('lazy')], false)
        break
      case 'idempotent':
        this.append([this.anyPartition()], true)
        break
      case 'burst': {
        const partitions = account.alive.flatMap((topic) => topic.partitions)
        for (let count = random.between(2, 5); count > 0; count--)
          this.send(random.some(partitions, random.between(1, 3)), random.chance(0.5))
        caller.settle()
        break
      }
      case 'commit':
        this.commit()
        break
      case 'create':
        if (account.alive.length < MAX_TOPICS)
          this.create(random.pick(['durable', 'durable', 'lazy', 'retained'] as const))
        break
      case 'delete':
        this.delete()
        break
      case 'recreate': {
        const gone = this.delete()
        if (gone !== null) this.create(gone.kind, gone.name)
        break
      }
      case 'delete-records':
        this.deleteRecords()
        break
      case 'config':
        this.setConfig()
        break
      case 'age':
        this.age(6_000, 6)
        break
      case 'minute':
        this.age(61_000, 2)
        break
      case 'restart':
        caller.stop()
        caller.start()
        break
      case 'producer-id':
        this.newProducerId()
        break
    }
  }

  /** Now and then the one with the most records. */
  private anyPartition(kind?: TopicKind): PartitionAct {
    const topics = this.account.alive.filter((topic) => kind === undefined || topic.kind === kind)
    const partitions = (topics.length > 0 ? topics : this.account.alive).flatMap((topic) => topic.partitions)
    return this.random.pick(partitions)
  }

  private create(kind: TopicKind, name = `topic-${this.numbers++}-${kind}`): void {
    const topic = new TopicAct(name, kind, this.random.between(1, 2), this.calls)
    this.account.topics.push(topic)
    topic.id = createTopic(this.caller, topic)
    topic.created.acked = this.calls
  }

  /** The first topic of each kind stays. */
  private delete(): TopicAct | null {
    const topics = this.account.alive.filter((topic) => this.account.topics.indexOf(topic) >= 3)
    if (topics.length === 0) return null
    const topic = this.random.pick(topics)
    topic.deleted = { sent: this.calls, acked: OPEN }
    deleteTopic(this.caller, topic.name)
    topic.deleted.acked = this.calls
    return topic
  }

  private append(partitions: readonly PartitionAct[], idempotent: boolean): void {
    this.send(partitions, idempotent)
    this.caller.settle()
  }

  private send(partitions: readonly PartitionAct[], idempotent: boolean): void {
    const batches = partitions.map((partition) => ({
      partition,
      batch: this.newBatch(partition, idempotent),
    }))
    for (const { partition, batch } of batches) partition.batches.push(batch)
    append(this.caller, batches, (index, baseOffset) => {
      const batch = batches[index]?.batch
      if (batch !== undefined) {
        batch.baseOffset = baseOffset
        batch.acked = this.calls
      }
    })
  }

  private newBatch(partition: PartitionAct, idempotent: boolean): BatchAct {
    const { random, machine } = this
    const values = Array.from({ length: random.between(1, 4) }, () => {
      const padding = 'x'.repeat(random.chance(0.15) ? random.below(2500) : random.below(60))
      return `${partition.name}/${partition.topic.created.sent}/${this.numbers++}/${padding}`
    })
    const stamp = idempotent ? this.nextStamp(partition, values.length) : null
    return { sent: this.calls, acked: OPEN, values, timestamp: machine.wallMs, stamp, baseOffset: -1 }
  }

  private nextStamp(partition: PartitionAct, count: number): Stamp | null {
    const producerId = this.account.producerIds.at(-1)?.id
    if (producerId === undefined) return null
    const known = this.sequences.get(partition)
    const stamp = known?.producerId === producerId ? known : { producerId, baseSequence: 0 }
    this.sequences.set(partition, { producerId, baseSequence: stamp.baseSequence + count })
    return stamp
  }

  private newProducerId(): void {
    const id = newProducerId(this.caller)
    this.account.producerIds.push({ acked: this.calls, id })
  }

  /** Of the topics that stay. */
  private commit(): void {
    const [home] = this.account.topics
    if (home === undefined) return
    const partition = this.random.pick(home.partitions)
    const act = { sent: this.calls, acked: OPEN, offset: partition.commits.length + 1 }
    partition.commits.push(act)
    commit(this.caller, partition, act.offset)
    act.acked = this.calls
  }

  private deleteRecords(): void {
    const { caller, random } = this
    const partition = this.anyPartition()
    const [start] = offsetsOf(caller, [partition], EARLIEST)
    const wanted = random.between(start ?? 0, partition.end)
    const offset = Math.max(wanted, start ?? 0)
    const act = { sent: this.calls, acked: OPEN, offset }
    partition.cuts.push(act)
    cut(caller, partition, random.chance(0.2) && offset === partition.end ? -1 : offset)
    act.acked = this.calls
  }

  private setConfig(): void {
    const topic = this.random.pick(this.account.alive)
    const act = { sent: this.calls, acked: OPEN, value: String(100_000 + this.calls) }
    topic.configs.push(act)
    setConfig(this.caller, topic.name, act.value)
    act.acked = this.calls
  }

  /** Time in which retention, delayed removals and checkpoints come due; what is gone afterwards stays away. */
  private age(ms: number, steps: number): void {
    const { account, caller } = this
    const sent = this.calls
    caller.pass(ms, steps)
    const partitions = account.alive
      .filter(({ kind }) => kind === 'retained')
      .flatMap((topic) => topic.partitions)
    for (const [index, offset] of offsetsOf(caller, partitions, EARLIEST).entries())
      partitions[index]?.cuts.push({ sent, acked: this.calls, offset })
  }
}

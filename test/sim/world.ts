// A world: one machine, its clients, and the single seed that decides who does what when. Invariants hold at every
// step (the clients check them), validations at the end.
import { Admin } from './admin.js'
import { Auditor } from './auditor.js'
import { type Client, Refusal, type Stage, Wire } from './client.js'
import { Commits } from './commits.js'
import { GroupMember, GroupTruth } from './group-member.js'
import { History, Violation } from './history.js'
import { Machine, WALL_START_MS } from './machine.js'
import { Producer, type ProducerKind } from './producer.js'
import { Random } from './random.js'
import { Consumer } from './reader.js'
import { Recreator } from './recreator.js'
import { DISK_OPERATIONS } from './sim-node.js'
import { Truth } from './truth.js'

export interface WorldOptions {
  readonly seed: number
  readonly steps?: number
  /** Gets every line of the history. */
  readonly print?: (line: string) => void
}

export interface Outcome {
  readonly digest: string
  readonly records: number
  readonly starts: number
}

const DEFAULT_STEPS = 6000
/** What waits for room is tried again twice a second. */
const NOTICED_MS = 2_000

const ACTIONS = {
  client: 40,
  feed: 30,
  read: 20,
  effect: 24,
  turn: 18,
  clock: 10,
  disconnect: 0.2,
  stop: 0.03,
  kill: 0.03,
  'power-loss': 0.05,
  ambush: 0.1,
  calm: 0.3,
  'disk-fault': 0.05,
  'disk-full': 0.05,
} as const
type Action = keyof typeof ACTIONS

/** Runs a world to its end. Throws an error that names the seed and how to replay it. */
export function runWorld(options: WorldOptions): Outcome {
  const world = new World(options)
  try {
    return world.run()
  } catch (error) {
    const { seed, steps } = options
    const replay = `npm run sim -- --seed ${seed}${steps === undefined ? '' : ` --steps ${steps}`}`
    const what = error instanceof Violation ? error.message : error instanceof Error ? error.stack : error
    throw new Error(`seed ${seed}: ${what}\n${world.history.tail()}\nreplay: ${replay}`)
  }
}

class World implements Stage {
  readonly random: Random
  readonly truth = new Truth()
  readonly commits: Commits
  readonly history: History
  draining = false
  private readonly machine: Machine
  private readonly clients: Client[] = []
  private readonly groups: GroupTruth[] = []
  private readonly wires = new Map<Client, Wire>()
  private readonly weights: Record<Action, number>
  private readonly durableGroups: boolean
  private readonly steps: number
  private at = 0
  private step = 0
  /** While the machine is off: when it starts again. */
  private startAt = 0
  /** World time from which on the disk has room again; the broker may take a while to notice. */
  private roomAt = Number.POSITIVE_INFINITY
  /** Steps until the machine of a broken disk is switched off; nothing of it can be trusted but what was synced. */
  private stepsToLive = Number.POSITIVE_INFINITY
  /** The power fails with the next promise of this kind, if disk work is pending then. */
  private ambush: 'none' | 'records' | 'retries' | 'commits' = 'none'

  constructor({ seed, steps = DEFAULT_STEPS, print }: WorldOptions) {
    this.history = new History(print)
    this.random = new Random(seed)
    this.steps = steps
    const { random } = this
    // Every world has its own tempers: slow disks, slow readers, many crashes or few.
    this.weights = { ...ACTIONS }
    for (const action of Object.keys(ACTIONS) as Action[])
      this.weights[action] *= random.pick([0.3, 0.6, 1, 1, 1.5, 3])
    if (random.chance(0.1)) this.weights.effect *= 0.1
    // Most worlds have good disks, so that nothing excuses a refusal there.
    if (random.chance(0.6)) this.weights['disk-fault'] = 0
    if (random.chance(0.6)) this.weights['disk-full'] = 0
    this.durableGroups = random.chance(0.5)
    this.commits = new Commits(this.durableGroups)
    this.machine = new Machine(this.settings(), random, this.history)
    this.populate()
  }

  private settings(): Record<string, string> {
    const { random } = this
    return {
      listeners: 'PLAINTEXT://127.0.0.1:9092',
      'num.network.threads': String(random.between(1, 2)),
      'num.io.threads': '1',
      'auto.create.topics.enable': 'false',
      'connections.max.idle.ms': '86400000',
      'offsets.topic.num.partitions': String(random.between(1, 3)),
      'group.initial.rebalance.delay.ms': String(random.pick([0, 0, 100, 1000])),
      ...(this.durableGroups ? { 'log.flush.interval.messages': '1' } : {}),
    }
  }

  private populate(): void {
    const { random } = this
    this.clients.push(new Admin('admin', this, random.between(1, 4)))
    if (random.chance(0.5)) this.clients.push(new Recreator('recreator', this))
    const kinds: ProducerKind[] = ['idempotent', 'all']
    while (kinds.length < 5 && random.chance(0.6))
      kinds.push(random.pick(['idempotent', 'idempotent', 'all', 'leader', 'none']))
    for (const [index, kind] of kinds.entries())
      this.clients.push(new Producer(`producer${index}-${kind}`, this, kind))
    for (let index = random.between(1, 2); index > 0; index--)
      this.clients.push(new Consumer(`consumer${index}`, this))
    for (let group = random.between(1, 2); group > 0; group--) {
      const shared = new GroupTruth(`group${group}`)
      this.groups.push(shared)
      for (let member = random.between(1, 3); member > 0; member--)
        this.clients.push(new GroupMember(`${shared.name}-member${member}`, this, shared))
    }
  }

  get wallMs(): number {
    return WALL_START_MS + this.at
  }

  get starts(): number {
    return this.machine.starts
  }

  note = (text: string): void => this.history.note(text)

  connect(client: Client): Wire | null {
    const conn = this.machine.connect()
    if (conn === null) return null
    const wire = new Wire(conn, client)
    this.wires.set(client, wire)
    return wire
  }

  run(): Outcome {
    const { history, machine } = this
    this.machine.start()
    for (this.step = 1; this.step <= this.steps; this.step++) {
      history.begin(this.step, this.at)
      const hasRoom = this.roomAt === Number.POSITIVE_INFINITY
      if (machine.state === 'off' && this.at >= this.startAt && hasRoom) machine.start()
      this.carryOut(this.random.weighted(this.weights))
      this.notice()
      this.mend()
    }
    this.draining = true
    if (this.roomAt !== Number.POSITIVE_INFINITY) this.makeRoom()
    else if (machine.isDiskBad) this.replaceDisk()
    this.ambush = 'none'
    this.note('the world ends')
    this.drive('everything is answered', () => this.clients.every((client) => client.isDone))
    this.drive('the broker is ready', () => machine.state === 'ready')
    this.audit('auditor')
    this.note('the last stop is a clean one')
    this.machine.shutdown()
    this.drive('the broker stops', () => machine.state === 'off')
    const digest = machine.diskDigest()
    this.note(`the disk is ${digest}`)
    this.audit('second-auditor')
    const records = this.truth.partitions.reduce((sum, { count }) => sum + count, 0)
    return { digest: history.digest(), records, starts: machine.starts }
  }

  private carryOut(action: Action): void {
    const { machine, random } = this
    switch (action) {
      case 'client':
        random.pick(this.clients).takeTurn()
        break
      case 'feed':
        this.feed()
        break
      case 'read':
        this.read(this.anyWire())
        break
      case 'effect':
        machine.workOnDisk()
        break
      case 'turn':
        machine.turn()
        break
      case 'clock':
        this.advance(this.someTime())
        break
      case 'disconnect':
        this.disconnect(this.anyWire())
        break
      case 'ambush':
        this.ambush = this.random.pick(['records', 'retries', 'commits'])
        break
      case 'calm':
        this.calm()
        break
      case 'disk-fault':
        if (machine.isDiskBad || machine.state !== 'ready') break
        this.note('the disk breaks')
        machine.isDiskBad = true
        machine.disk.failNext(random.pick(DISK_OPERATIONS), 'broken')
        this.stepsToLive = random.between(1, 400)
        break
      case 'disk-full':
        if (machine.isDiskBad || machine.state !== 'ready') break
        this.note('the disk is full')
        machine.isDiskBad = true
        machine.disk.setFull(true)
        this.roomAt = this.at + random.between(1, 5_000)
        break
      case 'stop':
        if (machine.state === 'ready' || machine.state === 'starting') machine.shutdown()
        break
      case 'kill':
      case 'power-loss':
        if (machine.state !== 'off') this.kill(action === 'power-loss')
        break
    }
  }

  /** A full disk gets room and is good again once the broker has noticed; one that broke lasts a while, and goes. */
  private mend(): void {
    const { machine } = this
    if (!machine.isDiskBad) return
    if (this.roomAt !== Number.POSITIVE_INFINITY) {
      if (this.at >= this.roomAt) this.makeRoom()
    } else if (--this.stepsToLive <= 0 || machine.state === 'off') this.replaceDisk()
  }

  /** Whatever waited for room goes on within `NOTICED_MS`; what was refused before that may still be told. */
  private makeRoom(): void {
    this.machine.disk.setFull(false)
    for (let passed = 0; passed < NOTICED_MS; passed += 500) {
      this.advance(500)
      this.calm()
    }
    for (const wire of [...this.wires.values()]) this.disconnect(wire)
    this.isWell()
  }

  private isWell(): void {
    this.note('the disk is well again')
    this.roomAt = Number.POSITIVE_INFINITY
    this.stepsToLive = Number.POSITIVE_INFINITY
    this.machine.isDiskBad = false
  }

  /** What was not synced on the old one is gone: a cache that a failed sync left cannot be trusted. */
  private replaceDisk(): void {
    this.machine.disk.setFull(false)
    this.machine.disk.forgetFaults()
    this.kill(true)
    this.isWell()
  }

  private someTime(): number {
    const { random } = this
    const scale = random.weighted({ still: 2, short: 20, long: 3, age: 0.1 })
    if (scale === 'still') return 0
    if (scale === 'short') return random.between(1, 20)
    return scale === 'long' ? random.between(20, 500) : random.between(1_000, 12_000)
  }

  private advance(ms: number): void {
    this.at += ms
    this.machine.advanceTo(this.at)
  }

  private anyWire(): Wire | null {
    const wires = [...this.wires.values()]
    return wires.length === 0 ? null : this.random.pick(wires)
  }

  /** Some of the bytes of some client arrive. */
  private feed(): void {
    const { random } = this
    const wires = [...this.wires.values()].filter(({ unsent }) => unsent.length > 0)
    if (wires.length === 0) return
    const wire = random.pick(wires)
    const { length } = wire.unsent
    const count = random.chance(0.6) ? length : random.between(1, length)
    this.deliver(wire, count)
  }

  private deliver(wire: Wire, count: number): void {
    const bytes = wire.unsent.subarray(0, count)
    wire.unsent = wire.unsent.subarray(count)
    this.machine.feed(wire.conn, bytes)
  }

  /** Whether there was something to read. */
  private read(wire: Wire | null): boolean {
    if (wire === null) return false
    const bytes = this.machine.output(wire.conn)
    if (bytes.length === 0) return false
    const promises = this.promises
    try {
      wire.client.receive(bytes)
    } catch (error) {
      if (!(error instanceof Refusal && this.machine.isDiskBad)) throw error
      this.note(`${error.message}: the disk is to blame`)
      this.disconnect(wire)
    }
    // The worst moment for a promise is right after it was given.
    if (this.promises > promises && this.machine.pendingEffects > 0) this.kill(true)
    return true
  }

  private disconnect(wire: Wire | null): void {
    if (wire === null) return
    this.note(`${wire.client.name} loses its connection`)
    this.wires.delete(wire.client)
    this.machine.disconnect(wire.conn)
    wire.client.hangUp()
  }

  private kill(powerLost: boolean): void {
    this.machine.kill(powerLost)
    this.onOff(powerLost)
  }

  /** Of those that the ambush is about. */
  private get promises(): number {
    const { ambush, truth, commits } = this
    if (ambush === 'commits') return commits.promises
    return ambush === 'none' ? 0 : truth.count(ambush === 'records' ? 'promises' : 'resentAcks')
  }

  private onOff(powerLost: boolean): void {
    this.ambush = 'none'
    this.startAt = this.at + this.random.between(0, 100)
    this.commits.brokerStopped(powerLost)
    if (powerLost && !this.durableGroups) for (const group of this.groups) group.powerLost()
    for (const wire of [...this.wires.values()]) {
      this.wires.delete(wire.client)
      wire.client.hangUp()
    }
  }

  /** What the network tells the clients: closed connections. A running broker has no reason to close any. */
  private notice(): void {
    const { machine } = this
    if (machine.state === 'off') {
      if (this.wires.size > 0) this.onOff(false)
      return
    }
    for (const wire of [...this.wires.values()]) {
      if (machine.isOpen(wire.conn)) continue
      if (machine.state !== 'stopping' && !machine.isDiskBad)
        throw new Violation(`${wire.client.name}: the broker closed the connection`)
      this.wires.delete(wire.client)
      wire.client.hangUp()
    }
  }

  /** No time passes until nothing is left to be done; then whoever still waits must wait for time or for others. */
  private calm(): void {
    const { machine } = this
    for (let idle = 0; idle < 2; idle++) {
      for (const wire of this.wires.values()) {
        if (wire.unsent.length === 0) continue
        idle = 0
        this.deliver(wire, wire.unsent.length)
      }
      if (machine.pendingEffects > 0) idle = 0
      machine.finishDiskWork()
      machine.turn()
      for (const wire of [...this.wires.values()]) if (this.read(wire)) idle = 0
      this.notice()
      if (machine.pendingEffects > 0) idle = 0
    }
    if (machine.state === 'ready' && !machine.isDiskBad)
      for (const client of this.clients) client.checkAnswered()
  }

  /** Lets everything that can happen happen, without crashes, until `done`. */
  private drive(what: string, done: () => boolean): void {
    const { machine, history } = this
    for (let round = 0; round < 1500; round++) {
      history.begin(++this.step, this.at)
      if (done()) return
      if (machine.state === 'off') machine.start()
      for (const client of this.clients) client.takeTurn()
      this.calm()
      this.advance(round < 300 ? 5 : round < 600 ? 100 : 1000)
      this.notice()
    }
    const waiting = this.clients.filter((client) => !client.isDone)
    const open = waiting.map((client) => `${client.name} (${client.waitsFor || 'not done'})`).join('; ')
    throw new Violation(`never happened: ${what}. Open: ${open}`)
  }

  /** Reads all there is and compares it with all that was ever told. */
  private audit(name: string): void {
    const auditor = new Auditor(name, this)
    this.clients.push(auditor)
    this.drive(`${name} reads everything`, () => auditor.isDone)
    this.clients.pop()
    this.disconnect(this.wires.get(auditor) ?? null)
    this.truth.validate((partition) => auditor.endOf(partition))
  }
}

// One invocation's brokers: the shared ones, warm and paused while they are not measured, and those that a part starts
// for itself; their folders, topics and ends. It never decides when something is measured.
import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { BrokerProcess } from './broker.js'
import type { Context, Started, StartOptions, Target, TargetName } from './contract.js'
import { startKafka } from './kafka-target.js'
import { startMillrace } from './millrace-target.js'
import { runBinary } from './processes.js'
import { warmUp } from './warm-up.js'

const run = promisify(execFile)

export interface Machine {
  readonly brokerCore: number
  readonly clientCore: number
  /** Everything that the suite writes lies below it; it is removed at the end. */
  readonly folder: string
  readonly quick: boolean
  /** The folder with Kafka's jars, if Kafka is measured. */
  readonly jars: string | undefined
}

/** CPU-s/GiB of writing page cache that counts as warm, and how often it is tried. */
const PRIME_LIMIT = 0.3
const PRIME_PASSES = 6

const WARM_UP_SECONDS: Readonly<Record<TargetName, number>> = { kafka: 60, millrace: 5, again: 5 }
const QUICK_WARM_UP_SECONDS = 2

export class Session {
  private readonly shared = new Map<TargetName, BrokerProcess>()
  private own: BrokerProcess[] = []
  private topics: string[] = []
  private topicsMade = 0
  private folders: string[] = []
  private foldersMade = 0

  constructor(
    private readonly machine: Machine,
    private readonly say: (line: string) => void,
  ) {}

  private get floorFolder(): string {
    return join(this.machine.folder, 'floors')
  }

  private get ownFolder(): string {
    return join(this.machine.folder, 'own')
  }

  context(round: number): Context {
    const { brokerCore, clientCore, quick } = this.machine
    mkdirSync(this.floorFolder, { recursive: true })
    return {
      brokerCore,
      clientCore,
      round,
      quick,
      folder: this.floorFolder,
      bench: (command, options) => runBinary(command, { core: clientCore, ...options }),
      prime: (bytes) => this.prime(bytes),
      measured: async (target, act) => {
        const [before, started] = [target.usage(), performance.now()]
        const figures = await act()
        const [seconds, after] = [(performance.now() - started) / 1000, target.usage()]
        const usage = { user: after.user - before.user, system: after.system - before.system }
        return { figures, usage, seconds }
      },
      start: (name, options) => this.startOwn(name, options),
      freshFolder: () => {
        this.foldersMade += 1
        const folder = join(this.ownFolder, `fresh-${this.foldersMade}`)
        this.folders.push(folder)
        return folder
      },
      freshTopic: () => {
        this.topicsMade += 1
        const topic = `bench-${process.pid}-${this.topicsMade}`
        this.topics.push(topic)
        return topic
      },
    }
  }

  async prime(bytes: number): Promise<number> {
    const file = join(this.machine.folder, 'prime')
    const how = { core: this.machine.brokerCore, limit: PRIME_LIMIT, passes: PRIME_PASSES }
    return (await runBinary('prime', { ...how, file, bytes })).cpuSecondsPerGiB ?? Number.NaN
  }

  /** Resolves once the disk has what earlier slices wrote. */
  async written(): Promise<void> {
    await run('sync')
  }

  /** Touches and frees memory, so that the host backs it. */
  async touch(bytes: number): Promise<void> {
    await runBinary('touch', { core: this.machine.brokerCore, bytes })
  }

  /** The shared broker of that name, running; started and warmed up where it is not yet. */
  async awake(name: TargetName): Promise<Target> {
    const known = this.shared.get(name)
    if (known?.alive) {
      await known.resume()
      return known
    }
    this.say(`starting ${name}`)
    const folder = join(this.machine.folder, `shared-${name}`)
    rmSync(folder, { recursive: true, force: true })
    const { target } = await this.launch(name, folder, {})
    this.shared.set(name, target)
    await target.answers()
    const seconds = this.machine.quick ? QUICK_WARM_UP_SECONDS : WARM_UP_SECONDS[name]
    this.say(`warming ${name} up for ${seconds} s`)
    await warmUp(target, this.context(0), seconds)
    await this.deleteTopics(name)
    return target
  }

  /** Nothing of the shared broker runs until `awake`. */
  pause(name: TargetName): void {
    this.shared.get(name)?.pause()
  }

  /** The topics that were made since, which are the caller's to delete now. */
  takeTopics(): string[] {
    return this.topics.splice(0)
  }

  /** Deletes the topics made since, on the shared broker of that name. */
  async deleteTopics(name: TargetName, topics = this.takeTopics()): Promise<void> {
    const target = this.shared.get(name)
    if (!target?.alive) return
    await target.deleteTopics(topics)
    await this.filesGone(join(this.machine.folder, `shared-${name}`, 'data'), topics)
    await target.settled()
  }

  /** Waits until no folder of the topics is left, 20 s at most: what lingers would cost disk and time later. */
  private async filesGone(data: string, topics: readonly string[]): Promise<void> {
    const left = () =>
      readdirSync(data).some((entry) => topics.some((topic) => entry.startsWith(`${topic}-`)))
    for (let rest = 200; rest > 0 && left(); rest -= 1) await sleep(100)
  }

  private async startOwn(name: TargetName, options: StartOptions): Promise<Started> {
    const below = join(this.ownFolder, name, options.folder)
    const folder = isAbsolute(options.folder) ? options.folder : below
    const started = await this.launch(name, folder, options)
    this.own.push(started.target)
    return started
  }

  private launch(name: TargetName, folder: string, options: Omit<StartOptions, 'folder'>) {
    mkdirSync(folder, { recursive: true })
    const { config = {}, cores = String(this.machine.brokerCore), env = {} } = options
    const how = { name, folder, config, cores, env }
    if (name !== 'kafka') return startMillrace(how)
    if (this.machine.jars === undefined) throw new Error('Kafka is not measured in this run')
    return startKafka(this.machine.jars, how)
  }

  /** Ends what a slice started for itself and left, and removes what was only its own. */
  async endOwn(): Promise<void> {
    for (const target of this.own.splice(0)) if (target.alive) await target.kill()
    for (const folder of this.folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  }

  /** Removes what a part left on the disk. */
  clear(): void {
    for (const folder of [this.ownFolder, this.floorFolder]) rmSync(folder, { recursive: true, force: true })
  }

  /** Ends the shared brokers and removes their data. */
  async endShared(): Promise<void> {
    for (const [name, target] of this.shared) {
      if (target.alive) await target.kill()
      rmSync(join(this.machine.folder, `shared-${name}`), { recursive: true, force: true })
    }
    this.shared.clear()
  }

  /** Everything, for the end of the run. */
  async close(): Promise<void> {
    await this.endOwn()
    await this.endShared()
    rmSync(this.machine.folder, { recursive: true, force: true })
  }
}

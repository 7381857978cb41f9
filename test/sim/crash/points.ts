// Every point of a script at which a process can die: between any two calls on the disk, and amid a write. At each the
// broker is killed, and in another life the power fails; what comes back is inspected, dies again while it recovers and
// once more after it went on working.
import { History, Silence, Violation } from '../history.js'
import type { Machine } from '../machine.js'
import { Random } from '../random.js'
import type { SimDisk } from '../sim-node.js'
import { Caller } from './caller.js'
import { inspect, type Moment, workOn } from './inspection.js'
import { type Done, runScript } from './script.js'

export class CrashPoints {
  private readonly done: Done

  constructor(readonly seed: number) {
    this.done = runScript(seed)
  }

  get count(): number {
    return this.done.calls + 1
  }

  /** Dies after so many calls on the disk. Throws an error that names the point and how to see it again. */
  visit(point: number): void {
    for (const powerLost of [false, true]) {
      try {
        new Lives(this.done, this.seed, point, powerLost, new Silence()).live()
      } catch (error) {
        throw new Error(this.explain(point, powerLost, error))
      }
    }
  }

  private explain(point: number, powerLost: boolean, error: unknown): string {
    const { machine, operations, calls } = this.done
    const history = new History()
    try {
      new Lives(this.done, this.seed, point, powerLost, history).live()
    } catch {
      // As before: it is the same again, this time with its history.
    }
    const what = error instanceof Violation ? error.message : error instanceof Error ? error.stack : error
    const during = operations.findLast((operation) => operation.calls <= point)?.name
    const next = point < calls ? machine.disk.describeCall(point) : 'nothing'
    const place = `point ${point} of ${calls}, in ${during}, before: ${next}`
    const replay = `npm run sim -- --crash-points ${point} --seed ${this.seed}`
    return `${powerLost ? 'power loss' : 'kill'} at ${place}: ${what}\n${history.tail()}\nreplay: ${replay}`
  }
}

/** What follows one crash. */
class Lives {
  private readonly random: Random

  constructor(
    private readonly done: Done,
    seed: number,
    private readonly point: number,
    private readonly powerLost: boolean,
    private readonly history: History,
  ) {
    this.random = new Random(seed * 1_000_003 + 2 * point + (powerLost ? 1 : 0))
  }

  live(): void {
    const { done, point, powerLost, random } = this
    const disk = done.machine.disk.fork(point, random.next())
    if (powerLost) disk.crash(random.next())
    disk.record()
    const first = this.start(done.machine, disk, done.account.timeAt(point), powerLost)
    const recovered = disk.calls()
    const account = inspect(first, { account: done.account, calls: point, powerLost })
    workOn(first, account, 'second')
    this.dieAgain(first, { account, calls: Number.POSITIVE_INFINITY, powerLost: !powerLost })
    this.dieWhileRecovering(first.machine, disk.fork(random.below(recovered + 1), random.next()))
  }

  private start(of: Machine, disk: SimDisk, at: number, rebooted: boolean): Caller {
    const machine = of.twin(disk, at, rebooted, this.random, this.history)
    const caller = new Caller(machine, false)
    caller.start()
    return caller
  }

  /** After it has gone on: by the other kind of death, or by a clean stop. */
  private dieAgain({ machine }: Caller, moment: Moment): void {
    machine.kill(moment.powerLost)
    const again = new Caller(machine, false)
    again.start()
    const account = inspect(again, moment)
    if (!this.random.chance(0.2)) return
    again.stop()
    again.start()
    inspect(again, { account, calls: Number.POSITIVE_INFINITY, powerLost: false })
  }

  private dieWhileRecovering(machine: Machine, disk: SimDisk): void {
    const { done, point, random } = this
    const powerLost = random.chance(0.6)
    if (powerLost) disk.crash(random.next())
    const again = this.start(machine, disk, machine.time, powerLost)
    inspect(again, { account: done.account, calls: point, powerLost: powerLost || this.powerLost })
  }
}

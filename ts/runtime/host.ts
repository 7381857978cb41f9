/**
 * What the runtime takes from outside: clocks, randomness, one wake-up and a logger. Production and the simulator
 * each pass their own; nothing in the runtime reads a clock or rolls a die by itself.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { lookup } from 'node:dns'
import { statfsSync } from 'node:fs'
import type { Volume } from '../api/broker-view.js'
import type { Now } from '../state/coordinator.js'

export interface Clock {
  now(): Now
}

export interface Random {
  /** `xxxxxxxx-xxxx-4xxx-…`, as in member ids. */
  uuid(): string
  /** 22 characters of base64url, as in topic ids; never begins with a dash, which command lines take for an option. */
  kafkaUuid(): string
}

/** Calls back at a monotonic time, in ms, or before it; a later call replaces an earlier one, null cancels it. */
export interface Alarm {
  wakeAt(monotonicMs: number | null): void
}

/** The part of pino that is used. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  fatal(fields: object, message: string): void
}

/** Finds the addresses of a host name; none if it has none. Calls back with nothing on the stack. */
export type Lookup = (name: string, found: (addresses: readonly string[]) => void) => void

export interface Host {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Absent where folders lie on no real volume. */
  readonly volume?: (path: string) => Volume | null
  /** Absent where there are no host names. */
  readonly lookup?: Lookup
  /** Milliseconds with fractions, of a steady clock, for durations; absent where all take no time. */
  readonly stopwatch?: () => number
  /** `onAlarm` is called with nothing on the stack. */
  alarm(onAlarm: () => void): Alarm
}

export const systemClock: Clock = {
  now: () => ({ monotonicMs: Math.floor(performance.now()), wallMs: Date.now() }),
}

export const systemStopwatch = (): number => performance.now()

export const systemLookup: Lookup = (name, found) => {
  lookup(name, { all: true }, (error, addresses) => {
    found(error === null ? addresses.map(({ address }) => address) : [])
  })
}

/** Null for a path that cannot be asked about. */
export function systemVolume(path: string): Volume | null {
  try {
    const { bsize, blocks, bavail } = statfsSync(path)
    return { totalBytes: bsize * blocks, usableBytes: bsize * bavail }
  } catch {
    return null
  }
}

export const systemRandom: Random = {
  uuid: randomUUID,
  kafkaUuid() {
    for (;;) {
      const text = randomBytes(16).toString('base64url')
      if (!text.startsWith('-')) return text
    }
  },
}

/** An alarm on Node's timers; it does not keep the process alive by itself. */
export function systemAlarm(clock: Clock, onAlarm: () => void): Alarm {
  let timer: NodeJS.Timeout | undefined
  let wakesAt = Number.POSITIVE_INFINITY
  const longest = 2 ** 31 - 1
  const wake = () => {
    wakesAt = Number.POSITIVE_INFINITY
    onAlarm()
  }
  return {
    wakeAt(monotonicMs) {
      // Deadlines move on with every heartbeat: one that comes too early costs less than one that is set anew each time.
      if (monotonicMs !== null && wakesAt <= monotonicMs) return
      clearTimeout(timer)
      wakesAt = monotonicMs ?? Number.POSITIVE_INFINITY
      if (monotonicMs === null) return
      const delay = Math.max(0, monotonicMs - clock.now().monotonicMs)
      timer = setTimeout(wake, Math.min(delay, longest))
      timer.unref()
    },
  }
}

// Arithmetic that parts share: what a load cost, per GiB or per record, and ratios. Nothing here runs a load.
import type { Figures, Usage } from './contract.js'

export const MIB = 2 ** 20
export const GIB = 2 ** 30

/** `a / b`; undefined where one of them was not measured. */
export function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined || b === 0 ? undefined : a / b
}

/** A figure that a command of millrace-bench always gives. */
export function given(figures: Figures, key: string): number {
  const value = figures[key]
  if (value === undefined) throw new Error(`a result without ${key}`)
  return value
}

/** CPU and its two halves per GiB of `bytes`, and GiB/s over `seconds`. */
export function perGiB(usage: Usage, bytes: number, seconds: number): Figures {
  const gib = bytes / GIB
  return {
    cpuSecondsPerGiB: (usage.user + usage.system) / gib,
    userSecondsPerGiB: usage.user / gib,
    systemSecondsPerGiB: usage.system / gib,
    gibPerSecond: gib / seconds,
  }
}

/** CPU per million records, and million records a second. */
export function perMillion(usage: Usage, records: number, seconds: number): Figures {
  const millions = records / 1e6
  return {
    cpuSecondsPerMillion: (usage.user + usage.system) / millions,
    userSecondsPerMillion: usage.user / millions,
    millionsPerSecond: millions / seconds,
  }
}

/** The same figures with `prefix` before their names, first letters raised: `lz4` + `cpuSecondsPerGiB`. */
export function prefixed(prefix: string, figures: Figures): Figures {
  const named = (key: string) => `${prefix}${key.charAt(0).toUpperCase()}${key.slice(1)}`
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [named(key), value]))
}

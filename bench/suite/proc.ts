// What Linux tells in /proc about a process and about the machine. It only reads.
import { readFileSync } from 'node:fs'
import type { Usage } from './contract.js'

/** Both are the same on all that Linux runs on today, as seen by programs. */
const TICKS_PER_SECOND = 100
const PAGE_BYTES = 4096

/** User and system time of all threads, ended ones included. Throws once the process is gone. */
export function usageOf(pid: number): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field is a name in parentheses that may hold spaces; user time is the 14th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { user: Number(fields[11]) / TICKS_PER_SECOND, system: Number(fields[12]) / TICKS_PER_SECOND }
}

/** What is resident of the process: its own memory and what it maps, files it merely reads and writes left out. */
export function residentMiBOf(pid: number): number {
  const [, resident = '0'] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')
  return (Number(resident) * PAGE_BYTES) / 2 ** 20
}

/** Ticks of some CPUs since the machine started. */
export interface CpuTime {
  readonly total: number
  readonly stolen: number
}

/** The sum over `cores`, out of the text of /proc/stat. */
export function cpuTimeOf(stat: string, cores: readonly number[]): CpuTime {
  let [total, stolen] = [0, 0]
  for (const line of stat.split('\n')) {
    const [name = '', ...fields] = line.split(/\s+/)
    if (!cores.some((core) => name === `cpu${core}`)) continue
    // user, nice, system, idle, iowait, irq, softirq, steal; guest time after them is counted in user already.
    const ticks = fields.slice(0, 8).map(Number)
    total += ticks.reduce((sum, tick) => sum + tick, 0)
    stolen += ticks[7] ?? 0
  }
  return { total, stolen }
}

export function cpuTimeNow(cores: readonly number[]): CpuTime {
  return cpuTimeOf(readFileSync('/proc/stat', 'latin1'), cores)
}

/** The share of the time between that the host took for others, 0 to 1. */
export function stealBetween(before: CpuTime, after: CpuTime): number {
  const total = after.total - before.total
  return total <= 0 ? 0 : (after.stolen - before.stolen) / total
}

/** CPUs that this process may run on, out of the text of /proc/self/status. */
export function allowedCpus(status: string): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? ''
  return list.split(',').flatMap((piece) => {
    if (piece === '') return []
    const [first = 0, last = first] = piece.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}

/**
 * The log of a command: pino lines on stderr. Pino is loaded with the first line that is written, as it costs more
 * time to load than a start has to spare.
 */
import { createRequire } from 'node:module'
import type { Logger, pino as Pino } from 'pino'
import type { BrokerLog } from '../index.js'

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

export function isLogLevel(level: string): boolean {
  return levels.includes(level)
}

/** A log that writes lines of this level and above. */
export function stderrLog(level: string): BrokerLog {
  let opened: Logger | null = null
  const open = (): Logger => {
    const pino = createRequire(import.meta.url)('pino') as typeof Pino
    // Synchronous: what was said before the end of the process has been written.
    return pino({ level }, pino.destination({ dest: 2, sync: true }))
  }
  const method = (name: keyof BrokerLog) => (fields: object, message: string) => {
    if (levels.indexOf(name) < levels.indexOf(level)) return
    opened ??= open()
    opened[name](fields, message)
  }
  return {
    debug: method('debug'),
    info: method('info'),
    warn: method('warn'),
    error: method('error'),
    fatal: method('fatal'),
  }
}

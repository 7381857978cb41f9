/**
 * `millrace start`: runs one broker until a signal. The first SIGTERM or SIGINT stops it cleanly, the second one at
 * once. It prints one line when clients can connect; everything after that goes to the log on stderr.
 */
import { BrokerConfig } from '../config/broker-config.js'
import { hostAndPort } from '../config/listeners.js'
import {
  ConfigError,
  type Setting,
  settingFromAssignment,
  settingsFromEnvironment,
  settingsFromFile,
} from '../config/sources.js'
import { Broker } from '../index.js'
import { isLogLevel, stderrLog } from './log.js'

export interface StartOptions {
  readonly config?: string
  readonly listeners?: string
  readonly port?: string
  readonly logDirs?: string
  readonly nodeId?: string
  readonly set?: readonly string[]
  readonly logLevel?: string
}

/** A terminal and npm both pass one Ctrl-C on, so that it may arrive twice within moments: that is one SIGINT. */
const SAME_SIGNAL_MS = 250

/** `stopEarlyNoMore` is called once signals are heard here. */
export async function start(options: StartOptions, stopEarlyNoMore: () => void): Promise<void> {
  const config = configOf(options)
  const log = stderrLog(logLevel(options))
  let broker: Broker | null = null
  let first: { signal: string; at: number } | null = null
  const stop = async (signal: string): Promise<void> => {
    if (first !== null) {
      if (signal === first.signal && performance.now() - first.at < SAME_SIGNAL_MS) return
      process.stderr.write(
        `Stopped at once by a second signal (${signal}); the next start checks the ends of the logs.\n`,
      )
      process.exit(1)
    }
    first = { signal, at: performance.now() }
    // While starting there is nothing to wait for: what is on the disk is valid at any point.
    if (broker === null) process.exit(0)
    log.info({ signal }, 'stopping')
    await broker.close()
    process.exit(0)
  }
  process.on('SIGTERM', (signal) => void stop(signal))
  process.on('SIGINT', (signal) => void stop(signal))
  stopEarlyNoMore()
  broker = await Broker.start(config, {
    log,
    onFault(reason) {
      process.stderr.write(`${reason}\n`)
      process.exit(1)
    },
  })
  process.stdout.write(`${startLine(broker)}\n`)
}

/** Precedence: flags, environment, file, defaults. */
function configOf(options: StartOptions): BrokerConfig {
  const file = options.config === undefined ? [] : settingsFromFile(options.config)
  return new BrokerConfig(file, settingsFromEnvironment(process.env), flagsOf(options))
}

function flagsOf(options: StartOptions): Setting[] {
  const flags = (options.set ?? []).map(settingFromAssignment)
  const add = (key: string, text: string | undefined, origin: string) => {
    if (text !== undefined) flags.push({ key, text, origin })
  }
  if (options.port !== undefined && options.listeners !== undefined) {
    throw new ConfigError('--port and --listeners both say where to listen: give one of them')
  }
  if (options.port !== undefined && !/^\d{1,5}$/.test(options.port)) {
    throw new ConfigError(`--port ${options.port} is not a port`)
  }
  add('listeners', options.port && `PLAINTEXT://127.0.0.1:${options.port}`, '--port')
  add('listeners', options.listeners, '--listeners')
  add('log.dirs', options.logDirs, '--log-dirs')
  add('node.id', options.nodeId, '--node-id')
  return flags
}

function logLevel(options: StartOptions): string {
  const level = options.logLevel ?? process.env.LOG_LEVEL ?? 'info'
  if (!isLogLevel(level))
    throw new ConfigError(`The log level ${level} is none of debug, info, warn, error, silent`)
  return level
}

/** Time counts from the start of the process, memory is what is resident. */
function startLine(broker: Broker): string {
  const ms = Math.round(performance.now())
  const mb = Math.round(process.memoryUsage.rss() / 1e6)
  const addresses = [...broker.addresses]
    .map(([name, address]) => `${name}://${hostAndPort(address)}`)
    .join(', ')
  return `Millrace is ready on ${addresses} after ${ms} ms with ${mb} MB, node ${broker.nodeId}, data in ${broker.logDirs.join(', ')}`
}

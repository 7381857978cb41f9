/**
 * Reads the places a setting can come from: a .properties file, KAFKA_* environment variables and flags. It turns
 * each into entries with an origin to name in an error, and judges no value.
 */
import { readFileSync } from 'node:fs'
import { type Pair, parseLines } from 'dot-properties'

export interface Setting {
  readonly key: string
  readonly text: string
  /** Where it was said, for error messages: `server.properties line 4`, `KAFKA_LOG_DIRS`, `--listeners`. */
  readonly origin: string
  /** The environment is shared with other programs, so an unknown key there only warns. */
  readonly lenient?: boolean
}

export class ConfigError extends Error {
  override name = 'ConfigError'
}

export function settingsFromFile(path: string): Setting[] {
  let source: string
  try {
    source = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`The config file ${path} cannot be read: ${reasonOf(error)}`)
  }
  return settingsFromProperties(source, path)
}

export function settingsFromProperties(source: string, name: string): Setting[] {
  const settings: Setting[] = []
  for (const node of parseLines(source, true)) {
    if (node.type !== 'PAIR') continue
    const pair = node as Pair
    const line = source.slice(0, pair.range?.[0] ?? 0).split(/\r\n|\r|\n/).length
    settings.push({ key: pair.key, text: pair.value, origin: `${name} line ${line}` })
  }
  return settings
}

/** Variables that Kafka's start scripts read and that are no config keys. */
const scriptVariables =
  /^KAFKA_(HOME|OPTS|HEAP_OPTS|DEBUG|JMX_.*|LOG4J_.*|JVM_.*|GC_.*|CLASSPATH|CLUSTER_ID|VERSION|USER|MODE|SCALA_VERSION)$/

/** KAFKA_LOG_DIRS → log.dirs; `_` is a dot, `__` an underscore, `___` a dash, as in Kafka's own container image. */
export function settingsFromEnvironment(env: Readonly<Record<string, string | undefined>>): Setting[] {
  const settings: Setting[] = []
  for (const [name, text] of Object.entries(env)) {
    if (text === undefined || !name.startsWith('KAFKA_') || scriptVariables.test(name)) continue
    const key = name
      .slice('KAFKA_'.length)
      .toLowerCase()
      .replace(/_+/g, (run) => (run.length === 3 ? '-' : run.length === 2 ? '_' : '.'))
    settings.push({ key, text, origin: name, lenient: true })
  }
  return settings
}

/** One `--set key=value`. */
export function settingFromAssignment(assignment: string): Setting {
  const equals = assignment.indexOf('=')
  if (equals < 1) throw new ConfigError(`--set ${assignment} is not of the form key=value`)
  return { key: assignment.slice(0, equals).trim(), text: assignment.slice(equals + 1), origin: '--set' }
}

/** The config object of `Broker.start`: Kafka's names, with values of any plain type. */
export function settingsFromObject(
  object: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>,
): Setting[] {
  const settings: Setting[] = []
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue
    const text = typeof value === 'object' ? value.join(',') : String(value)
    settings.push({ key, text, origin: 'the config object' })
  }
  return settings
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // Node says `ENOENT: no such file or directory, open '/x'`: whoever asks for the reason names the file already.
  return /^E[A-Z0-9]+: (.+?), \w+(?: '.*)?$/.exec(error.message)?.[1] ?? error.message
}

/** `millrace config …`: shows and changes the configs of topics, brokers, groups and client metrics while they are in use. */
import type { Command } from 'commander'
import { describeConfigs, Errors, incrementalAlterConfigs, type ResponseOf } from '../protocol/index.js'
import { assignment, type ClusterOptions, clusterCommand, family, withCluster } from './command.js'
import { CommandError, refused } from './failure.js'
import { print, table } from './output.js'
import type { Cluster } from './wire/cluster.js'
import type { BrokerConnection } from './wire/connection.js'

type Config = ResponseOf<typeof describeConfigs>['results'][number]['configs'][number]

const TYPES: Readonly<Record<string, number>> = { topic: 2, broker: 4, 'client-metrics': 16, group: 32 }
const BROKER = 4

/** Of IncrementalAlterConfigs. */
const Operation = { SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 } as const

/** DescribeConfigs' sources, in words. */
const SOURCES: Readonly<Record<number, string>> = {
  1: 'topic',
  2: 'broker, dynamic',
  3: 'all brokers, dynamic',
  4: 'broker, at start',
  5: 'default',
  7: 'client-metrics',
  8: 'group',
}
const DEFAULT_SOURCE = 5

export function declareConfig(program: Command): void {
  const config = family(program, 'config', 'show and change configs of topics, brokers and groups')
  const what = `\nTYPE is one of ${Object.keys(TYPES).join(', ')}; NAME is a topic, a broker's id, a group. For brokers, the name "default" means all of them.`

  clusterCommand(config, 'get <type> <name> [key...]', 'show what is set, or the keys that are named', [
    'config get topic orders',
    'config get topic orders retention.ms',
    'config get broker 0 --all',
  ])
    .option('--all', 'defaults too')
    .addHelpText('after', what)
    .action(get)

  clusterCommand(config, 'set <type> <name> <key=value...>', 'set configs; they are in force at once', [
    'config set topic orders retention.ms=86400000',
    'config set broker default log.retention.hours=24',
    'config set topic orders cleanup.policy=compact --append',
  ])
    .option('--append', 'add to a list instead of replacing it')
    .option('--subtract', 'take out of a list')
    .option('--validate-only', 'only say whether it would be accepted')
    .addHelpText('after', what)
    .action(set)

  clusterCommand(config, 'unset <type> <name> <key...>', 'go back to the default', [
    'config unset topic orders retention.ms',
  ])
    .option('--validate-only', 'only say whether it would be accepted')
    .addHelpText('after', what)
    .action(unset)
}

function resourceOf(type: string, name: string): { resourceType: number; resourceName: string } {
  const resourceType = TYPES[type]
  if (resourceType === undefined) {
    throw new CommandError(`${type} has no configs: TYPE is one of ${Object.keys(TYPES).join(', ')}.`)
  }
  if (resourceType !== BROKER) return { resourceType, resourceName: name }
  if (name !== 'default' && !/^\d+$/.test(name)) {
    throw new CommandError(`${name} is no broker: give its id, or "default" for all brokers.`)
  }
  return { resourceType, resourceName: name === 'default' ? '' : name }
}

/** Configs of one broker are asked of that broker. */
function target(
  cluster: Cluster,
  { resourceType, resourceName }: { resourceType: number; resourceName: string },
): Promise<BrokerConnection> {
  return resourceType === BROKER && resourceName !== ''
    ? cluster.broker(Number(resourceName))
    : cluster.controller()
}

function get(
  type: string,
  name: string,
  keys: string[],
  options: ClusterOptions & { all?: boolean },
): Promise<void> {
  const resource = resourceOf(type, name)
  return withCluster(options, async (cluster) => {
    const request = {
      resources: [{ ...resource, configurationKeys: keys.length > 0 ? keys : null }],
      includeSynonyms: false,
      includeDocumentation: false,
    }
    const { results } = await (await target(cluster, resource)).request(describeConfigs, request)
    const [result] = results
    if (result === undefined || result.errorCode !== Errors.NONE) {
      throw refused(`read configs of ${type} ${name}`, result?.errorCode ?? -1, result?.errorMessage)
    }
    const missing = keys.filter((key) => !result.configs.some((one) => one.name === key))
    if (missing.length > 0) {
      throw new CommandError(
        `There is no config ${missing.join(', ')} of a ${type}. \`millrace config get ${type} ${name} --all\` shows those that there are.`,
      )
    }
    const shown = result.configs
      .filter((one) => options.all || keys.length > 0 || one.configSource !== DEFAULT_SOURCE)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(shownConfig)
    print(options.json, shown, () =>
      shown.length === 0
        ? `Nothing is set for ${type} ${name}: all configs have their defaults (--all shows them).`
        : table(
            ['config', 'value', 'from'],
            shown.map((one) => [one.name, one.sensitive ? '(hidden)' : one.value, one.source]),
          ),
    )
  })
}

function shownConfig({ name, value, configSource, isSensitive, readOnly }: Config) {
  return { name, value, source: SOURCES[configSource] ?? 'unknown', sensitive: isSensitive, readOnly }
}

interface SetOptions extends ClusterOptions {
  readonly append?: boolean
  readonly subtract?: boolean
  readonly validateOnly?: boolean
}

function set(type: string, name: string, assignments: string[], options: SetOptions): Promise<void> {
  if (options.append && options.subtract)
    throw new CommandError('--append and --subtract exclude each other.')
  const configOperation = options.append
    ? Operation.APPEND
    : options.subtract
      ? Operation.SUBTRACT
      : Operation.SET
  const configs = assignments.map(assignment).map((one) => ({ ...one, configOperation }))
  return alter(type, name, configs, options)
}

function unset(type: string, name: string, keys: string[], options: SetOptions): Promise<void> {
  const configs = keys.map((key) => ({ name: key, value: null, configOperation: Operation.DELETE }))
  return alter(type, name, configs, options)
}

function alter(
  type: string,
  name: string,
  configs: readonly { name: string; value: string | null; configOperation: number }[],
  options: SetOptions,
): Promise<void> {
  const resource = resourceOf(type, name)
  return withCluster(options, async (cluster) => {
    const request = { resources: [{ ...resource, configs }], validateOnly: options.validateOnly ?? false }
    const { responses } = await (await target(cluster, resource)).request(incrementalAlterConfigs, request)
    const [response] = responses
    if (response === undefined || response.errorCode !== Errors.NONE) {
      throw refused(`change configs of ${type} ${name}`, response?.errorCode ?? -1, response?.errorMessage)
    }
    const names = configs.map((one) => one.name)
    print(options.json, { type, name, changed: options.validateOnly ? [] : names, valid: true }, () =>
      options.validateOnly
        ? `${names.join(', ')} of ${type} ${name} would be accepted.`
        : `Changed ${names.join(', ')} of ${type} ${name}.`,
    )
  })
}

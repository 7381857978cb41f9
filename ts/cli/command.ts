/**
 * What the commands that talk to a cluster have in common: their flags, their connection, and how numbers and pairs are
 * read from arguments. Each command's own file says what it does.
 */
import { Command, InvalidArgumentError } from 'commander'
import { Cluster, parseBootstrap } from './wire/cluster.js'

export interface ClusterOptions {
  readonly bootstrapServer: string
  readonly timeout: number
  readonly json?: boolean
}

/** A command below `parent` with the flags of every command that talks to a cluster, and examples in its help. */
export function clusterCommand(
  parent: Command,
  usage: string,
  description: string,
  examples: readonly string[],
): Command {
  return parent
    .command(usage)
    .description(description)
    .option(
      '-b, --bootstrap-server <list>',
      'brokers to ask first, host:port, separated by commas (default: MILLRACE_BOOTSTRAP_SERVER, else 127.0.0.1:9092)',
      process.env.MILLRACE_BOOTSTRAP_SERVER ?? '127.0.0.1:9092',
    )
    .option('--timeout <ms>', 'how long to wait for the cluster', positive, 30_000)
    .option('--json', 'print JSON')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  millrace ${example}`).join('\n')}`)
}

/** Runs `work` with a cluster and closes its connections, whatever comes. */
export async function withCluster<T>(
  options: ClusterOptions,
  work: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = new Cluster(parseBootstrap(options.bootstrapServer), options.timeout)
  try {
    return await work(cluster)
  } finally {
    await cluster.close()
  }
}

export function positive(text: string): number {
  const value = integer(text)
  if (value < 1) throw new InvalidArgumentError('It must be at least 1.')
  return value
}

export function natural(text: string): number {
  const value = integer(text)
  if (value < 0) throw new InvalidArgumentError('It must not be negative.')
  return value
}

export function integer(text: string): number {
  const value = Number(text)
  if (!/^[+-]?\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be a whole number.')
  }
  return value
}

/** For flags that may be given more than once. */
export function collect(text: string, previous: readonly string[] = []): string[] {
  return [...previous, text]
}

/** `key=value`; the value may hold further equals signs and may be empty. */
export function assignment(text: string): { name: string; value: string } {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError(`"${text}" is not key=value.`)
  return { name: text.slice(0, at), value: text.slice(at + 1) }
}

/** A group of commands, such as `millrace topic`. */
export function family(parent: Command, name: string, description: string): Command {
  const command = new Command(name).description(description)
  parent.addCommand(command)
  return command
}

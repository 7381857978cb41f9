/**
 * The command line: reads arguments and picks a command; each command is a file of its own, loaded when it is called.
 * An error that a user can mend is one sentence on stderr and exit code 1.
 */
import { Command } from 'commander'

const collect = (value: string, previous: string[] = []): string[] => [...previous, value]

/** Commands that talk to a cluster; a broker's start loads none of them. */
const commands: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  topic: async () => (await import('./topic.js')).declareTopic,
  group: async () => (await import('./group.js')).declareGroup,
  config: async () => (await import('./config.js')).declareConfig,
  cluster: async () => (await import('./cluster.js')).declareCluster,
  produce: async () => (await import('./produce.js')).declareProduce,
  consume: async () => (await import('./consume.js')).declareConsume,
  bench: async () => (await import('./bench.js')).declareBench,
}

/** Runs the command of the process's arguments. `stopEarlyNoMore` is called once `start` hears signals itself. */
export async function run(stopEarlyNoMore: () => void): Promise<void> {
  const program = await declared(stopEarlyNoMore)
  // Whoever reads our output may stop reading, as `head` does: that is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))
  try {
    await program.parseAsync()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  }
}

async function declared(stopEarlyNoMore: () => void): Promise<Command> {
  const program = new Command('millrace')
    .description(
      'An event-streaming broker that speaks the protocol of Apache Kafka, and a command line for any such broker',
    )
    .showHelpAfterError('(--help shows what there is)')

  program
    .command('start')
    .description('run a broker until SIGTERM or SIGINT')
    .option('--config <file>', 'a server.properties file')
    .option('--listeners <list>', 'where to listen, e.g. PLAINTEXT://127.0.0.1:9092')
    .option('--port <port>', 'listen on this port of 127.0.0.1; 0 takes a free one')
    .option('--log-dirs <list>', 'folders for the data, separated by commas')
    .option('--node-id <id>', 'the id of this node')
    .option('--set <key=value>', "any of Kafka's config keys; may be given more than once", collect)
    .option('--log-level <level>', 'debug, info, warn, error or silent (default: LOG_LEVEL, else info)')
    .addHelpText('after', '\nFlags override KAFKA_* environment variables, these override the config file.')
    .action(async (options) => {
      const { start } = await import('./start.js')
      await start(options, stopEarlyNoMore)
    })

  const [named = 'help'] = process.argv.slice(2)
  if (named !== 'start') {
    const loaded = commands[named] === undefined ? Object.values(commands) : [commands[named]]
    for (const load of loaded) (await load())(program)
  }

  program
    .command('completion <shell>')
    .description('print a completion script for bash, zsh or fish')
    .action(async (shell: string) => {
      const { completion } = await import('./completion.js')
      completion(shell, program)
    })
  return program
}

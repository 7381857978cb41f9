#!/usr/bin/env node
/**
 * The command line: reads arguments and picks a command; each command is a file of its own, loaded when it is called.
 * An error that a user can mend is one sentence on stderr and exit code 1.
 */
import { Command } from 'commander'

const collect = (value: string, previous: string[] = []): string[] => [...previous, value]

const program = new Command('millrace').description(
  'An event-streaming broker that speaks the protocol of Apache Kafka',
)

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
    await start(options)
  })

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})

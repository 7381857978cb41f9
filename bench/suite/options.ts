// What the command line of the suite asks for, checked. Nothing here starts or measures anything.
import { Command, InvalidArgumentError } from 'commander'

export interface Settings {
  /** Parts to run, in the suite's order. */
  readonly parts: readonly string[]
  /** undefined: 7, or 1 when quick. */
  readonly rounds: number
  /** Rounds are added to those that the report has of these parts. */
  readonly add: boolean
  /** The folder with Kafka's jars; `true`: fetch them; `false`: no Kafka. */
  readonly kafka: string | boolean
  readonly aa: boolean
  readonly quick: boolean
  /** The brokers' data lie below it. */
  readonly folder: string | undefined
  /** Where the report goes. */
  readonly out: string | undefined
  /** Only print the parts. */
  readonly list: boolean
}

/** A sentence for whoever called; exit code 1. */
export class OptionError extends Error {}

const ROUNDS = 7

/** Reads `args` (without node and the script). Throws an OptionError; `--help` is commander's and exits. */
export function readOptions(args: readonly string[], known: readonly string[]): Settings {
  const program = new Command('npm run bench --')
    .description('Measures Millrace, and Apache Kafka beside it, against the limits of this machine.')
    .option('--parts <names>', 'only these parts, separated by commas', (text) => text.split(','))
    .option('--rounds <number>', `rounds of each part (default: ${ROUNDS}, or 1 with --quick)`, whole)
    .option('--add', 'add rounds to those that the report has of these parts, instead of replacing them')
    .option(
      '--kafka [jars]',
      'measure Apache Kafka too; its jars are fetched where no folder of them is given',
    )
    .option('--aa', 'measure a second Millrace like another target: what differs is noise')
    .option('--quick', 'small sizes and one round, to see that everything works; its figures mean nothing')
    .option('--folder <path>', "the brokers' data go below it, on a real disk (default: the temp folder)")
    .option(
      '--out <folder>',
      'where the report goes; parts in a report that is there already stay or are replaced',
    )
    .option('--list', 'print the parts and what they measure')
    .allowExcessArguments()
    .configureOutput({ writeErr: () => {} })
    .exitOverride()
  try {
    program.parse(args, { from: 'user' })
  } catch (error) {
    if (error instanceof Error && 'exitCode' in error && error.exitCode === 0) process.exit(0)
    throw new OptionError(String(error instanceof Error ? error.message : error).replace(/^error: /, ''))
  }
  if (program.args.length > 0)
    throw new OptionError(`there are options alone, no argument ${program.args[0]}`)
  const chosen = program.opts<Partial<Settings>>()
  const unknown = (chosen.parts ?? []).filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new OptionError(`--parts: no part ${unknown.join(', ')}; there are ${known.join(', ')}`)
  if (chosen.add && chosen.out === undefined)
    throw new OptionError('--add: name the report that rounds are added to with --out')
  return {
    parts: known.filter((name) => chosen.parts?.includes(name) ?? true),
    rounds: chosen.rounds ?? (chosen.quick ? 1 : ROUNDS),
    add: chosen.add ?? false,
    kafka: chosen.kafka ?? false,
    aa: chosen.aa ?? false,
    quick: chosen.quick ?? false,
    folder: chosen.folder,
    out: chosen.out,
    list: chosen.list ?? false,
  }
}

function whole(text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('a whole number from 1 on.')
  return number
}

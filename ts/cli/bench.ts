/**
 * `millrace bench`: what one producer, one consumer and a record on its way through cost at a cluster, or at two of them
 * in turns. It says what runs when; the load is that of the native load program.
 */
import { type Command, InvalidArgumentError, Option } from 'commander'
import { type Figures, type Load, loadProgram, runLoad } from './bench-load.js'
import { type Measured, PARTS, type PartName, printBench } from './bench-report.js'
import { type BenchTopic, createBenchTopic, deleteBenchTopic, existingTopic, placeOf } from './bench-topic.js'
import { type ClusterOptions, clusterCommand, family, positive } from './command.js'
import { CommandError } from './failure.js'
import { count, Progress, sizeOf, sizeText } from './output.js'
import { parseBootstrap } from './wire/cluster.js'

interface BenchOptions extends ClusterOptions {
  readonly compare?: string
  readonly rounds?: number
  readonly topic?: string
  readonly recordSize?: number
  readonly size: number
  readonly batchSize: number
  readonly acks: string
  readonly compression: string
  readonly maxInFlight: number
  readonly throughput?: number
  readonly recordsPerRequest: number
  readonly duration: number
}

/** How often a line of progress is written where stderr is no terminal. */
const PROGRESS_LINES_MS = 5000
const COMPARED_ROUNDS = 3
/** What a batch and its first record take beside the record's value. */
const BATCH_OVERHEAD = 61 + 16

export function declareBench(program: Command): void {
  const bench = family(program, 'bench', 'measure producing, consuming and latency at any cluster')

  const produce = partCommand(bench, 'produce', 'how fast one producer gets on', [
    'bench produce',
    'bench produce --size 4GiB --compression lz4 --acks all',
    'bench produce --record-size 100 --batch-size 16384 --compare 127.0.0.1:9093',
  ])
  batchFlags(produce)
  produce.addOption(new Option('--throughput <n>', 'records a second at most').argParser(positive))

  const consume = partCommand(bench, 'consume', 'how fast one consumer reads what is in the page cache', [
    'bench consume --size 4GiB',
    'bench consume --topic orders --json',
  ])
  batchFlags(consume)

  const latency = partCommand(bench, 'latency', 'from when a record was due to be sent to when it was read', [
    'bench latency --throughput 50000 --records-per-request 50 --duration 30',
    'bench latency --compare 127.0.0.1:9093',
  ])
  rateFlags(latency)

  const all = partCommand(bench, 'all', 'all three, one after the other', [
    'bench all --compare 127.0.0.1:9093',
  ])
  batchFlags(all)
  rateFlags(all)

  for (const [command, parts] of [
    [produce, ['produce']],
    [consume, ['consume']],
    [latency, ['latency']],
    [all, PARTS],
  ] as const) {
    command.action((options: BenchOptions) => run(parts, options))
  }
}

function partCommand(parent: Command, name: string, description: string, examples: string[]): Command {
  return clusterCommand(parent, name, description, examples)
    .option('--compare <host:port>', 'measure this cluster as well, in turns, and give the ratio')
    .option(
      '--rounds <n>',
      `how often each is measured (default: 1; ${COMPARED_ROUNDS} with --compare)`,
      positive,
    )
    .option(
      '--topic <topic>',
      'use partition 0 of this topic, which nobody else may write to meanwhile, and keep it',
    )
    .option('--record-size <bytes>', 'bytes of a record (default: 1024; for latency 100)', positive)
    .addHelpText(
      'after',
      `
One connection to the leader of one partition. Without --topic the command makes a topic of its own, named
millrace-bench-…, and deletes it at the end. Latencies: of produce from sending a request to its ack, of consume from
sending a fetch to the end of its reply, of latency from when a record was due to when it was read, so that a stall
counts for every record that it holds up. MiB/s are those on the network, after compression.`,
    )
}

function batchFlags(command: Command): void {
  command
    .option('--size <size>', 'how much is written or read in a round', size, 1024 ** 3)
    .option('--batch-size <bytes>', 'bytes of a batch, before compression', positive, 1_000_000)
    .option('--acks <acks>', 'all or 1', '1')
    .addOption(
      new Option('-z, --compression <codec>', 'of the batches')
        .choices(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
        .default('none'),
    )
    .option('--max-in-flight <n>', 'requests without an ack', positive, 5)
}

function rateFlags(command: Command): void {
  command
    .option('--throughput <n>', 'records a second for latency', positive, 5000)
    .option('--records-per-request <n>', 'records that are sent at once', positive, 1)
    .option('--duration <seconds>', 'how long a round lasts', positive, 10)
}

function size(text: string): number {
  const bytes = sizeOf(text)
  if (bytes === undefined || bytes < 1)
    throw new InvalidArgumentError('It must be a size such as 512MiB or 1GiB.')
  return bytes
}

async function run(parts: readonly PartName[], options: BenchOptions): Promise<void> {
  checked(options)
  loadProgram()
  const servers = [options.bootstrapServer, ...(options.compare === undefined ? [] : [options.compare])]
  const bench = new Bench(options, parts)
  const onSignal = () => bench.stop()
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const failures: string[] = []
  try {
    const measured = await bench.measured(servers)
    printBench(options.json, measured)
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error))
  }
  failures.push(...(await bench.tidied()))
  process.off('SIGINT', onSignal)
  process.off('SIGTERM', onSignal)
  if (failures.length > 0) throw new CommandError(failures.join('\n'))
}

/** Throws CommandError for options that cannot go together. */
function checked(options: BenchOptions): void {
  if (options.compare !== undefined) {
    parseBootstrap(options.compare, '--compare')
    if (options.compare === options.bootstrapServer) {
      throw new CommandError('--compare names the same cluster as --bootstrap-server.')
    }
  }
  if (options.acks !== undefined && options.acks !== 'all' && options.acks !== '-1' && options.acks !== '1') {
    throw new CommandError(`--acks ${options.acks} is none of all, 1.`)
  }
  const recordSize = options.recordSize ?? 1024
  if (options.batchSize < recordSize + BATCH_OVERHEAD) {
    throw new CommandError(
      `--batch-size ${options.batchSize} holds no record of ${recordSize} bytes (--record-size).`,
    )
  }
}

class Bench {
  private readonly stopping = new AbortController()
  private readonly topics: BenchTopic[] = []
  private readonly progress = new Progress(PROGRESS_LINES_MS)

  constructor(
    private readonly options: BenchOptions,
    private readonly parts: readonly PartName[],
  ) {}

  /** A first signal ends what runs; topics are deleted then. A second one ends the process as it is. */
  stop(): void {
    if (!this.stopping.signal.aborted) {
      this.stopping.abort()
      return
    }
    this.progress.end()
    const left = this.topics.filter((topic) => topic.own).map((topic) => `${topic.name} at ${topic.server}`)
    process.stderr.write(
      `Stopped at once by a second signal${left.length > 0 ? `; still there: ${left.join(', ')}` : ''}.\n`,
    )
    process.exit(1)
  }

  async measured(servers: readonly string[]): Promise<Measured[]> {
    const { options } = this
    for (const server of servers) {
      this.topics.push(
        options.topic === undefined
          ? await createBenchTopic(options, server)
          : await existingTopic(options, server, options.topic),
      )
    }
    const rounds = options.rounds ?? (servers.length > 1 ? COMPARED_ROUNDS : 1)
    const all: Measured[] = []
    for (const part of this.parts) {
      const figures = new Map<string, Figures[]>(servers.map((server) => [server, []]))
      if (part === 'consume') for (const topic of this.topics) await this.fill(topic)
      for (let round = 1; round <= rounds; round += 1) {
        // A B, B A, …: whatever grows or warms up meanwhile meets both alike.
        const order = round % 2 === 1 ? this.topics : [...this.topics].reverse()
        for (const topic of order) {
          const label = `${part}${rounds > 1 ? ` ${round} of ${rounds}` : ''} at ${topic.server}`
          figures.get(topic.server)?.push(await this.slice(part, topic, label))
        }
      }
      all.push({ part, rounds: figures })
    }
    this.progress.end()
    return all
  }

  /** Deletes the topics that were made. Gives a sentence for each that cannot be. */
  async tidied(): Promise<string[]> {
    this.progress.end()
    const failures: string[] = []
    for (const topic of this.topics.splice(0)) {
      await deleteBenchTopic(this.options, topic).catch((error: Error) => failures.push(error.message))
    }
    return failures
  }

  /** What consumers of an own topic read, where nothing has been produced to it. */
  private async fill(topic: BenchTopic): Promise<void> {
    const { start, end } = await placeOf(this.options, topic)
    if (start < end) return
    if (!topic.own)
      throw new CommandError(`Partition 0 of topic ${topic.name} at ${topic.server} has no records to read.`)
    await this.slice('produce', topic, `filling at ${topic.server}`)
  }

  private async slice(part: PartName, topic: BenchTopic, label: string): Promise<Figures> {
    if (this.stopping.signal.aborted) throw new CommandError('Stopped before the end.')
    const { leader, start, end } = await placeOf(this.options, topic)
    const at = { bootstrap: leader, topic: topic.name }
    const load = {
      produce: this.producing(end),
      consume: this.consuming(start, end),
      latency: this.latency(),
    }[part]
    return runLoad({
      command: load.command,
      options: { ...at, ...load.options },
      what: `${part === 'consume' ? 'read from' : 'write to'} topic ${topic.name} at ${leader}`,
      timeoutMs: this.options.timeout,
      stop: this.stopping.signal,
      onProgress: (figures) => this.progress.update(() => progressText(label, figures)),
    })
  }

  private producing(end: number): LoadPlan {
    const { options } = this
    const compressed = options.compression !== 'none'
    const batch = {
      valueBytes: options.recordSize ?? 1024,
      batchBytes: options.batchSize,
      codec: options.compression,
      // Noise would not compress.
      text: compressed,
    }
    const acks = options.acks === '1' ? 1 : -1
    const limit = this.parts.length === 1 && options.throughput ? { throughput: options.throughput } : {}
    return {
      command: 'user-produce',
      options: { offset: end, bytes: options.size, batch, acks, inFlight: options.maxInFlight, ...limit },
    }
  }

  private consuming(start: number, end: number): LoadPlan {
    return { command: 'user-consume', options: { offset: start, endOffset: end, bytes: this.options.size } }
  }

  private latency(): LoadPlan {
    const { throughput = 5000, recordsPerRequest, duration, recordSize = 100 } = this.options
    return {
      command: 'load-latency',
      options: {
        requestsPerSecond: throughput / recordsPerRequest,
        recordsPerRequest,
        recordBytes: recordSize,
        seconds: duration,
        warmSeconds: Math.min(1, duration / 10),
        progress: true,
      },
    }
  }
}

interface LoadPlan {
  readonly command: Load['command']
  readonly options: Readonly<Record<string, unknown>>
}

function progressText(label: string, { seconds = 0, records, bytes, p99Us }: Figures): string {
  const rate = records === undefined || seconds === 0 ? [] : [`${Math.round(records / seconds)} records/s`]
  const sent = bytes === undefined ? [] : [sizeText(bytes)]
  const tail = p99Us === undefined ? [] : [`p99 ${(p99Us / 1000).toPrecision(3)} ms`]
  return [`${label}: ${count(Math.round(seconds), 'second')}`, ...sent, ...rate, ...tail].join(', ')
}

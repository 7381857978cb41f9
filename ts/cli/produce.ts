/** `millrace produce`: lines of standard input, of files or of the command line become records of a topic. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type CompressionAlgorithmValue, Producer } from '@platformatic/kafka'
import type { Command } from 'commander'
import {
  assignment,
  type ClusterOptions,
  clusterCommand,
  collect,
  natural,
  positive,
  withCluster,
} from './command.js'
import { CommandError } from './failure.js'
import { count, Progress, printLine } from './output.js'
import {
  type Encoding,
  encodingOf,
  parseJsonRecord,
  parseTextRecord,
  type RecordToProduce,
  withoutEscapes,
} from './record-text.js'
import { clientError, clientOptions } from './wire/client.js'

const CODECS: readonly string[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

interface ProduceOptions extends ClusterOptions {
  readonly value?: readonly string[]
  readonly file?: string
  readonly key?: string
  readonly keySeparator?: string
  readonly header?: readonly string[]
  readonly partition?: number
  readonly compression: string
  readonly acks: string
  readonly encoding: string
  readonly batch: number
}

export function declareProduce(program: Command): void {
  clusterCommand(program, 'produce <topic>', 'write records: a line of standard input each', [
    'produce greetings --value hello',
    'seq 1000 | millrace produce numbers',
    'produce users --key-separator : --file users.txt --compression lz4',
    'consume orders --exit --json | millrace produce orders-copy --json',
  ])
    .option(
      '-v, --value <text>',
      'a record with this value instead of input; may be given more than once',
      collect,
    )
    .option('-f, --file <path>', 'read this file instead of standard input')
    .option('-k, --key <text>', 'the key of every record')
    .option('--key-separator <text>', 'what stands between key and value in a line; \\t is a tab')
    .option('-H, --header <name=value>', 'a header of every record; may be given more than once', collect)
    .option('-p, --partition <n>', 'the partition (default: by key, else spread)', natural)
    .option('-z, --compression <codec>', CODECS.join(', '), 'none')
    .option('--acks <acks>', 'all, 1 or 0', 'all')
    .option('--encoding <encoding>', 'how keys and values are written: utf8, base64, hex', 'utf8')
    .option('--batch <records>', 'records in a request', positive, 1000)
    .addHelpText(
      'after',
      '\nWith --json each line is an object with key, value, headers, partition and timestamp.',
    )
    .action(produce)
}

async function produce(topic: string, options: ProduceOptions): Promise<void> {
  const encoding = encodingOf(options.encoding)
  if (!CODECS.includes(options.compression)) {
    throw new CommandError(`--compression ${options.compression} is none of ${CODECS.join(', ')}.`)
  }
  const acks = { all: -1, '-1': -1, '1': 1, '0': 0 }[options.acks]
  if (acks === undefined) throw new CommandError(`--acks ${options.acks} is none of all, 1, 0.`)
  // A typing error in the name must not wait for the client's own retries.
  await withCluster(options, (cluster) => cluster.topics([topic]))
  const producer = new Producer({
    ...clientOptions(options),
    acks,
    compression: options.compression as CompressionAlgorithmValue,
    autocreateTopics: false,
  })
  const progress = new Progress()
  let sent = 0
  try {
    let batch: RecordToProduce[] = []
    const flush = async () => {
      if (batch.length === 0) return
      await producer.send({ messages: batch.map((record) => ({ ...record, topic })) })
      sent += batch.length
      batch = []
      progress.update(() => `${count(sent, 'record')} written`)
    }
    for await (const record of records(options, encoding)) {
      batch.push(record)
      if (batch.length >= options.batch) await flush()
    }
    await flush()
  } catch (error) {
    throw clientError(
      `write to topic ${topic}`,
      error,
      sent === 0 ? '' : `${count(sent, 'record')} had been written before.`,
    )
  } finally {
    progress.end()
    await producer.close()
  }
  printLine(
    options.json ? JSON.stringify({ topic, records: sent }) : `Wrote ${count(sent, 'record')} to ${topic}.`,
  )
}

async function* records(options: ProduceOptions, encoding: Encoding): AsyncGenerator<RecordToProduce> {
  const headers = (options.header ?? [])
    .map(assignment)
    .map(({ name, value }) => [Buffer.from(name), Buffer.from(value, encoding)] as const)
  const key = options.key === undefined ? {} : { key: Buffer.from(options.key, encoding) }
  const partition = options.partition === undefined ? {} : { partition: options.partition }
  const separator = options.keySeparator === undefined ? undefined : withoutEscapes(options.keySeparator)
  let lineNumber = 0
  for await (const line of lines(options)) {
    lineNumber += 1
    const record =
      options.json && options.value === undefined
        ? parseJsonRecord(line, encoding, lineNumber)
        : parseTextRecord(line, separator, encoding, lineNumber)
    yield { ...record, ...key, ...partition, headers: new Map([...record.headers, ...headers]) }
  }
}

async function* lines(options: ProduceOptions): AsyncGenerator<string> {
  if (options.value !== undefined) {
    yield* options.value
    return
  }
  const input = options.file === undefined ? process.stdin : createReadStream(options.file)
  if (options.file === undefined && process.stdin.isTTY) {
    process.stderr.write('One record a line; Ctrl-D ends.\n')
  }
  try {
    yield* createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (error) {
    throw new CommandError(`Cannot read ${options.file ?? 'standard input'}: ${(error as Error).message}.`)
  }
}

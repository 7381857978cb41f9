/** `millrace consume`: prints a topic's records, alone from any offset or time on, or as a member of a group. */

import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Consumer } from '@platformatic/kafka'
import type { Command } from 'commander'
import { type ClusterOptions, clusterCommand, natural, positive, withCluster } from './command.js'
import { CommandError } from './failure.js'
import { type ConsumedRecord, type Encoding, encodingOf, formatter, recordJson } from './record-text.js'
import { clientError, clientOptions } from './wire/client.js'
import type { Cluster, TopicMetadata } from './wire/cluster.js'
import { EARLIEST, ends, LATEST, offsetsAll } from './wire/offsets.js'
import { recordsFrom } from './wire/records.js'

interface ConsumeOptions extends ClusterOptions {
  readonly from?: string
  readonly partition?: number
  readonly group?: string
  readonly max?: number
  readonly exit?: boolean
  readonly format: string
  readonly encoding: string
}

export function declareConsume(program: Command): void {
  clusterCommand(program, 'consume <topic>', 'print records as they come', [
    'consume greetings --from earliest',
    'consume orders --from 2026-01-31T08:00:00Z --exit --json',
    "consume orders --partition 0 --from 4711 --max 1 --format '%o %k=%s\\n'",
    'consume orders --group billing --max 100',
  ])
    .option(
      '--from <where>',
      'earliest, latest, an offset, or an ISO 8601 time (default: latest; earliest with --exit)',
    )
    .option('-p, --partition <n>', 'only this partition', natural)
    .option('-g, --group <group>', 'read as a member of this group and commit what was printed')
    .option('-n, --max <records>', 'stop after this many records', positive)
    .option('-e, --exit', 'stop at the end of what is there now')
    .option(
      '--format <template>',
      '%t topic, %p partition, %o offset, %T timestamp, %k key, %s value, %h headers, %% percent sign',
      '%s\\n',
    )
    .option('--encoding <encoding>', 'how keys and values are written: utf8, base64, hex', 'utf8')
    .addHelpText(
      'after',
      '\nCtrl-C stops. With --json each record is one line that `millrace produce --json` reads.',
    )
    .action(consume)
}

async function consume(topic: string, options: ConsumeOptions): Promise<void> {
  const encoding = encodingOf(options.encoding)
  if (options.group !== undefined && (options.exit || options.partition !== undefined)) {
    throw new CommandError(
      'A group hands out its partitions itself: --group goes with neither --exit nor --partition.',
    )
  }
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  process.once('SIGTERM', () => stop.abort())
  const text = textOf(options, encoding)
  if (options.group === undefined) await consumeAlone(topic, options, text, stop.signal)
  else await consumeInGroup(topic, options.group, options, text, stop.signal)
}

function textOf(options: ConsumeOptions, encoding: Encoding): (record: ConsumedRecord) => string {
  if (options.json) return (record) => `${recordJson(record, encoding)}\n`
  return formatter(options.format, encoding)
}

/** Writes to stdout no faster than it is read. */
async function write(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

function consumeAlone(
  name: string,
  options: ConsumeOptions,
  text: (record: ConsumedRecord) => string,
  stop: AbortSignal,
): Promise<void> {
  return withCluster(options, async (cluster) => {
    const [topic] = await cluster.topics([name])
    if (topic === undefined) return
    const positions = await start(cluster, topic, options)
    const until = options.exit ? (await ends(cluster, topic)).nexts : null
    const reachedEnds = () => {
      for (const [partition, offset] of positions) {
        if (until !== null && offset >= (until.get(partition) ?? 0)) positions.delete(partition)
      }
    }
    reachedEnds()
    let left = options.max ?? Number.POSITIVE_INFINITY
    for await (const records of recordsFrom(cluster, topic, positions)) {
      const wanted = records.filter((one) => until === null || one.offset < (until.get(one.partition) ?? 0))
      const printed = wanted.slice(0, left)
      await write(printed.map(text).join(''))
      left -= printed.length
      reachedEnds()
      if (left <= 0 || stop.aborted) break
    }
  })
}

/** The offset to begin with, by partition. */
async function start(
  cluster: Cluster,
  topic: TopicMetadata,
  { from = undefined, exit, partition }: ConsumeOptions,
): Promise<Map<number, number>> {
  const where = from ?? (exit ? 'earliest' : 'latest')
  const all = await startOf(cluster, topic, where)
  if (partition === undefined) return all
  const offset = all.get(partition)
  if (offset === undefined) {
    throw new CommandError(`Topic ${topic.name} has no partition ${partition} that holds ${where}.`)
  }
  return new Map([[partition, offset]])
}

async function startOf(cluster: Cluster, topic: TopicMetadata, where: string): Promise<Map<number, number>> {
  if (where === 'earliest') return offsetsAll(cluster, topic, EARLIEST)
  if (where === 'latest') return offsetsAll(cluster, topic, LATEST)
  if (/^\d+$/.test(where)) return exactly(cluster, topic, Number(where))
  const time = Date.parse(where)
  if (Number.isNaN(time)) {
    throw new CommandError(
      `--from ${where} is none of earliest, latest, an offset, or an ISO 8601 time such as 2026-01-31T08:00:00Z.`,
    )
  }
  const found = await offsetsAll(cluster, topic, time)
  const nexts = await offsetsAll(cluster, topic, LATEST)
  return new Map([...found].map(([one, offset]) => [one, offset < 0 ? (nexts.get(one) ?? 0) : offset]))
}

/** The same offset in every partition that holds it or ends there. Throws CommandError when none does. */
async function exactly(cluster: Cluster, topic: TopicMetadata, offset: number): Promise<Map<number, number>> {
  const { starts, nexts } = await ends(cluster, topic)
  const holding = [...nexts].filter(([one, next]) => (starts.get(one) ?? 0) <= offset && offset <= next)
  if (holding.length === 0) {
    throw new CommandError(
      `No partition of topic ${topic.name} reaches offset ${offset}. \`millrace topic describe ${topic.name}\` shows what is there.`,
    )
  }
  return new Map(holding.map(([one]) => [one, offset]))
}

const COMMIT_EVERY_MS = 1000

async function consumeInGroup(
  topic: string,
  groupId: string,
  options: ConsumeOptions,
  text: (record: ConsumedRecord) => string,
  stop: AbortSignal,
): Promise<void> {
  const fallbackMode = options.from ?? 'latest'
  if (fallbackMode !== 'earliest' && fallbackMode !== 'latest') {
    throw new CommandError(
      'A group goes on where it has committed: --from says earliest or latest, for partitions without a commit. `millrace group move` sets offsets.',
    )
  }
  await withCluster(options, (cluster) => cluster.topics([topic]))
  const consumer = new Consumer({
    ...clientOptions(options),
    clientId: `millrace-cli-${randomUUID()}`,
    groupId,
  })
  try {
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode,
      autocommit: false,
    })
    const printed = new Map<number, bigint>()
    const commit = async () => {
      if (printed.size === 0) return
      const offsets = [...printed].map(([partition, offset]) => ({
        topic,
        partition,
        offset,
        leaderEpoch: -1,
      }))
      printed.clear()
      await consumer.commit({ offsets })
    }
    stop.addEventListener('abort', () => stream.destroy())
    let left = options.max ?? Number.POSITIVE_INFINITY
    let committedAt = performance.now()
    try {
      for await (const message of stream) {
        await write(text(recordOf(message)))
        printed.set(message.partition, message.offset + 1n)
        left -= 1
        if (left <= 0) break
        if (performance.now() - committedAt > COMMIT_EVERY_MS) {
          await commit()
          committedAt = performance.now()
        }
      }
    } catch (error) {
      if (!stop.aborted) throw error
    }
    await commit()
    await stream.close()
  } catch (error) {
    throw clientError(`read topic ${topic} in group ${groupId}`, error)
  } finally {
    await consumer.close(true)
  }
}

interface GroupMessage {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly timestamp: bigint
  readonly key: Buffer | null | undefined
  readonly value: Buffer | null | undefined
  readonly headers: Map<Buffer, Buffer>
}

function recordOf(message: GroupMessage): ConsumedRecord {
  return {
    topic: message.topic,
    partition: message.partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: message.key ?? null,
    value: message.value ?? null,
    headers: [...message.headers],
  }
}

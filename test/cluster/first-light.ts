// The promise of first light as one script that every client runs: produce 100,000 records, consume them in a group,
// commit, stop, and resume from the committed offset after a clean stop of the broker and after SIGKILL.
import { expect } from 'vitest'
import { BrokerProcess, dataFolder } from './broker-process.js'

export interface Consumed {
  readonly partition: number
  readonly offset: number
  readonly value: string
}

/** A client under test. Values are `v<n>`; every call opens its own connections and closes them. */
export interface Client {
  /** Produces `v<first>` … in order and resolves to the number of acked records. */
  produce(bootstrap: string, topic: string, first: number, count: number): Promise<number>
  /** Joins the group, reads exactly `count` records from the committed offset (or the start), commits, leaves. */
  consume(bootstrap: string, topic: string, group: string, count: number): Promise<Consumed[]>
  /** Creates the topic; left out where the client relies on auto-creation. */
  createTopic?(bootstrap: string, topic: string, partitions: number): Promise<void>
}

const TOTAL = 100_000
const PIECES = [40_000, 30_000, 30_000] as const

/** Runs the script and checks: every acked record is there, in order per partition, each exactly once. */
export async function firstLight(client: Client, partitions: number): Promise<void> {
  const folder = dataFolder()
  const settings = { 'num.partitions': String(partitions) }
  let broker = await BrokerProcess.start({ folder: folder.path, settings })
  const restart = async () => {
    broker = await BrokerProcess.start({ folder: folder.path, port: broker.port, settings })
  }
  try {
    const topic = 'first-light'
    await client.createTopic?.(broker.bootstrap, topic, partitions)
    expect(await client.produce(broker.bootstrap, topic, 0, TOTAL)).toBe(TOTAL)

    const pieces: Consumed[][] = []
    pieces.push(await client.consume(broker.bootstrap, topic, 'readers', PIECES[0]))
    await broker.stop()
    await restart()
    pieces.push(await client.consume(broker.bootstrap, topic, 'readers', PIECES[1]))
    await broker.kill()
    await restart()
    pieces.push(await client.consume(broker.bootstrap, topic, 'readers', PIECES[2]))
    checkWhole(pieces.flat(), partitions)
    await broker.stop()
  } finally {
    await broker.kill()
    folder.remove()
  }
}

/** Offsets without a gap from 0 in each partition, values rising in each, and all values exactly once. */
function checkWhole(records: readonly Consumed[], partitions: number): void {
  const next = new Map<number, number>()
  const last = new Map<number, number>()
  const seen = new Set<string>()
  for (const { partition, offset, value } of records) {
    expect(offset, `offset in partition ${partition}`).toBe(next.get(partition) ?? 0)
    next.set(partition, offset + 1)
    const n = Number(value.slice(1))
    if (n <= (last.get(partition) ?? -1))
      throw new Error(`partition ${partition}: ${value} at ${offset} is out of order`)
    last.set(partition, n)
    seen.add(value)
  }
  expect(seen.size).toBe(TOTAL)
  expect(records.length).toBe(TOTAL)
  expect([...next.keys()].every((partition) => partition < partitions)).toBe(true)
}

// Resident memory and CPU of a broker that nobody uses, and its resident memory while records are produced. The only
// process it starts itself is the floor's, a Node that does nothing.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Context, Figures, Goal, Measure, Part, Target, TargetName } from '../contract.js'

const MIB = 1024 ** 2
const SAMPLE_MS = 50

const sizes = (context: Context) =>
  context.quick
    ? { settleMs: 3_000, idleMs: 2_000, bytes: 256 * MIB }
    : { settleMs: 30_000, idleMs: 20_000, bytes: 2048 * MIB }

async function runOwn(name: TargetName, context: Context): Promise<Figures> {
  const { settleMs, idleMs, bytes } = sizes(context)
  const { target } = await context.start(name, { folder: context.freshFolder() })
  await sleep(settleMs)
  const idleMiB = target.residentMiB()
  const idle = await context.measured(target, async () => {
    await sleep(idleMs)
    return {}
  })
  const topic = context.freshTopic()
  const { bootstrap } = target
  await context.bench('create-topic', { bootstrap, topic })
  await context.prime(bytes)
  const loadedMiB = await peakWhile(target, () => context.bench('load-produce', { bootstrap, topic, bytes }))
  await target.kill()
  return {
    idleMiB,
    idleCpuPercent: ((idle.usage.user + idle.usage.system) / idle.seconds) * 100,
    loadedMiB,
  }
}

/** The largest resident set that was seen until `load` has ended. */
async function peakWhile(target: Target, load: () => Promise<Figures>): Promise<number> {
  let peak = 0
  const look = () => {
    peak = Math.max(peak, target.residentMiB())
  }
  const timer = setInterval(look, SAMPLE_MS)
  try {
    await load()
    look()
  } finally {
    clearInterval(timer)
  }
  return peak
}

/** A Node that waits for nothing. */
async function floors(context: Context): Promise<Figures> {
  const idle = "process.stdout.write('up'); setTimeout(() => {}, 1e9)"
  const node = spawn('taskset', ['-c', `${context.brokerCore}`, process.execPath, '-e', idle], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await new Promise((resolve, reject) => {
      node.once('error', reject)
      node.stdout.once('data', resolve)
    })
    await sleep(1000)
    const [, kib = Number.NaN] =
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${node.pid}/status`, 'utf8')) ?? []
    return { bareNodeMiB: Number(kib) / 1024 }
  } finally {
    node.kill('SIGKILL')
  }
}

const measures: readonly Measure[] = [
  { key: 'idleMiB', label: 'resident, idle; floor: bare Node', unit: 'MiB', floor: 'bareNodeMiB' },
  {
    key: 'loadedMiB',
    label: 'resident, peak of a produce of 1 KiB records; floor: bare Node',
    unit: 'MiB',
    floor: 'bareNodeMiB',
  },
  { key: 'idleCpuPercent', label: 'CPU, idle', unit: '% of a core' },
]

function goalsOf(key: string, what: string, part: number, more: number): Goal[] {
  return [
    {
      row: 10,
      text: `resident ${what} ≤ 1/${part} of Kafka's`,
      value: ({ millrace, kafka }) => {
        const [own, theirs] = [millrace[key], kafka?.[key]]
        return own === undefined || theirs === undefined ? undefined : own / theirs
      },
      most: 1 / part,
    },
    {
      row: 10,
      text: `resident ${what} ≤ a bare Node + ${more} MB`,
      value: ({ millrace, floor }) => {
        const [own, bare] = [millrace[key], floor.bareNodeMiB]
        return own === undefined || bare === undefined ? undefined : ((own - bare) * MIB) / 1e6
      },
      most: more,
    },
  ]
}

const part: Part = {
  name: 'memory',
  title: 'Memory, and what a broker takes when nobody uses it',
  method:
    'A broker on an empty folder: its resident set 30 s after its start, its CPU over the 20 s after those, and the ' +
    'largest resident set, looked at every 50 ms, while 2 GiB of 1 KiB records in batches of 1 MB are produced over ' +
    'one connection. The floor is a Node process that waits for a timer.',
  measures,
  goals: [...goalsOf('idleMiB', 'idle', 5, 20), ...goalsOf('loadedMiB', 'under goal 1', 8, 100)],
  own: true,
  floors,
  runOwn,
}

export default part

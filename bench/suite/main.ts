// `npm run bench`: runs parts of the suite and writes a report. Whatever it starts and writes below the temp folder is
// gone when it ends, also after Ctrl-C and errors.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaJars } from '../../test/compat/toolchains.js'
import type { Part, TargetName } from './contract.js'
import { kafkaVersion } from './kafka-target.js'
import { commitOf, coresToUse, describeMachine, refuseMemory } from './machine.js'
import { OptionError, readOptions, type Settings } from './options.js'
import { parts } from './parts/index.js'
import { endAll, root, runBinary } from './processes.js'
import { readReport, writeReport } from './report.js'
import {
  addedTo,
  lanesOf,
  merged,
  type PartResult,
  type Report,
  refuseOtherMachine,
  roundsOf,
  summed,
} from './results.js'
import { runPart } from './rounds.js'
import { Session } from './session.js'

const GIB = 2 ** 30

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`)
}

/** The folder with Kafka's jars, where Kafka is asked for. */
function jarsOf({ kafka }: Settings): string | undefined {
  if (kafka === false) return undefined
  const jars = kafka === true ? kafkaJars() : kafka
  if (kafkaVersion(jars) === undefined)
    throw new OptionError(`--kafka ${jars}: no kafka_2.13-….jar in that folder`)
  return jars
}

/** `undefined`: the default, a folder named after the day and what ran. */
function outFolder(settings: Settings): string {
  if (settings.out !== undefined) return settings.out
  const stamp = new Date().toISOString().slice(0, 16).replace('T', '-').replace(':', '')
  return join(root, 'bench', 'results', `${stamp}${settings.quick ? '-quick' : ''}`)
}

async function main(): Promise<void> {
  const settings = readOptions(
    process.argv.slice(2),
    parts.map(({ name }) => name),
  )
  if (settings.list) {
    for (const { name, title } of parts) process.stdout.write(`${name.padEnd(16)} ${title}\n`)
    return
  }
  const cores = coresToUse()
  const below = settings.folder ?? tmpdir()
  mkdirSync(below, { recursive: true })
  refuseMemory(below)
  const out = outFolder(settings)
  const earlier = readReport(out)
  const jars = jarsOf(settings)
  // From here on the runner leaves the broker's core alone.
  await runBinary('bind', { pid: process.pid, cores: String(cores.clientCore) })
  const folder = mkdtempSync(join(below, 'millrace-bench-'))
  const end = () => {
    endAll()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  process.on('exit', end)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
  const { quick, aa } = settings
  const session = new Session({ ...cores, folder, quick, jars }, say)
  const targets: TargetName[] = [
    'millrace',
    ...(jars ? ['kafka' as const] : []),
    ...(aa ? ['again' as const] : []),
  ]
  const machine = describeMachine(folder, jars)
  if (settings.add && earlier !== undefined) refuseOtherMachine(earlier.machine, machine)
  let report: Report = merged(earlier, { format: 2, machine, parts: {}, noise: {} })
  const kind = aa && jars === undefined ? 'noise' : 'parts'
  const chosen = parts.filter(({ name }) => settings.parts.includes(name))
  const before = new Map(
    chosen.map((part) => {
      const there = settings.add ? report[kind][part.name] : undefined
      return [part, addedTo(there, part, quick, lanesOf(part, targets))]
    }),
  )
  for (const [part, had] of before) {
    await measure(part, session, settings, targets, [cores.brokerCore, cores.clientCore], had, (result) => {
      if (result.failure !== null) process.exitCode = 1
      report = merged(report, { ...report, [kind]: { [part.name]: result } })
      writeReport(out, report)
    })
  }
  await session.close()
  say(`report: ${join(out, 'report.md')}`)
}

/** Runs one part to its end, or to its failure: the others still run. `done` gets what there is after each round. */
async function measure(
  part: Part,
  session: Session,
  { quick, rounds }: Settings,
  targets: readonly TargetName[],
  cores: readonly number[],
  had: Pick<PartResult, 'runs' | 'slices'>,
  done: (result: PartResult) => void,
): Promise<void> {
  const [ran, started, commit] = [new Date().toISOString(), performance.now(), commitOf()]
  const slices = [...had.slices]
  let complete = 0
  const tell = (failure: string | null) => {
    const run = { ran, seconds: (performance.now() - started) / 1000, commit, rounds: complete }
    done(summed(part, { quick, runs: [...had.runs, run], failure }, slices))
  }
  try {
    await runPart(part, session, {
      targets,
      rounds,
      before: roundsOf(had),
      cores,
      touchBytes: quick ? GIB / 4 : 4 * GIB,
      say,
      done: (more) => {
        slices.push(...more)
        complete += 1
        tell(null)
      },
    })
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error)
    say(`${part.name} broke off: ${failure}`)
    // Nobody knows what state they are in.
    await session.endOwn()
    await session.endShared()
    session.clear()
    tell(failure)
  }
}

main().catch((error: unknown) => {
  const sentence = error instanceof Error ? error.message : String(error)
  process.stderr.write(`bench: ${sentence}\n`)
  process.exit(1)
})

// A file system of a few megabytes that this test alone sees: a tmpfs in a mount namespace of its own, held by a process
// that does nothing else. Ballast files fill it; removing one makes room.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** As root plainly, else in a user namespace where the kernel allows that. */
const ways: readonly (readonly string[])[] = [['-m'], ['-r', '-m']]

/** How to make a private mount, or null where this machine lets nobody do it. */
function way(): readonly string[] | null {
  const works = (flags: readonly string[]) =>
    spawnSync('unshare', [...flags, 'sh', '-c', `mount -t tmpfs -o size=64k none ${tmpdir()}`]).status === 0
  return ways.find(works) ?? null
}

const flags = process.platform === 'linux' ? way() : null

/** Why there can be no small disk here, or null. */
export const noSmallDisk = flags === null ? 'neither root nor a user namespace may mount a tmpfs here' : null

export class SmallDisk {
  private constructor(
    private readonly holder: ChildProcess,
    /** The folder as the broker inside sees it. */
    readonly path: string,
  ) {}

  static async mount(megabytes: number): Promise<SmallDisk> {
    const path = mkdtempSync(join(tmpdir(), 'millrace-small-'))
    const script = `mount -t tmpfs -o size=${megabytes}m none ${path} && echo mounted && exec cat`
    const holder = spawn('unshare', [...(flags ?? []), 'sh', '-c', script], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [line] = await once(holder.stdout, 'data')
    if (String(line).trim() !== 'mounted') throw new Error(`no small disk: ${line}`)
    return new SmallDisk(holder, path)
  }

  /** The command before which a program sees the disk. */
  get within(): readonly string[] {
    const user = flags?.includes('-r') ? ['-U', '--preserve-credentials'] : []
    return ['nsenter', '-t', String(this.holder.pid), '-m', ...user, '--']
  }

  /** The same file from outside of the namespace. */
  outside(name: string): string {
    return join(`/proc/${this.holder.pid}/root`, this.path, name)
  }

  addBallast(name: string, megabytes: number): void {
    mkdirSync(this.outside('ballast'), { recursive: true })
    writeFileSync(this.outside(join('ballast', name)), Buffer.alloc(megabytes << 20, 1))
  }

  removeBallast(name: string): void {
    rmSync(this.outside(join('ballast', name)))
  }

  unmount(): void {
    this.holder.stdin?.end()
    rmSync(this.path, { recursive: true, force: true })
  }
}

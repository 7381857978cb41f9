// The simulator's side of the addon: a data plane without threads, and the disk under it.
import type { NativeNode, NodeOptions } from '../../ts/native/node.js'
import { addonPath } from '../../ts/native/node.js'

/** Storage that outlives the nodes on it. */
export interface SimDisk {
  /** Loss of power: what was not synced survives, vanishes or tears, as the seed has it. */
  crash(seed: number): void
  digest(): string
  /** From here on every call that changes the disk is remembered. */
  record(): void
  /** Calls since `record`. */
  calls(): number
  /** What the recorded call at this place does. */
  describeCall(at: number): string
  /** A disk as this one was after the first `calls`; with `amid`, a seed, a write that came next has got a part of the way. */
  fork(calls: number, amid?: number): SimDisk
  /** The next operation of this name anywhere fails: `full` (ENOSPC; a write leaves a part behind) or `broken` (EIO). */
  failNext(operation: DiskOperation, fault: 'full' | 'broken'): void
  /** From now on there is no room on the disk, or there is again. */
  setFull(full: boolean): void
  /** Drops the faults that did not happen yet. */
  forgetFaults(): void
}

export const DISK_OPERATIONS = [
  'create',
  'mkdir',
  'open',
  'write',
  'read',
  'truncate',
  'sync',
  'sync-dir',
  'rename',
  'unlink',
] as const
export type DiskOperation = (typeof DISK_OPERATIONS)[number]

/** A data plane whose every step is a call. Times in ms: monotonic, then wall. */
export interface SimNode extends NativeNode {
  /** Throws while the node takes no connections. */
  connect(listener: string, monotonicMs: number, wallMs: number): number
  feed(conn: number, bytes: Uint8Array, monotonicMs: number, wallMs: number): void
  /** What the broker has sent since the last call. */
  output(conn: number): Buffer
  disconnect(conn: number): void
  isOpen(conn: number): boolean
  wantsRead(conn: number): boolean
  advance(monotonicMs: number, wallMs: number): void
  pendingEffects(): number
  runEffect(index: number): void
  /** Takes disk work from the queue and leaves it standing before its first change of the disk. */
  beginEffect(index: number): void
  /** Disk work that stands between two changes of the disk. */
  effectsUnderWay(): number
  /** Lets it make its next change, or run to its end. */
  stepEffect(index: number, toTheEnd: boolean): void
  kill(): void
}

interface Addon {
  SimDisk: new () => SimDisk
  SimNode: { open(optionsJson: string, disk: SimDisk, seed: number): SimNode }
}

let loaded: Addon | null = null

function addon(): Addon {
  if (loaded === null) {
    const module = { exports: {} }
    process.dlopen(module, addonPath())
    loaded = module.exports as Addon
  }
  return loaded
}

export const newDisk = (): SimDisk => new (addon().SimDisk)()

export const openSimNode = (options: NodeOptions, disk: SimDisk, seed: number): SimNode =>
  addon().SimNode.open(JSON.stringify(options), disk, seed)

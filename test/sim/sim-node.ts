// The simulator's side of the addon: a data plane without threads, and the disk under it.
import type { NativeNode, NodeOptions } from '../../ts/native/node.js'
import { addonPath } from '../../ts/native/node.js'

/** Storage that outlives the nodes on it. */
export interface SimDisk {
  /** Loss of power: what was not synced survives, vanishes or tears, as the seed has it. */
  crash(seed: number): void
  digest(): string
}

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

/**
 * The data plane as the control plane sees it: the few calls of the addon, its options, and how it is found and
 * loaded. It interprets no event and no command.
 */
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Events out, commands and appends in: what the control plane and each of its workers has. */
export interface EventPort {
  /** All events that have gathered, packed; arms the wake-up again. */
  drain(): Buffer
  /** Carries out a batch of packed commands. Throws on a malformed batch. */
  submit(batch: Uint8Array): void
  /** Appends to a coordinator partition at once: packed request; the packed reply fills `reply`. */
  append(request: Uint8Array, reply: Buffer): void
}

/** One node of the data plane; SimNode of the simulator has the same calls. */
export interface NativeNode extends EventPort {
  /** Counters and sizes, as JSON. */
  stats(): string
  /** Log directories with the sizes of their logs, and the metadata quorum, as JSON. */
  describe(): string
  /** Lets go of threads and files without a flush. Calling it twice is harmless. */
  close(): void
}

/** A node with threads, which coordinator workers may share. */
export interface ThreadedNode extends NativeNode {
  /** By which workers of this process find it. */
  readonly id: number
  /** The isolate of a worker has ended: connections whose requests it had are closed. */
  workerLost(worker: number): void
}

/** A node as one of its coordinator workers has it. */
export interface WorkerNode extends EventPort {
  /** A socket that turns readable when there is something to drain; its owner reads and closes it. */
  readonly fd: number
}

/** The options of `open`. Times in ms, sizes in bytes. */
export interface NodeOptions {
  nodeId: number
  clusterId: string
  directoryId: string
  /** The first one also holds the metadata log and the quorum's write-ahead log. */
  logDirs: readonly string[]
  networkThreads: number
  /** Threads for work that may block on the disk. */
  ioThreads: number
  /** Workers that groups are spread over; 0: the control plane's own thread has them all. */
  coordinatorThreads: number
  socketRequestMaxBytes: number
  saslServerMaxReceiveSize: number
  queuedMaxRequestBytes: number
  maxConnections: number
  maxConnectionsPerIp: number
  connectionsMaxIdleMs: number
  logRetentionCheckIntervalMs: number
  /** 0: old segments are never looked over. */
  logScrubBytesPerSecond: number
  /** The broker's default of every topic key, as text. */
  defaults: Readonly<Record<string, string>>
  /** Changes with every start of the machine; empty where that is not known. */
  bootId: string
}

/** Opens a node. `onReady` is called once whenever events gather after a drain. Throws with a sentence. */
export type OpenNode = (options: NodeOptions, onReady: () => void) => ThreadedNode

interface Addon {
  open(optionsJson: string, onReady: () => void): ThreadedNode
  attachWorker(nodeId: number, worker: number): WorkerNode
}

let loaded: Addon | null = null

/** The addon that the build left in `.build` of the package. */
export function openNode(options: NodeOptions, onReady: () => void): ThreadedNode {
  return addon().open(JSON.stringify(options), onReady)
}

/** Makes the calling isolate a node's worker of this number, in place of an earlier one. Throws once it is closed. */
export function attachWorker(nodeId: number, worker: number): WorkerNode {
  return addon().attachWorker(nodeId, worker)
}

function addon(): Addon {
  loaded ??= loadAddon(addonPath())
  return loaded
}

/** Both `ts/native` and `dist/ts/native` lie inside the package: the library is looked for on the way up. */
export function addonPath(from = dirname(fileURLToPath(import.meta.url))): string {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, '.build', 'millrace.node')
    if (existsSync(candidate)) return candidate
    if (folder === dirname(folder)) {
      throw new Error(
        'The native library .build/millrace.node is missing: run npm start or npm test once to build it',
      )
    }
  }
}

export function loadAddon(path: string): Addon {
  const module = { exports: {} }
  process.dlopen(module, path, constants.dlopen.RTLD_NOW)
  return module.exports as Addon
}

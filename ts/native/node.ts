/**
 * The data plane as the control plane sees it: the few calls of the addon, its options, and how it is found and
 * loaded. It interprets no event and no command.
 */
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One node of the data plane; SimNode of the simulator has the same calls. */
export interface NativeNode {
  /** All events that have gathered, packed; arms the wake-up again. */
  drain(): Buffer
  /** Carries out a batch of packed commands. Throws on a malformed batch. */
  submit(batch: Uint8Array): void
  /** Appends to a coordinator partition at once: packed request, packed reply. */
  append(request: Uint8Array): Buffer
  /** Counters and sizes, as JSON. */
  stats(): string
  /** Log directories with the sizes of their logs, and the metadata quorum, as JSON. */
  describe(): string
  /** Lets go of threads and files without a flush. Calling it twice is harmless. */
  close(): void
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
  socketRequestMaxBytes: number
  queuedMaxRequestBytes: number
  maxConnections: number
  maxConnectionsPerIp: number
  connectionsMaxIdleMs: number
  logRetentionCheckIntervalMs: number
  /** The broker's default of every topic key, as text. */
  defaults: Readonly<Record<string, string>>
  /** Changes with every start of the machine; empty where that is not known. */
  bootId: string
}

/** Opens a node. `onReady` is called once whenever events gather after a drain. Throws with a sentence. */
export type OpenNode = (options: NodeOptions, onReady: () => void) => NativeNode

interface Addon {
  open(optionsJson: string, onReady: () => void): NativeNode
}

let loaded: Addon | null = null

/** The addon that the build left in `.build` of the package. */
export function openNode(options: NodeOptions, onReady: () => void): NativeNode {
  loaded ??= loadAddon(addonPath())
  return loaded.open(JSON.stringify(options), onReady)
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

/**
 * The log directories before the data plane opens them: creates them, and reads or writes `meta.properties`, which
 * says whose they are. Locking and everything below belongs to the data plane.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigError, reasonOf, settingsFromProperties } from '../config/sources.js'
import type { Random } from './host.js'

const META_PROPERTIES = 'meta.properties'

export interface Folders {
  readonly clusterId: string
  /** One for each log directory. */
  readonly directoryIds: readonly string[]
  /** True when no log directory was in use before. */
  readonly fresh: boolean
  /** Apache Kafka wrote the metadata log, and nobody here has taken it over yet. */
  readonly kafkas: boolean
}

interface Meta {
  clusterId: string
  nodeId: number
  directoryId: string | null
}

/** A level at a time: Node's own recursive mkdir never returns where an existing parent answers ENOENT, as /proc does. */
function createFolder(dir: string): void {
  if (isFolder(dir)) return
  const parent = dirname(dir)
  if (parent !== dir) createFolder(parent)
  try {
    mkdirSync(dir)
  } catch (error) {
    // Another broker may have made it in this very moment; which of them gets it is for the lock to say.
    if (!hasCode(error, 'EEXIST') || !isFolder(dir)) throw error
  }
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false

/** Throws ConfigError with one sentence when a folder cannot be used or belongs to somebody else. */
export function prepareFolders(logDirs: readonly string[], nodeId: number, random: Random): Folders {
  const found = logDirs.map((dir) => {
    try {
      createFolder(dir)
    } catch (error) {
      if (hasCode(error, 'EEXIST')) throw new ConfigError(`The log directory ${dir} is a file, not a folder`)
      throw new ConfigError(`The log directory ${dir} cannot be created: ${reasonOf(error)}`)
    }
    return readMeta(dir, nodeId)
  })
  const known = found.find((meta) => meta !== null)
  const clusterId = known?.clusterId ?? random.kafkaUuid()
  const directoryIds = logDirs.map((dir, index) => {
    const meta = found[index] ?? null
    if (meta !== null && meta.clusterId !== clusterId) {
      throw new ConfigError(
        `The log directory ${dir} belongs to cluster ${meta.clusterId}, another one of log.dirs to ${clusterId}`,
      )
    }
    if (meta !== null && meta.directoryId !== null) return meta.directoryId
    const directoryId = random.kafkaUuid()
    writeMeta(dir, { clusterId, nodeId, directoryId })
    return directoryId
  })
  const metadataLog = join(logDirs[0] ?? '', '__cluster_metadata-0')
  const kafkas = isFolder(metadataLog) && !isFolder(join(metadataLog, 'raft'))
  return { clusterId, directoryIds, fresh: known === undefined, kafkas }
}

function readMeta(dir: string, nodeId: number): Meta | null {
  const path = join(dir, META_PROPERTIES)
  let source: string
  try {
    source = readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw new ConfigError(`${path} cannot be read: ${reasonOf(error)}`)
  }
  const values = new Map(settingsFromProperties(source, path).map(({ key, text }) => [key, text]))
  const version = values.get('version')
  // Version 0 is that of ZooKeeper brokers, which say broker.id.
  if (version !== '1' && version !== '0')
    throw new ConfigError(`${path} is damaged: its version is ${version ?? 'missing'}, expected 1`)
  const clusterId = values.get('cluster.id')
  const storedId = values.get('node.id') ?? values.get('broker.id') ?? ''
  if (clusterId === undefined || clusterId === '' || !/^\d+$/.test(storedId)) {
    throw new ConfigError(`${path} is damaged: it lacks a cluster.id or a node.id`)
  }
  if (Number(storedId) !== nodeId) {
    throw new ConfigError(
      `The log directory ${dir} belongs to node ${storedId} (${META_PROPERTIES}), but node.id is ${nodeId}`,
    )
  }
  return { clusterId, nodeId, directoryId: values.get('directory.id') ?? null }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** Written beside and renamed, so that a crash leaves the old file or the new one. */
function writeMeta(dir: string, meta: Meta): void {
  const path = join(dir, META_PROPERTIES)
  const lines = [
    '#',
    'version=1',
    `cluster.id=${meta.clusterId}`,
    `node.id=${meta.nodeId}`,
    `directory.id=${meta.directoryId ?? ''}`,
  ]
  try {
    const file = openSync(`${path}.tmp`, 'w')
    try {
      writeSync(file, `${lines.join('\n')}\n`)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(`${path}.tmp`, path)
    const folder = openSync(dir, 'r')
    try {
      fsyncSync(folder)
    } finally {
      closeSync(folder)
    }
  } catch (error) {
    throw new ConfigError(`${path} cannot be written: ${reasonOf(error)}`)
  }
}

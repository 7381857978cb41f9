/** meta.properties and whose a log directory is. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { prepareFolders } from '../../../ts/runtime/folders.js'
import { systemRandom } from '../../../ts/runtime/host.js'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-folders-'))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const prepare = (dirs: readonly string[], nodeId = 1) =>
  prepareFolders(
    dirs.map((dir) => join(root, dir)),
    nodeId,
    systemRandom,
  )
const meta = (dir: string) => readFileSync(join(root, dir, 'meta.properties'), 'utf8')

it('makes fresh folders one cluster, each with an id of its own, in Kafka’s format', () => {
  const { clusterId, directoryIds, fresh } = prepare(['a', 'deep/b'])
  expect(fresh).toBe(true)
  expect(clusterId).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
  expect(new Set(directoryIds).size).toBe(2)
  expect(meta('deep/b').split('\n')).toEqual([
    '#',
    'version=1',
    `cluster.id=${clusterId}`,
    'node.id=1',
    `directory.id=${directoryIds[1]}`,
    '',
  ])
})

it('finds the same ids again, and takes a new folder into the cluster', () => {
  const before = prepare(['a'])
  const after = prepare(['new', 'a'])
  expect(after.fresh).toBe(false)
  expect(after.clusterId).toBe(before.clusterId)
  expect(after.directoryIds[1]).toBe(before.directoryIds[0])
})

it('refuses another node’s folder, and folders of two clusters, in one sentence', () => {
  prepare(['a'])
  expect(() => prepare(['a'], 2)).toThrow(
    `The log directory ${root}/a belongs to node 1 (meta.properties), but node.id is 2`,
  )
  prepare(['b'])
  expect(() => prepare(['a', 'b'])).toThrow('another one of log.dirs')
})

it.each([
  ['version=7\ncluster.id=x\nnode.id=1', 'its version is 7, expected 1'],
  ['version=1\nnode.id=1', 'lacks a cluster.id or a node.id'],
  ['version=1\ncluster.id=\nnode.id=1', 'lacks a cluster.id or a node.id'],
  ['version=1\ncluster.id=x\nnode.id=', 'lacks a cluster.id or a node.id'],
  ['', 'its version is missing, expected 1'],
])('refuses a meta.properties that it does not understand: %j', (text, reason) => {
  mkdirSync(join(root, 'a'))
  writeFileSync(join(root, 'a', 'meta.properties'), text)
  expect(() => prepare(['a'])).toThrow(reason)
})

it('names a folder that cannot be created', () => {
  writeFileSync(join(root, 'file'), '')
  expect(() => prepare(['file/inside'])).toThrow(
    `The log directory ${root}/file/inside cannot be created: not a directory`,
  )
  expect(() => prepare(['file'])).toThrow(`The log directory ${root}/file is a file, not a folder`)
})

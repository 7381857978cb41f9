/** What a shard promises: no reply before its records are committed, refusals that touch nobody else, clean ends. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { AppendReply, AppendRequest } from '../../../ts/native/append.js'
import { Errors } from '../../../ts/protocol/index.js'
import type { Logger } from '../../../ts/runtime/host.js'
import { Shard } from '../../../ts/runtime/shard.js'
import { Timers } from '../../../ts/runtime/timers.js'
import type { Coordinator } from '../../../ts/state/coordinator.js'

/** A register of words: `add` is logged, `read` only answers, `park` waits until the timer `wake` fires. */
type Request = { to: number; kind: 'add' | 'read' | 'park' | 'trip'; word: string }
interface Register {
  words: string[]
  parked: number[]
}
const register: Coordinator<Register, Request, string, { park: number } | { unpark: true }, string> = {
  create: () => ({ words: [], parked: [] }),
  decide(state, { to, kind, word }, now) {
    const none = { records: [], soft: [], replies: [], timers: [] }
    if (kind === 'read') return { ...none, replies: [{ to, response: state.words.join(' ') }] }
    if (kind === 'trip') throw new Error('tripped')
    if (kind === 'park')
      return { ...none, soft: [{ park: to }], timers: [{ key: 'wake', at: now.monotonicMs + 100 }] }
    return { ...none, records: [word], replies: [{ to, response: `added ${word}` }] }
  },
  replay(state, change) {
    if ('record' in change && change.record === 'poison') throw new Error('poisoned')
    if ('record' in change) state.words.push(change.record)
    else if ('park' in change.soft) state.parked.push(change.soft.park)
    else state.parked = []
  },
  expired: (state) => ({
    records: ['woken'],
    soft: [{ unpark: true }],
    replies: state.parked.map((to) => ({ to, response: 'woken' })),
    timers: [],
  }),
  loaded: () => ({ records: [], soft: [], replies: [], timers: [] }),
  unloaded: (state) => ({
    records: [],
    soft: [],
    replies: state.parked.map((to) => ({ to, response: 'unloaded' })),
    timers: [],
  }),
  refused: (_state, _request, errorCode) => `refused ${errorCode}`,
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} }

let monotonicMs: number
let log: { key: Buffer | null; value: Buffer | null }[]
let highWatermark: number
let refuseWith: number
let answers: [number, string][]
let loads: number
let timers: Timers
let shard: Shard<Register, Request, string, { park: number } | { unpark: true }, string>

function append({ records }: AppendRequest): AppendReply {
  if (refuseWith !== 0) return { errorCode: refuseWith, baseOffset: -1, endOffset: -1, highWatermark: -1 }
  const baseOffset = log.length
  log.push(...records.map(({ key, value }) => ({ key: key ?? null, value: value ?? null })))
  return { errorCode: 0, baseOffset, endOffset: log.length, highWatermark }
}

const chunk = (words: string[], done: boolean, errorCode = 0) => ({
  kind: 'loaded-chunk' as const,
  topicId: 't',
  partition: 0,
  leaderEpoch: 3,
  nextOffset: words.length,
  done,
  errorCode,
  records: words.map((word, offset) => ({ offset, timestamp: 0, key: Buffer.from(word), value: null })),
})

const submit = (to: number, kind: Request['kind'], word = '') => shard.submit({ to, kind, word }, to)

beforeEach(() => {
  monotonicMs = 0
  log = []
  highWatermark = 0
  refuseWith = 0
  answers = []
  loads = 0
  timers = new Timers()
  shard = new Shard(
    { name: 'words-0', topicId: 't', partition: 0, leaderEpoch: 3 },
    register,
    {
      encode: (word) => ({ key: Buffer.from(word), value: null }),
      decode: (key) => (key.toString() === 'skip' ? null : key.toString()),
    },
    {
      now: () => ({ monotonicMs, wallMs: 0 }),
      append,
      load: () => {
        loads += 1
      },
      answer: (to, reply) => answers.push([to, reply]),
      timers,
      log: silent,
    },
  )
  shard.start()
})

describe('loading', () => {
  it('refuses requests until the last chunk, then knows every record', () => {
    submit(1, 'read')
    shard.onChunk(chunk(['a', 'skip', 'b'], false))
    submit(2, 'read')
    log = [1, 2, 3].map(() => ({ key: null, value: null }))
    shard.onChunk({ ...chunk([], true), nextOffset: 3 })
    submit(3, 'read')
    const loading = `refused ${Errors.COORDINATOR_LOAD_IN_PROGRESS}`
    expect(answers).toEqual([
      [1, loading],
      [2, loading],
      [3, 'a b'],
    ])
  })

  it('is tried again after a passing failure', () => {
    shard.onChunk(chunk([], false, Errors.UNKNOWN_SERVER_ERROR))
    expect(loads).toBe(1)
    timers.runDue(10_000)
    expect(loads).toBe(2)
  })

  it('ignores chunks of another leader epoch', () => {
    shard.onChunk({ ...chunk([], true), leaderEpoch: 2 })
    submit(1, 'read')
    expect(answers).toEqual([[1, `refused ${Errors.COORDINATOR_LOAD_IN_PROGRESS}`]])
  })
})

describe('an active shard', () => {
  beforeEach(() => shard.onChunk(chunk([], true)))

  it('holds the reply of a write, and of a read that saw it, until the record is committed', () => {
    submit(1, 'add', 'a')
    submit(2, 'read')
    expect(answers).toEqual([])
    shard.onCommitted(1)
    expect(answers).toEqual([
      [1, 'added a'],
      [2, 'a'],
    ])
  })

  it('replies at once when the append says that it is committed already', () => {
    highWatermark = 1
    submit(1, 'add', 'a')
    expect(answers).toEqual([[1, 'added a']])
  })

  it('keeps the order of decisions when the watermark passes only some', () => {
    submit(1, 'add', 'a')
    submit(2, 'add', 'b')
    shard.onCommitted(1)
    expect(answers).toEqual([[1, 'added a']])
    shard.onCommitted(2)
    expect(answers.map(([to]) => to)).toEqual([1, 2])
  })

  it('answers a refused append alone and leaves the state untouched', () => {
    refuseWith = Errors.MESSAGE_TOO_LARGE
    submit(1, 'add', 'a')
    refuseWith = 0
    submit(2, 'read')
    expect(answers).toEqual([
      [1, `refused ${Errors.MESSAGE_TOO_LARGE}`],
      [2, ''],
    ])
  })

  it('does not tell what was decided once leadership is lost', () => {
    submit(1, 'add', 'a')
    submit(2, 'park')
    refuseWith = Errors.FENCED_LEADER_EPOCH
    submit(3, 'add', 'b')
    expect(answers).toEqual([
      [3, `refused ${Errors.FENCED_LEADER_EPOCH}`],
      [1, `refused ${Errors.NOT_COORDINATOR}`],
      [2, 'unloaded'],
    ])
    submit(4, 'read')
    expect(answers.at(-1)).toEqual([4, `refused ${Errors.NOT_COORDINATOR}`])
    expect(timers.nextAt()).toBeNull()
  })

  it('stops when somebody else has written to its partition', () => {
    log.push({ key: null, value: null })
    submit(1, 'add', 'a')
    expect(answers).toEqual([[1, `refused ${Errors.NOT_LEADER_OR_FOLLOWER}`]])
    expect(shard.isClosed).toBe(true)
  })

  it('times out a reply that is held too long and keeps what was decided', () => {
    submit(1, 'add', 'a')
    monotonicMs = 5_000
    timers.runDue(monotonicMs)
    expect(answers).toEqual([[1, `refused ${Errors.REQUEST_TIMED_OUT}`]])
    submit(2, 'read')
    shard.onCommitted(1)
    expect(answers.at(-1)).toEqual([2, 'a'])
  })

  it('carries out what a timer decides, again after a refusal', () => {
    submit(1, 'park')
    refuseWith = Errors.UNKNOWN_SERVER_ERROR
    monotonicMs = 100
    timers.runDue(monotonicMs)
    expect(answers).toEqual([])
    refuseWith = 0
    highWatermark = 1
    monotonicMs = 600
    timers.runDue(monotonicMs)
    expect(answers).toEqual([[1, 'woken']])
  })
})

it('tells when the load has ended, well or badly', () => {
  const told: string[] = []
  shard.whenSettled(() => told.push('first'))
  shard.onChunk(chunk([], false, Errors.UNKNOWN_SERVER_ERROR))
  expect(told).toEqual(['first'])
  shard.whenSettled(() => told.push('second'))
  shard.onChunk(chunk([], true))
  shard.whenSettled(() => told.push('third'))
  expect(told).toEqual(['first', 'second', 'third'])
})

describe('an exception of the coordinator', () => {
  beforeEach(() => {
    shard.start()
    log = [{ key: Buffer.from('kept'), value: null }]
    shard.onChunk(chunk(['kept'], true))
  })

  it('refuses that request, sends everybody else to ask again, and folds the state anew', () => {
    submit(1, 'park')
    submit(2, 'add', 'a')
    submit(3, 'trip')
    expect(answers).toEqual([
      [3, `refused ${Errors.UNKNOWN_SERVER_ERROR}`],
      [1, `refused ${Errors.NOT_COORDINATOR}`],
      [2, `refused ${Errors.NOT_COORDINATOR}`],
    ])
    submit(4, 'read')
    expect(answers.at(-1)).toEqual([4, `refused ${Errors.COORDINATOR_LOAD_IN_PROGRESS}`])
    const before = loads
    monotonicMs = 1_000
    timers.runDue(monotonicMs)
    expect(loads).toBe(before + 1)
    shard.onChunk(chunk(['kept', 'a'], true))
    submit(5, 'read')
    shard.onCommitted(2)
    expect(answers.at(-1)).toEqual([5, 'kept a'])
  })

  it('in a load is tried again once that load has ended, and mixes no two loads', () => {
    shard.start()
    shard.onChunk(chunk(['a', 'poison'], false))
    const before = loads
    monotonicMs = 1_000
    timers.runDue(monotonicMs)
    expect(loads).toBe(before)
    shard.onChunk(chunk(['a', 'b'], true))
    monotonicMs = 2_000
    timers.runDue(monotonicMs)
    expect(loads).toBe(before + 1)
    shard.onChunk(chunk(['a', 'b', 'c'], true))
    submit(1, 'read')
    expect(answers.at(-1)).toEqual([1, 'a b c'])
  })
})

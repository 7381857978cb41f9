/** The controller over the quorum: one proposal at a time, a dropped one refuses its request alone, replies wait for the logs. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { Command } from '../../../ts/native/commands.js'
import { Errors } from '../../../ts/protocol/index.js'
import { MetadataLog } from '../../../ts/runtime/metadata-log.js'
import type { ImageCoordinator } from '../../../ts/state/coordinator.js'

/** Names are claimed once: `claim` is refused by value when the name is taken. */
type Request = { to: number; name: string }
type Names = readonly string[]
const registry: ImageCoordinator<Set<string>, Request, string, never, string, Names, Names> = {
  create: () => new Set(),
  decide: (taken, { to, name }) => ({
    records: taken.has(name) ? [] : [name],
    soft: [],
    replies: [{ to, response: taken.has(name) ? `${name} is taken` : `${name} is yours` }],
    timers: [],
  }),
  replay: () => {},
  follow(taken, _image, names) {
    for (const name of names) taken.add(name)
  },
  expired: () => ({ records: [], soft: [], replies: [], timers: [] }),
  loaded: () => ({ records: [], soft: [], replies: [], timers: [] }),
  unloaded: () => ({ records: [], soft: [], replies: [], timers: [] }),
  refused: (_taken, { name }, errorCode) => `${name} refused ${errorCode}`,
}

let log: MetadataLog<Set<string>, Request, string, never, string, Names, Names>
let pushed: Command[]
let answers: string[]
let images: Names[]
let offset: number

const nothing = () => {}

beforeEach(() => {
  pushed = []
  answers = []
  images = []
  offset = 0
  log = new MetadataLog(
    registry,
    {
      empty: (): Names => [],
      fold: (image, _offset, _epoch, records) => ({ image: [...image, ...records], delta: records }),
      toApply: () => ({ removedTopics: [], topics: [] }),
    },
    { encode: (name) => Buffer.from(name), decode: (value) => value.toString() },
    {
      now: () => ({ monotonicMs: 0, wallMs: 0 }),
      push: (command) => pushed.push(command),
      onImage: (image) => images.push(image),
      onCommitted: nothing,
      log: { debug: nothing, info: nothing, warn: nothing, error: nothing, fatal: nothing },
    },
  )
  log.activate()
  log.startTelling()
  log.onApplied({ kind: 'image-applied', offset: -1, failures: [] })
  pushed = []
  images = []
})

const claim = (name: string) =>
  log.submit(
    (to) => ({ to, name }),
    (reply) => answers.push(reply),
  )
const proposals = () => pushed.filter((command) => command.kind === 'propose')

/** The quorum commits the last proposal. */
function commit(): void {
  const proposal = proposals().at(-1)
  const records = (proposal?.records ?? []).map(({ value }) => ({ value }))
  const proposalId = proposal?.proposalId ?? -1
  log.onCommitted({
    kind: 'metadata-committed',
    baseOffset: offset,
    epoch: 1,
    timestamp: 0,
    proposalId,
    records,
  })
  offset += records.length
}
const applied = () => log.onApplied({ kind: 'image-applied', offset: offset - 1, failures: [] })

describe('a change', () => {
  it('is answered when it is committed and the logs agree with it, not before', () => {
    claim('a')
    expect(proposals()).toHaveLength(1)
    commit()
    expect([answers, log.image]).toEqual([[], []])
    applied()
    expect([answers, log.image, images]).toEqual([['a is yours'], ['a'], [['a']]])
  })

  it('is decided after what came before it is committed', () => {
    claim('a')
    claim('a')
    claim('b')
    expect(proposals()).toHaveLength(1)
    commit()
    expect(proposals()).toHaveLength(2)
    commit()
    applied()
    expect(answers).toEqual(['a is yours', 'a is taken', 'b is yours'])
  })

  it('that the quorum drops is refused alone and leaves no trace', () => {
    claim('a')
    claim('a')
    const [first] = proposals()
    log.onDropped({
      kind: 'proposal-dropped',
      proposalId: first?.proposalId ?? 0,
      errorCode: Errors.NOT_CONTROLLER,
    })
    expect(answers).toEqual([`a refused ${Errors.NOT_CONTROLLER}`])
    commit()
    applied()
    expect(answers.at(-1)).toBe('a is yours')
  })

  it('that another leader made is followed', () => {
    log.deactivate()
    const records = [{ value: Buffer.from('theirs') }]
    log.onCommitted({
      kind: 'metadata-committed',
      baseOffset: 0,
      epoch: 2,
      timestamp: 0,
      proposalId: -1,
      records,
    })
    offset = 1
    applied()
    expect(log.image).toEqual(['theirs'])
  })
})

it('refuses everybody who waits once another node leads', () => {
  claim('a')
  claim('b')
  log.deactivate()
  claim('c')
  expect(answers).toEqual([`b refused ${Errors.NOT_CONTROLLER}`, `c refused ${Errors.NOT_CONTROLLER}`])
  // The one in flight may still be committed, and is then answered with the truth.
  commit()
  applied()
  expect(answers.at(-1)).toBe('a is yours')
})

// Producer ids: each once, waiting for blocks, and what happens when one does not come.
import { describe, expect, it } from 'vitest'
import { Errors } from '../../../ts/protocol/index.js'
import type { ProducerIdBlock, ProducerIdTurn } from '../../../ts/state/producer-id-block.js'
import {
  blockFailed,
  blockGranted,
  initIdempotentProducer,
  NO_PRODUCER_IDS,
} from '../../../ts/state/producer-id-block.js'

const FRESH = { producerId: -1n, producerEpoch: -1 }
const idsOf = ({ replies }: ProducerIdTurn) => replies.map(({ to, response }) => [to, response.producerId])

describe('producer ids', () => {
  it('make the first request wait for a block, asked for once', () => {
    const first = initIdempotentProducer(NO_PRODUCER_IDS, 1, FRESH)
    expect([first.ask, first.replies]).toEqual([true, []])
    const second = initIdempotentProducer(first.block, 2, FRESH)
    expect([second.ask, second.replies]).toEqual([false, []])
    const granted = blockGranted(second.block, 5_000, 1_000)
    expect(idsOf(granted)).toEqual([
      [1, 5_000],
      [2, 5_001],
    ])
    expect(granted.replies[0]?.response).toEqual({
      throttleTimeMs: 0,
      errorCode: 0,
      producerId: 5_000,
      producerEpoch: 0,
    })
    expect(granted.ask).toBe(false)
  })

  it('are never given out twice, over many blocks that need not follow on', () => {
    const seen = new Set<number>()
    let block: ProducerIdBlock = NO_PRODUCER_IDS
    let start = 0
    for (let to = 0; to < 3_000; to += 1) {
      const turns = [initIdempotentProducer(block, to, FRESH)]
      if (turns[0]?.ask) {
        start += 2_000
        turns.push(blockGranted(turns[0].block, start, 1_000))
      }
      for (const turn of turns) {
        block = turn.block
        for (const [, id] of idsOf(turn)) {
          expect(seen.has(id ?? -1)).toBe(false)
          seen.add(id ?? -1)
        }
      }
    }
    expect(seen.size).toBe(3_000)
    expect(Math.max(...seen)).toBeLessThan(4 * 2_000)
  })

  it('are asked for ahead of time, while the current block still serves', () => {
    let { block } = blockGranted(initIdempotentProducer(NO_PRODUCER_IDS, 0, FRESH).block, 0, 1_000)
    let asked = 0
    for (let to = 1; to < 1_000; to += 1) {
      const turn = initIdempotentProducer(block, to, FRESH)
      expect(idsOf(turn)).toEqual([[to, to]])
      if (turn.ask) asked += 1
      block = turn.block
    }
    expect(asked).toBe(1)
    expect(initIdempotentProducer(block, 1_000, FRESH).replies).toEqual([])
  })

  it('that do not come are told to be asked for again, and are', () => {
    const { block } = initIdempotentProducer(NO_PRODUCER_IDS, 1, FRESH)
    const failed = blockFailed(block)
    expect(failed.replies).toMatchObject([
      { to: 1, response: { errorCode: Errors.COORDINATOR_LOAD_IN_PROGRESS, producerId: -1 } },
    ])
    expect(initIdempotentProducer(failed.block, 2, FRESH).ask).toBe(true)
  })

  it('are refused to half an identity', () => {
    const half = initIdempotentProducer(NO_PRODUCER_IDS, 1, { producerId: 7n, producerEpoch: -1 })
    expect(half.replies[0]?.response.errorCode).toBe(Errors.INVALID_REQUEST)
    expect(half.block).toBe(NO_PRODUCER_IDS)
  })
})

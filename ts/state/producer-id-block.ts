// Hands out producer ids on one broker, from blocks that the controller has recorded: no id ever twice.
// Owns the current block and the InitProducerId requests that wait for the next one; asks for it, never fetches it.
import type { initProducerId, RequestOf, ResponseOf } from '../protocol/index.js'
import { Errors } from '../protocol/index.js'
import type { Answer } from './coordinator.js'

export type InitProducerIdRequest = RequestOf<typeof initProducerId>
export type InitProducerIdResponse = ResponseOf<typeof initProducerId>

/** Immutable. A fresh broker starts without a block: ids of an earlier life that it had not used are lost. */
export interface ProducerIdBlock {
  readonly next: number
  /** Exclusive. */
  readonly end: number
  /** The block after this one, asked for ahead of time. */
  readonly spare: { readonly next: number; readonly end: number } | null
  /** A block has been asked for and is not here yet. */
  readonly asking: boolean
  /** Reply tokens in the order of arrival. */
  readonly waiting: readonly number[]
}

export const NO_PRODUCER_IDS: ProducerIdBlock = { next: 0, end: 0, spare: null, asking: false, waiting: [] }

/** When so few ids are left the next block is asked for, so that hardly anybody has to wait. */
const PREFETCH_BELOW = 100

export interface ProducerIdTurn {
  readonly block: ProducerIdBlock
  readonly replies: readonly Answer<InitProducerIdResponse>[]
  /** Ask the controller for a block now, and report to `blockGranted` or `blockFailed`. */
  readonly ask: boolean
}

/**
 * InitProducerId of an idempotent producer (no transactional id): always a new id with epoch 0, whatever id it names.
 * Requests with a transactional id must not come here.
 */
export function initIdempotentProducer(
  block: ProducerIdBlock,
  to: number,
  { producerId, producerEpoch }: Pick<InitProducerIdRequest, 'producerId' | 'producerEpoch'>,
): ProducerIdTurn {
  // An id and an epoch belong together: one without the other is nonsense.
  if ((producerId === -1n) !== (producerEpoch === -1)) {
    return { block, replies: [{ to, response: initFailed(Errors.INVALID_REQUEST) }], ask: false }
  }
  return handOut({ ...block, waiting: [...block.waiting, to] })
}

/** The controller has recorded a block for this broker. */
export function blockGranted(block: ProducerIdBlock, start: number, length: number): ProducerIdTurn {
  return handOut({ ...block, asking: false, spare: { next: start, end: start + length } })
}

/** The block was refused or got lost: who waits is told to try again, the next request asks anew. */
export function blockFailed(block: ProducerIdBlock): ProducerIdTurn {
  const response = initFailed(Errors.COORDINATOR_LOAD_IN_PROGRESS)
  const replies = block.waiting.map((to) => ({ to, response }))
  return { block: { ...block, asking: false, waiting: [] }, replies, ask: false }
}

function handOut(block: ProducerIdBlock): ProducerIdTurn {
  let { next, end, spare } = block
  const replies: Answer<InitProducerIdResponse>[] = []
  for (const to of block.waiting) {
    if (next === end && spare !== null) {
      ;({ next, end } = spare)
      spare = null
    }
    if (next === end) break
    replies.push({ to, response: initialised(next) })
    next += 1
  }
  const ask = !block.asking && spare === null && end - next < PREFETCH_BELOW
  const waiting = block.waiting.slice(replies.length)
  return { block: { next, end, spare, asking: block.asking || ask, waiting }, replies, ask }
}

function initialised(producerId: number): InitProducerIdResponse {
  return { ...initFailed(Errors.NONE), producerId, producerEpoch: 0 }
}

/** The answer with an error: no id, no epoch. */
export function initFailed(errorCode: number): InitProducerIdResponse {
  return { throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }
}

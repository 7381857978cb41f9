/**
 * The broker's current block of producer ids: applies the turns that state/ decides and asks the controller for the
 * next block when one says so.
 */
import { Errors } from '../protocol/index.js'
import {
  blockFailed,
  blockGranted,
  type InitProducerIdRequest,
  type InitProducerIdResponse,
  initIdempotentProducer,
  NO_PRODUCER_IDS,
  type ProducerIdTurn,
} from '../state/producer-id-block.js'
import type { AllocateProducerIdsResponse } from '../state/producer-ids.js'
import { Waiting } from './waiting.js'

export class ProducerIds {
  private block = NO_PRODUCER_IDS
  private readonly waiting = new Waiting<InitProducerIdResponse>()

  /** `allocate` asks the controller for a block; it answers now or later. */
  constructor(private readonly allocate: (answer: (block: AllocateProducerIdsResponse) => void) => void) {}

  init(request: InitProducerIdRequest, answer: (response: InitProducerIdResponse) => void): void {
    this.apply(initIdempotentProducer(this.block, this.waiting.add(answer), request))
  }

  private apply({ block, replies, ask }: ProducerIdTurn): void {
    this.block = block
    for (const { to, response } of replies) this.waiting.answer(to, response)
    if (!ask) return
    this.allocate(({ errorCode, producerIdStart, producerIdLen }) => {
      const granted = errorCode === Errors.NONE
      this.apply(granted ? blockGranted(this.block, producerIdStart, producerIdLen) : blockFailed(this.block))
    })
  }
}

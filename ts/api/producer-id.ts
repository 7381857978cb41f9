/**
 * InitProducerId (key 22), v0–5, for idempotence: every call gets a producer id of its own with epoch 0. A request with
 * a transactional id is refused with INVALID_REQUEST, which producers take as final: no transactions are served here.
 */
import { Errors, initProducerId } from '../protocol/index.js'
import { CLUSTER_NAME } from './authorize.js'
import { type Handler, serve } from './handler.js'

export const initProducerIdHandler: Handler = serve(initProducerId, (call, body, broker) => {
  const fail = (errorCode: number) => call.reply({ errorCode, producerId: -1, producerEpoch: -1 })
  if (body.transactionalId !== null) {
    fail(Errors.INVALID_REQUEST)
    return
  }
  // Whoever may write to some topic may be idempotent there (KIP-679); without an authorizer that is everybody.
  if (!broker.authorizer.allows(call.principal, 'IDEMPOTENT_WRITE', 'CLUSTER', CLUSTER_NAME)) {
    fail(Errors.CLUSTER_AUTHORIZATION_FAILED)
    return
  }
  broker.nextProducerId(({ errorCode, producerId }) => {
    if (errorCode === Errors.NONE) call.reply({ errorCode, producerId, producerEpoch: 0 })
    else fail(errorCode)
  })
})

/**
 * InitProducerId (key 22), v0–5, for idempotence: every call gets a producer id of its own with epoch 0. A request with
 * a transactional id is refused with INVALID_REQUEST, which producers take as final: no transactions are served here.
 */
import { Errors, initProducerId } from '../protocol/index.js'
import { initFailed } from '../state/producer-id-block.js'
import { CLUSTER_NAME } from './authorize.js'
import { type Handler, serve } from './handler.js'

export const initProducerIdHandler: Handler = serve(initProducerId, (call, body, broker) => {
  if (body.transactionalId !== null) {
    call.reply(initFailed(Errors.INVALID_REQUEST))
    return
  }
  const { authorizer } = broker
  if (
    !authorizer.allows(call, 'IDEMPOTENT_WRITE', 'CLUSTER', CLUSTER_NAME, 'granted') &&
    !authorizer.allowsAny(call, 'WRITE', 'TOPIC')
  ) {
    call.reply(initFailed(Errors.CLUSTER_AUTHORIZATION_FAILED))
    return
  }
  broker.initProducerId(body, (response) => call.reply(response))
})

/**
 * UpdateFeatures (key 57) v0–2 and UnregisterBroker (key 64) v0: what the cluster as a whole may do, and who belongs to it.
 * They check permission; the controller decides. Version 2 of the first has one error for all features.
 */
import { Errors, unregisterBroker, updateFeatures } from '../protocol/index.js'
import { unregistrationFailed } from '../state/brokers.js'
import { updateFailed } from '../state/features.js'
import { CLUSTER_NAME } from './authorize.js'
import { type Handler, serve } from './handler.js'

export const featureHandlers: readonly Handler[] = [
  serve(updateFeatures, (call, body, broker) => {
    if (!broker.authorizer.allows(call, 'ALTER', 'CLUSTER', CLUSTER_NAME)) {
      call.reply(updateFailed(Errors.CLUSTER_AUTHORIZATION_FAILED))
      return
    }
    broker.controller.updateFeatures(body, call.version, (response) => call.reply(response))
  }),

  serve(unregisterBroker, (call, { brokerId }, broker) => {
    if (!broker.authorizer.allows(call, 'ALTER', 'CLUSTER', CLUSTER_NAME)) {
      call.reply(unregistrationFailed(Errors.CLUSTER_AUTHORIZATION_FAILED))
      return
    }
    broker.controller.unregisterBroker(brokerId, (response) => call.reply(response))
  }),
]

/**
 * DescribeAcls (key 29), CreateAcls (key 30) and DeleteAcls (key 31), v0–3: v0 knows literal patterns alone. They ask for
 * DESCRIBE or ALTER on the cluster, and answer SECURITY_DISABLED where no authorizer is configured; the controller
 * decides, and its answer comes when the change is in force in both planes.
 */
import { createAcls, deleteAcls, describeAcls, Errors, errorMessage } from '../protocol/index.js'
import {
  aclCreationFailed,
  aclDeletionFailed,
  CLUSTER_NAME,
  filterError,
  describeAcls as findAcls,
} from '../state/acl-admin.js'
import type { Asker } from './authorize.js'
import type { BrokerView } from './broker-view.js'
import { type Handler, serve } from './handler.js'

interface Refusal {
  readonly errorCode: number
  readonly errorMessage: string
}

/** Why nobody, or not this one, may read or change the ACLs here. */
function refusal({ authorizer }: BrokerView, asker: Asker, operation: 'DESCRIBE' | 'ALTER'): Refusal | null {
  if (!authorizer.isConfigured) {
    const where = operation === 'DESCRIBE' ? ' on the broker' : '.'
    return { errorCode: Errors.SECURITY_DISABLED, errorMessage: `No Authorizer is configured${where}` }
  }
  if (authorizer.allows(asker, operation, 'CLUSTER', CLUSTER_NAME)) return null
  const errorCode = Errors.CLUSTER_AUTHORIZATION_FAILED
  return { errorCode, errorMessage: errorMessage(errorCode) }
}

export const aclHandlers: readonly Handler[] = [
  serve(describeAcls, (call, filter, broker) => {
    const reason = filterError(filter)
    const invalid = reason === null ? null : { errorCode: Errors.INVALID_REQUEST, errorMessage: reason }
    const refused = refusal(broker, call, 'DESCRIBE') ?? invalid
    if (refused !== null) {
      call.reply({ ...refused, resources: [] })
      return
    }
    call.reply({
      errorCode: Errors.NONE,
      errorMessage: null,
      resources: findAcls(broker.image(), filter).map(({ pattern, acls }) => ({ ...pattern, acls })),
    })
  }),

  serve(createAcls, (call, body, broker) => {
    const answer = ({ results }: ReturnType<typeof aclCreationFailed>) => {
      call.reply({ results: [...results] })
    }
    const refused = refusal(broker, call, 'ALTER')
    if (refused === null) broker.controller.createAcls(body, answer)
    else answer(aclCreationFailed(body, refused.errorCode, refused.errorMessage))
  }),

  serve(deleteAcls, (call, body, broker) => {
    const answer = ({ filterResults }: ReturnType<typeof aclDeletionFailed>) => {
      call.reply({
        filterResults: filterResults.map((one) => ({ ...one, matchingAcls: [...one.matchingAcls] })),
      })
    }
    const refused = refusal(broker, call, 'ALTER')
    if (refused === null) broker.controller.deleteAcls(body, answer)
    else answer(aclDeletionFailed(body, refused.errorCode, refused.errorMessage))
  }),
]

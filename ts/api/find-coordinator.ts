/**
 * FindCoordinator (key 10), v0–6: the broker of a group. __consumer_offsets is created when it is first asked for, and
 * the answer waits for it. Transactional ids and share groups are refused with INVALID_REQUEST, which clients take as
 * final: no coordinator of theirs is served here.
 */
import { Errors, findCoordinator } from '../protocol/index.js'
import type { Asker } from './authorize.js'
import type { BrokerAddress, BrokerView } from './broker-view.js'
import { type Call, type Handler, serve } from './handler.js'

const GROUP = 0
const unserved: Readonly<Record<number, string>> = {
  1: 'This broker does not coordinate transactions',
  2: 'This broker does not coordinate share groups',
}

interface Coordinator {
  key: string
  nodeId: number
  host: string
  port: number
  errorCode: number
  errorMessage: string | null
}

export const findCoordinatorHandler: Handler = serve(findCoordinator, (call, body, broker) => {
  if (call.version < 4) {
    find(body.key, body.keyType, call, broker, ({ key: _, ...found }) => call.reply(found))
    return
  }
  const found = new Map<number, Coordinator>()
  const keys = body.coordinatorKeys
  for (const [index, key] of keys.entries()) {
    find(key, body.keyType, call, broker, (coordinator) => {
      found.set(index, coordinator)
      if (found.size === keys.length) {
        call.reply({ coordinators: keys.flatMap((_, position) => found.get(position) ?? []) })
      }
    })
  }
  if (keys.length === 0) call.reply({ coordinators: [] })
})

function find(
  key: string,
  keyType: number,
  call: Asker & Pick<Call, 'listener'>,
  broker: BrokerView,
  done: (coordinator: Coordinator) => void,
): void {
  const fail = (errorCode: number, errorMessage: string | null) =>
    done({ key, nodeId: -1, host: '', port: -1, errorCode, errorMessage })
  if (keyType !== GROUP) {
    fail(Errors.INVALID_REQUEST, unserved[keyType] ?? `Unknown coordinator key type ${keyType}`)
    return
  }
  if (!broker.authorizer.allows(call, 'DESCRIBE', 'GROUP', key)) {
    fail(Errors.GROUP_AUTHORIZATION_FAILED, null)
    return
  }
  broker.groupCoordinator(key, call.listener, (found: BrokerAddress | number) => {
    if (typeof found === 'number') fail(found, null)
    else {
      const { nodeId, host, port } = found
      done({ key, nodeId, host, port, errorCode: Errors.NONE, errorMessage: '' })
    }
  })
}
